"""The embedded broker against peers that break the protocol: they lose their connection, nobody else does."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import TYPE_CHECKING

import pytest

from collector.broker import embedded
from collector.errors import ConfigError
from tests.broker.conftest import Bench
from tests.broker.embedded_server import EmbeddedServer, Reasons, broker_config
from tests.servers.mosquitto import new_authority
from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECT = b"\x10\x14\x00\x04MQTT\x04\x02\x00\x3c\x00\x08router-a"
ACCEPTED = b"\x20\x02\x00\x00"
PING, PONG = b"\xc0\x00", b"\xd0\x00"


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[Bench]:
    authority = new_authority(tmp_path_factory.mktemp("pki") / "pki")
    server = EmbeddedServer(authority).start()
    yield Bench(server, authority)
    server.stop()
    assert server.loop_errors == []


@pytest.fixture
def raw(served) -> Iterator[ssl.SSLSocket]:
    served.server.problems.seen.clear()
    plain = socket.create_connection(("127.0.0.1", served.server.device_port), 10)
    with served.device("router-a").context().wrap_socket(plain, server_hostname="localhost") as secured:
        yield secured


def read_all(raw: ssl.SSLSocket) -> bytes:
    data = b""
    while chunk := raw.recv(4096):
        data += chunk
    return data


@pytest.mark.parametrize(
    ("sent", "answer", "reason"),
    [
        (b"\x10\xff\xff\xff\xff\x7f", b"\x20\x02\x00\x05", "malformed"),
        (b"\x10\xff\xff\xff\x7f", b"\x20\x02\x00\x05", "oversized"),
        (b"\x00\x00", b"\x20\x02\x00\x05", "unexpected_packet"),
        (PING, b"\x20\x02\x00\x05", "unexpected_packet"),
        (b"\x10\x07\x00\x04MQTT\x05", b"\x20\x02\x00\x01", "bad_version"),
        (b"\x10\x08\x00\x06MQIsdp", b"\x20\x02\x00\x01", "bad_version"),
        (b"\x10\x07\x00\x04MQTT\x04", b"\x20\x02\x00\x05", "malformed"),
        (b"GET / HTTP/1.1\r\n" + b"x" * 100, b"\x20\x02\x00\x05", "unexpected_packet"),
        (CONNECT.replace(b"router-a", b"router-b"), b"\x20\x02\x00\x02", "foreign_client_id"),
        (CONNECT.replace(b"router-a", b"router-\xff"), b"\x20\x02\x00\x02", "foreign_client_id"),
        (CONNECT + CONNECT, ACCEPTED, "unexpected_packet"),
        (CONNECT + b"\x82\x02\x00\x01", ACCEPTED, "malformed"),
        (CONNECT + b"\x82\x05\x00\x00\x00\x00\x00", ACCEPTED, "malformed"),
        (CONNECT + b"\x32\x02\x00\x01", ACCEPTED, "malformed"),
        (CONNECT + b"\x32\x05\x00\x01a\x00\x00", ACCEPTED, "malformed"),
        (CONNECT + b"\x34\x05\x00\x01a\x00\x01", ACCEPTED, "qos_2"),
        (CONNECT + b"\x36\x05\x00\x01a\x00\x01", ACCEPTED, "qos_2"),
        (CONNECT + b"\x30\x03\x00\x01#", ACCEPTED, "malformed"),
        (CONNECT + b"\x62\x02\x00\x01", ACCEPTED, "unexpected_packet"),
        (CONNECT + b"\x30\x80\x80\x80\x01", ACCEPTED, "oversized"),
    ],
)
def test_refused_with_a_reason(served, raw, sent, answer, reason):
    raw.sendall(sent)
    assert read_all(raw) == answer
    assert reason in served.server.problems.reasons()


def test_an_unknown_puback_is_ignored(raw):
    raw.sendall(CONNECT + b"\x40\x02\x12\x34" + PING)
    assert raw.recv(64) + raw.recv(64) == ACCEPTED + PONG


@pytest.mark.parametrize("name", [b"vigia/v1/#/x", b"a/b+", b"#/", b""])
def test_bad_filters_are_refused(raw, name):
    body = b"\x00\x07" + bytes([0, len(name)]) + name + b"\x01"
    raw.sendall(CONNECT + b"\x82" + bytes([len(body)]) + body)
    assert raw.recv(64) + raw.recv(64) == ACCEPTED + b"\x90\x03\x00\x07\x80"


def test_others_are_not_disturbed(served, raw):
    other = served.connect_device("router-b")
    raw.sendall(CONNECT + b"\x32\x02\x00\x01")
    read_all(raw)
    other.publish("vigia/v1/0/router-b/data", b"still served")
    other.close()


def test_a_connection_without_tls_is_dropped(served):
    with socket.create_connection(("127.0.0.1", served.server.device_port), 10) as plain:
        plain.sendall(CONNECT)
        until(lambda: _closed(plain), "the broker to hang up")


def _closed(plain: socket.socket) -> bool:
    try:
        return plain.recv(64) == b""
    except ConnectionError:
        return True


def start(config) -> None:
    asyncio.run(embedded.serve(config, lambda: None, asyncio.Event(), Reasons()))


def test_only_loopback_is_served(tmp_path):
    config = broker_config(new_authority(tmp_path / "pki")).model_copy(update={"host": "broker.example.org"})
    with pytest.raises(ConfigError, match="run Mosquitto"):
        start(config)


def test_missing_certificates_are_a_configuration_error(tmp_path):
    config = broker_config(new_authority(tmp_path / "pki")).model_copy(update={"ca_file": tmp_path / "none"})
    with pytest.raises(ConfigError, match="vigia-certs"):
        start(config)


def test_a_taken_port_is_a_configuration_error(served):
    with pytest.raises(ConfigError, match="cannot listen"):
        start(broker_config(served.authority))
