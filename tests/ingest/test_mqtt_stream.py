"""Packets between a real TLS server and the stream that gives them to paho or takes them apart."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from typing import TYPE_CHECKING

import pytest

from collector.ingest.mqtt_stream import PacketSocket, is_duplicate, puback, publish, read_publish
from tests.servers.mosquitto import new_authority
from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def packet(topic: bytes, mid: int, payload: bytes, *, properties: bytes = b"", head: int = 0x32) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic + mid.to_bytes(2, "big") + properties + payload
    length, size = len(body), b""
    while True:
        size += bytes([length % 128 | (0x80 if length > 127 else 0)])
        length //= 128
        if not length:
            return bytes([head]) + size + body


class Pair:
    """A stream and the other end of its connection."""

    def __init__(self, stream: PacketSocket, other: ssl.SSLSocket) -> None:
        self.stream = stream
        self.other = other

    def packets(self, count: int) -> list[bytes]:
        found: list[bytes] = []

        def complete() -> bool:
            while (one := self.stream.next_packet()) is not None:
                found.append(one)
            return len(found) >= count

        until(complete, "packets")
        return found


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    pki = new_authority(tmp_path / "pki").folder
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pki / "server/cert.pem", pki / "server/key.pem")
    client = ssl.create_default_context(cafile=str(pki / "ca.pem"))
    client.sslsocket_class = PacketSocket
    ours, theirs = socket.socketpair()
    ends: list[ssl.SSLSocket] = []
    thread = threading.Thread(target=lambda: ends.append(server.wrap_socket(theirs, server_side=True)))
    thread.start()
    stream = client.wrap_socket(ours, server_hostname="localhost")
    thread.join(10)
    assert isinstance(stream, PacketSocket)
    stream.setblocking(False)
    yield Pair(stream, ends[0])
    stream.close()
    ends[0].close()


@pytest.mark.parametrize("size", [0, 1, 120, 127, 128, 16_383, 16_384, 70_000])
def test_packets_come_out_whole_however_they_were_cut(pair, size):
    sent = [packet(b"t", number + 1, bytes(size)) for number in range(3)]
    data = b"".join(sent)

    def send() -> None:
        for at in range(0, len(data), 7_001):
            pair.other.sendall(data[at : at + 7_001])

    sender = threading.Thread(target=send)
    sender.start()
    assert pair.packets(3) == sent
    sender.join(10)
    assert not pair.stream.has_more()


def test_half_a_packet_is_waited_for(pair):
    whole = packet(b"t", 1, b"x" * 300)
    pair.other.sendall(whole[:2])
    assert pair.stream.next_packet() is None
    assert not pair.stream.has_more()
    pair.other.sendall(whole[2:])
    assert pair.packets(1) == [whole]


def test_recv_gives_what_was_given_and_nothing_else(pair):
    with pytest.raises(BlockingIOError):
        pair.stream.recv(1)
    pair.stream.give(b"\x20\x02\0\0")
    assert [pair.stream.recv(1), pair.stream.recv(9)] == [b"\x20", b"\x02\0\0"]


def test_the_end_is_found_by_who_reads(pair):
    pair.other.sendall(packet(b"t", 1, b""))
    pair.packets(1)
    pair.other.shutdown(socket.SHUT_RDWR)
    until(lambda: pair.stream.next_packet() is None and pair.stream.has_ended(), "the end")
    with contextlib.suppress(ssl.SSLError):  # an end without TLS's goodbye is an error for some versions
        assert pair.stream.recv(1) == b""


def test_what_is_put_goes_out_in_order_before_what_is_sent(pair):
    pair.stream.put([puback(1), puback(258)])
    assert pair.stream.send(b"\xc0\0") == 2
    assert pair.other.recv(100) == b"\x40\x02\0\x01\x40\x02\x01\x02\xc0\0"


def test_more_than_the_pipe_takes_is_kept(pair):
    data = bytes(range(256)) * 20_000
    pair.stream.put([data])
    assert not pair.stream.flush()
    got = bytearray()

    def read() -> None:
        while len(got) < len(data):
            got.extend(pair.other.recv(65_536))

    reader = threading.Thread(target=read)
    reader.start()
    until(pair.stream.flush, "everything to be written")
    reader.join(10)
    assert bytes(got) == data


@pytest.mark.parametrize(
    ("data", "with_properties", "expected"),
    [
        (packet(b"a/b", 7, b"xyz"), False, (b"a/b", 7, b"xyz")),
        (packet(b"a/b", 7, b"xyz", head=0x3B), False, (b"a/b", 7, b"xyz")),
        (packet(b"a/b", 7, b"xyz", properties=b"\0"), True, (b"a/b", 7, b"xyz")),
        (packet(b"a/b", 7, b"x" * 200, properties=b"\x02\x01\x01"), True, (b"a/b", 7, b"x" * 200)),
        (packet(b"a/b", 7, b"xyz", properties=b"\x80\x01" + b"p" * 128), True, (b"a/b", 7, b"xyz")),
        (packet(b"\xff", 7, b""), False, (b"\xff", 7, b"")),
        (b"\x30\x06\0\x03a/bx", False, (b"a/b", 0, b"x")),
        (b"\x31\x07\0\x03a/b\0x", True, (b"a/b", 0, b"x")),
        (packet(b"a", 7, b"", properties=b"\x80\x01"), True, None),
        (packet(b"a", 7, b""), True, None),
        (packet(b"a", 7, b"xyz", head=0x34), False, None),
        (b"\x32\x03\0\x09a", False, None),
        (b"\x30\x03\0\x09a", False, None),
        (b"\xd0\0", True, None),
    ],
)  # fmt: skip
def test_publish_is_taken_apart(data, with_properties, expected):
    found = read_publish(data, with_properties=with_properties)
    assert (found and (found.topic, found.mid, data[found.body :])) == expected


@pytest.mark.parametrize("size", [0, 200, 20_000])
def test_what_we_publish_is_a_publish(size):
    for with_properties in (False, True):
        made = publish("a/b", bytes(size), with_properties=with_properties)
        properties = b"\0" if with_properties else b""
        expected = packet(b"a/b", 0, bytes(size), properties=properties)[-(5 + len(properties) + size) - 2 :]
        assert made[0] == 0x30
        assert made.endswith(expected[:5] + properties + bytes(size))
        assert read_length(made) == len(made)


def read_length(made: bytes) -> int:
    length, at = 0, 1
    while True:
        length |= (made[at] & 0x7F) << 7 * (at - 1)
        at += 1
        if made[at - 1] < 0x80:
            return at + length


@pytest.mark.parametrize(("first", "again"), [(0x32, False), (0x3A, True), (0x33, False), (0x3B, True)])
def test_what_the_broker_sends_again_is_known_by_its_flag(first, again):
    packet = bytes([first]) + b"\x06\x00\x01t\x00\x07x"
    assert read_publish(packet, with_properties=False) is not None
    assert is_duplicate(packet) is again
