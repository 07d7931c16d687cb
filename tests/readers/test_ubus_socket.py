"""The bus by ubusd's socket: the same answers as by the command, and what becomes of a bus that fails."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from pathlib import Path

import pytest

from agent.errors import ReaderError
from agent.readers import ubus
from agent.readers.ubus_socket import Bus
from agent.readers.wifi_ubus import UbusWifi
from agent.readers.wifi_values import Crowd, RateUnit
from simulators.protocols import ubusd
from simulators.protocols.ubus import StandIn

CASES = Path(__file__).resolve().parent.parent / "cases"
WIFI = CASES / "wifi" / "openwrt-21.02-mt76" / "first"
DUMP = CASES / "wan" / "archer-c7-v2-openwrt-15.05" / "commands" / "ubus_call_network.interface_dump"


async def no_command(*words):
    raise AssertionError(f"a process was asked for: {words}")


@pytest.fixture
def daemon(tmp_path):
    answers = tmp_path / "answers"
    answers.mkdir()
    for path in WIFI.iterdir():
        (answers / path.name).write_bytes(path.read_bytes())
    (answers / "network.interface.dump.json").write_bytes(DUMP.read_bytes())
    with ubusd.Ubusd(tmp_path / "ubus.sock", answers) as running:
        yield running


@pytest.fixture
def bus(daemon):
    return Bus(no_command, str(daemon.path))


def call(bus, *question):
    return asyncio.run(ubus.call(bus, *question))


def refused(bus, *question):
    with pytest.raises(ReaderError) as caught:
        call(bus, *question)
    assert "\n" not in str(caught.value)
    return caught.value.reason


def seen(run):
    async def look():
        wifi = UbusWifi(run)
        found = []
        for name in await wifi.find():
            crowd = Crowd(RateUnit(), lambda _mac: None)
            facts = await wifi.look(name, crowd, closely=True)
            found.append((name, facts, crowd.fields(), crowd.bad))
        return found

    return asyncio.run(look())


def test_answers_are_those_of_the_command(bus, tmp_path, monkeypatch):
    assert call(bus, "network.interface", "dump") == json.loads(DUMP.read_text())
    monkeypatch.setenv("PATH", str(StandIn(tmp_path).folder), prepend=":")
    from agent.ports import command

    by_socket = seen(bus)
    assert by_socket
    assert by_socket == seen(command.run)


def test_an_object_that_began_anew_is_found_again(bus, daemon):
    first = call(bus, "hostapd.wlan0", "get_status")
    daemon.bus.forget()
    assert call(bus, "hostapd.wlan0", "get_status") == first


def test_refusals_are_those_of_the_command(bus):
    assert refused(bus, "hostapd.wlan9", "get_status") == "ubus_not_found"
    assert refused(bus, "hostapd.wlan0", "dance") == "ubus_not_found"
    assert asyncio.run(ubus.list(bus, "nothing.*")) == []


def test_an_object_that_does_not_answer_costs_its_limit(bus, daemon, monkeypatch):
    monkeypatch.setattr(ubus, "LIMIT_MS", 100)
    call(bus, "hostapd.wlan0", "get_status")
    (daemon.bus._answers / "hostapd.wlan0.get_status.json.slow").touch()
    assert refused(bus, "hostapd.wlan0", "get_status") == "ubus_timeout"


def test_without_a_socket_the_command_is_asked(tmp_path):
    asked = []

    async def run(argv, *_limits):
        asked.append(argv)
        return b'{"up": true}'

    assert call(Bus(run, str(tmp_path / "none")), "network.interface.wan", "status") == {"up": True}
    assert asked == [["ubus", "call", "network.interface.wan", "status"]]


def test_only_a_machine_with_a_socket_asks_it(daemon, tmp_path, monkeypatch):
    monkeypatch.setenv("VIGIA_UBUS_SOCKET", str(tmp_path / "none"))
    assert ubus.bus(no_command) is no_command
    monkeypatch.setenv("VIGIA_UBUS_SOCKET", str(daemon.path))
    assert call(ubus.bus(no_command), "network.interface", "dump") == json.loads(DUMP.read_text())


HELLO = ubusd.message(ubusd.HELLO, 0, 1, b"")
STATUS = ubusd.blob(ubusd.A_STATUS, bytes(4))
FOUND = ubusd.message(ubusd.DATA, 1, 0, ubusd.blob(ubusd.A_ID, b"\0\0\0\7"))
FOUND += ubusd.message(ubusd.STATUS, 1, 0, STATUS)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (HELLO, "ubus_unreachable"),  # and the connection ends
        (b"\0", "ubus_unreachable"),
        (HELLO + ubusd.message(ubusd.STATUS, 1, 0, b""), "ubus_garbage"),
        (HELLO + b"\0\2\0\1\0\0\0\0" + b"\0\0\0\3", "ubus_garbage"),  # a blob shorter than its own head
        (HELLO + ubusd.message(ubusd.DATA, 1, 0, b"\3\0\0\x40"), "ubus_garbage"),  # longer than its message
        (HELLO + FOUND + ubusd.message(ubusd.DATA, 2, 0, ubusd.blob(7, b"\x82\xff\xff\xff")), "ubus_garbage"),
        (
            HELLO + FOUND + ubusd.message(ubusd.DATA, 2, 0, ubusd.blob(7, ubusd.named("a", "x" * 40_000))),
            "ubus_garbage",
        ),
        (
            HELLO + FOUND + 9 * ubusd.message(ubusd.DATA, 2, 0, ubusd.blob(7, ubusd.named("a", "x" * 4000))),
            "ubus_garbage",
        ),
    ],
    ids=["end", "cut", "no status", "short", "long", "part too long", "too long at once", "never ending"],
)
def test_a_bus_that_talks_nonsense_costs_the_answer_only(said, reason, tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        server.listen()

        def serve():
            client, _ = server.accept()
            with client, contextlib.suppress(ConnectionError):  # who has heard enough goes
                client.sendall(said)
                client.shutdown(socket.SHUT_WR)
                while client.recv(4096):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        assert refused(Bus(no_command, str(tmp_path / "s")), "object", "method") == reason
        thread.join(10)
