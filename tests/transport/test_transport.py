"""One suite for every transport: paho's on CPython, ours on CPython and MicroPython, a real Mosquitto."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from simulators.link import Link
from tests.agent.centre import status
from tests.servers.mosquitto import MosquittoServer, new_authority
from tests.servers.wait import until
from tests.transport.broker import CONNACK, FakeBroker, packet, server_context
from tests.transport.conftest import SITE, Start
from tests.transport.listener import Listener
from tests.transport.remote import Failed, Remote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from certs.authority import Authority

pytestmark = pytest.mark.server
TOPIC = "vigia/v1/0/mx-001/data"
WILL = "vigia/v1/0/mx-001/death"
ACKS = "vigia/v1/+/mx-001/ack"


@pytest.fixture
def listener(broker: MosquittoServer, authority: Authority) -> Iterator[Listener]:
    made = Listener(authority)
    yield made
    made.stop()


async def refused(remote: Remote) -> str:
    """Connect, which has to fail and leave nothing open; return the reason."""
    before = await remote.ask("open_files")
    with pytest.raises(Failed) as failure:
        await remote.connect()
    assert await remote.ask("open_files") == before
    assert remote.count("lost") == 0
    return failure.value.reason


def test_a_message_goes_out_and_comes_in(start: Start, broker, listener) -> None:
    async def scenario() -> None:
        async with start(broker.device_port) as remote:
            before = await remote.ask("open_files")
            await remote.connect(WILL)
            await remote.ask("subscribe", ACKS, "vigia/v1/0/collector")
            mid = await remote.ask("publish", TOPIC, "x", 3)
            await remote.hears("puback", mid)
            listener.publish("vigia/v1/0/mx-001/ack", b"ack")
            await remote.hears("message", "vigia/v1/0/mx-001/ack", "ack")
            listener.publish("vigia/v1/0/collector", status("online"))
            await remote.hears("message", "vigia/v1/0/collector")
            await remote.ask("disconnect", 5000)
            assert await remote.ask("open_files") == before
            assert (remote.count("lost"), remote.count("puback")) == (0, 1)

    asyncio.run(scenario())
    assert listener.payloads(TOPIC) == [b"xxx"]
    assert listener.payloads(WILL) == []


def test_the_will_is_published_when_the_connection_is_dropped_without_a_word(
    start: Start, broker, listener
) -> None:
    async def scenario() -> None:
        async with start(broker.device_port) as remote:
            await remote.connect(WILL)
            await remote.ask("close")
            with pytest.raises(Failed) as failure:
                await remote.ask("publish", TOPIC, "x", 1)
            assert failure.value.reason == "not_connected"
            await asyncio.to_thread(until, lambda: listener.payloads(WILL), "the will")
            assert remote.count("lost") == 0

    asyncio.run(scenario())
    assert listener.payloads(WILL) == [b"will"]


def test_a_message_of_64_kib_arrives_whole(start: Start, broker, listener) -> None:
    async def scenario() -> None:
        async with start(broker.device_port) as remote:
            await remote.connect()
            for mark in "abcd":
                mid = await remote.ask("publish", TOPIC, mark, 65_500)
                await remote.hears("puback", mid)

    asyncio.run(scenario())
    assert listener.payloads(TOPIC) == [mark * 65_500 for mark in (b"a", b"b", b"c", b"d")]


@pytest.mark.parametrize("wrong", ["ca", "cert"])
def test_credentials_of_another_authority_are_refused(
    start: Start, broker, authority, tmp_path: Path, wrong: str
) -> None:
    folder, other = tmp_path / "own", new_authority(tmp_path / "pki").issue("mx-001", SITE).folder
    folder.mkdir()
    for name in ("ca", "cert", "key"):
        foreign = (name == "ca") if wrong == "ca" else (name != "ca")
        origin = other if foreign else authority.folder / "devices" / "mx-001"
        (folder / f"{name}.der").write_bytes((origin / f"{name}.der").read_bytes())

    async def scenario() -> None:
        async with start(broker.device_port, folder) as remote:
            for _ in range(3):
                assert await refused(remote) in {"unreachable", "lost"}

    asyncio.run(scenario())


@pytest.mark.parametrize("wrong", ["name", "expired"])
def test_a_broker_with_the_wrong_certificate_is_refused(
    start: Start, authority, tmp_path: Path, wrong: str
) -> None:
    served = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(await packet(reader))

    async def scenario() -> None:
        context = (
            server_context(authority, tmp_path, "broker.example")
            if wrong == "name"
            else server_context(authority, tmp_path, until=dt.datetime(2021, 1, 1, tzinfo=dt.UTC))
        )
        async with FakeBroker(context, talk) as fake, start(fake.port) as remote:
            for _ in range(3):
                assert await refused(remote) in {"unreachable", "lost"}

    asyncio.run(scenario())
    assert served == []


def test_nobody_at_the_port_is_told_at_once(start: Start, broker) -> None:
    port = broker.device_port
    broker.stop()

    async def scenario() -> None:
        async with start(port) as remote:
            for _ in range(3):
                assert await refused(remote) == "unreachable"

    asyncio.run(scenario())


def test_a_broker_that_refuses_says_why(start: Start, authority, tmp_path: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await packet(reader)
        writer.write(b"\x20\x02\x00\x05")
        await reader.read()

    async def scenario() -> None:
        context = server_context(authority, tmp_path)
        async with FakeBroker(context, talk) as fake, start(fake.port) as remote:
            assert await refused(remote) == "not_accepted"

    asyncio.run(scenario())


def test_a_broker_that_never_answers_does_not_hold_the_device(
    start: Start, authority, tmp_path: Path
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def scenario() -> None:
        context = server_context(authority, tmp_path)
        async with FakeBroker(context, talk) as fake, start(fake.port) as remote:
            before = await remote.ask("open_files")
            with pytest.raises(Failed) as failure:
                await remote.connect(limit_ms=500)
            assert failure.value.reason == "timeout"
            assert await remote.ask("open_files") == before

    asyncio.run(scenario())


def test_a_subscription_that_the_rules_forbid_is_refused(start: Start, broker) -> None:
    async def scenario() -> None:
        async with start(broker.device_port) as remote:
            await remote.connect(WILL)
            with pytest.raises(Failed) as failure:
                await remote.ask("subscribe", ACKS, "vigia/v1/+/mx-002/ack")
            assert failure.value.reason == "refused"
            await remote.ask("disconnect", 5000)
            assert remote.count("lost") == 0

    asyncio.run(scenario())


def test_a_killed_broker_is_noticed_once_and_its_successor_accepted(start: Start, broker) -> None:
    async def scenario() -> None:
        async with start(broker.device_port) as remote:
            await remote.connect()
            await asyncio.to_thread(broker.kill)
            await remote.hears("lost")
            await asyncio.to_thread(broker.start)
            await remote.connect()
            mid = await remote.ask("publish", TOPIC, "x", 1)
            await remote.hears("puback", mid)
            assert remote.count("lost") == 1

    asyncio.run(scenario())


def test_a_broker_that_hangs_is_noticed_by_keepalive(start: Start, broker) -> None:
    async def scenario() -> None:
        async with start(broker.device_port, keepalive_s=1) as remote:
            await remote.connect()
            os.kill(broker.pid, signal.SIGSTOP)
            try:
                await remote.hears("lost", limit_s=10)
            finally:
                os.kill(broker.pid, signal.SIGCONT)

    asyncio.run(scenario())


def test_an_idle_connection_outlives_its_keepalive(start: Start, broker) -> None:
    async def scenario() -> None:
        async with start(broker.device_port, keepalive_s=1) as remote:
            await remote.connect()
            await asyncio.to_thread(until, lambda: broker.log().count("PINGRESP") >= 4, "pings")
            assert remote.count("lost") == 0

    asyncio.run(scenario())


def test_a_dead_line_is_noticed_and_a_puback_that_comes_late_still_counts(start: Start, broker) -> None:
    async def scenario() -> None:
        line = Link("127.0.0.1", broker.device_port)
        await line.open()
        async with start(line.port, keepalive_s=2) as remote:
            await remote.connect()
            line.cut()
            mid = await remote.ask("publish", TOPIC, "x", 1)
            line.restore()
            await remote.hears("puback", mid)
            line.cut()
            await remote.ask("publish", TOPIC, "x", 1)
            await remote.hears("lost", limit_s=15)
            assert remote.count("puback") == 1
        await line.close()

    asyncio.run(scenario())


def test_whoever_comes_later_with_the_same_name_takes_over(start: Start, broker, listener) -> None:
    async def scenario() -> None:
        async with start(broker.device_port) as first, start(broker.device_port) as second:
            await first.connect(WILL)
            await second.connect(WILL)
            await first.hears("lost")
            mid = await second.ask("publish", TOPIC, "x", 1)
            await second.hears("puback", mid)

    asyncio.run(scenario())
    assert listener.payloads(WILL)[:1] == [b"will"]


def test_packets_may_come_byte_by_byte(start: Start, authority, tmp_path: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await packet(reader)
        await trickle(writer, CONNACK)
        mid = (await packet(reader))[1][:2]
        await trickle(writer, b"\x90\x03" + mid + b"\x01")
        topic = b"vigia/v1/0/mx-001/ack"
        body = len(topic).to_bytes(2, "big") + topic + b"\x00\x07" + b"y" * 300
        await trickle(writer, b"\x32" + bytes((len(body) & 0x7F | 0x80, len(body) >> 7)) + body)
        assert await packet(reader) == (0x40, b"\x00\x07")
        await trickle(writer, b"\x40\x02\x12\x34")
        await reader.read()

    async def trickle(writer: asyncio.StreamWriter, data: bytes) -> None:
        for byte in data:
            writer.write(bytes((byte,)))
            await writer.drain()
            await asyncio.sleep(0)

    async def scenario() -> None:
        context = server_context(authority, tmp_path)
        async with FakeBroker(context, talk) as fake, start(fake.port) as remote:
            await remote.connect()
            await remote.ask("subscribe", ACKS)
            await remote.hears("message", "vigia/v1/0/mx-001/ack", "300")

    asyncio.run(scenario())


def test_a_hundred_connections_leave_nothing_open(start: Start, broker) -> None:
    async def scenario() -> None:
        async with start(broker.device_port) as remote:
            before = await remote.ask("open_files")
            for number in range(100):
                await remote.connect()
                await remote.ask(*(("close",) if number % 2 else ("disconnect", 5000)))
            assert await remote.ask("open_files") == before
            assert remote.count("lost") == 0

    asyncio.run(scenario())
