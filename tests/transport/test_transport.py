"""One suite for every transport: paho's on CPython, ours on CPython and MicroPython, a real Mosquitto."""

from __future__ import annotations

import asyncio
import contextlib
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
    from collections.abc import AsyncIterator, Iterator

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


@contextlib.asynccontextmanager
async def line_to(broker: MosquittoServer) -> AsyncIterator[Link]:
    """A line that can be cut."""
    line = Link("127.0.0.1", broker.device_port)
    await line.open()
    try:
        yield line
    finally:
        await line.close()


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
    assert listener.hears(TOPIC, 1) == [b"xxx"]
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
    assert listener.hears(TOPIC, 4) == [mark * 65_500 for mark in (b"a", b"b", b"c", b"d")]


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


def test_what_the_rules_forbid_goes_nowhere_and_costs_nothing_else(start: Start, broker, listener) -> None:
    """MQTT 3.1.1 has no word for it: the broker acknowledges and keeps the message to itself."""
    foreign = "vigia/v1/0/mx-002/data"

    async def scenario() -> None:
        async with start(broker.device_port) as remote:
            await remote.connect(WILL)
            for topic in (foreign, TOPIC):
                await remote.hears("puback", await remote.ask("publish", topic, "x", 1))
            await remote.ask("disconnect", 5000)
            assert remote.count("lost") == 0

    asyncio.run(scenario())
    assert listener.hears(TOPIC, 1) == [b"x"]
    assert listener.payloads(foreign) == []  # it would have come before


def test_a_subscription_that_is_not_granted_is_refused(start: Start, authority, tmp_path: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await packet(reader)
        writer.write(CONNACK)
        mid = (await packet(reader))[1][:2]
        writer.write(b"\x90\x04" + mid + b"\x01\x80")
        assert (await packet(reader))[0] == 0xE0

    async def scenario() -> None:
        context = server_context(authority, tmp_path)
        async with FakeBroker(context, talk) as fake, start(fake.port) as remote:
            await remote.connect(WILL)
            with pytest.raises(Failed) as failure:
                await remote.ask("subscribe", ACKS, "vigia/v1/0/collector")
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


def test_an_idle_connection_is_kept_alive(start: Start, authority, tmp_path: Path) -> None:
    pings = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await packet(reader)
        writer.write(CONNACK)
        while (await packet(reader))[0] == 0xC0:
            pings.append(asyncio.get_running_loop().time())
            writer.write(b"\xd0\x00")

    async def scenario() -> None:
        context = server_context(authority, tmp_path)
        async with FakeBroker(context, talk) as fake, start(fake.port, keepalive_s=1) as remote:
            await remote.connect(WILL)
            async with asyncio.timeout(30):
                while len(pings) < 3:  # noqa: ASYNC110 - the fake broker counts
                    await asyncio.sleep(0.05)
            assert remote.count("lost") == 0

    asyncio.run(scenario())


HOSTILE = {
    "a type of MQTT 5": b"\xf0\x00",
    "a type for brokers": b"\xc0\x00",
    "a length without end": b"\x30\xff\xff\xff\xff\x01",
    "an enormous PUBACK": b"\x40\xff\xff\xff\x7f",
    "PUBACK without an id": b"\x40\x02\x00\x00",
    "PUBACK with wrong flags": b"\x42\x02\x00\x01",
    "a message with QoS 2": b"\x34\x05\x00\x01a\x00\x01",
    "a message shorter than its topic": b"\x30\x04\x00\x09ab",
    "a topic that is not UTF-8": b"\x30\x04\x00\x02\xff\xfe",
    "CONNACK a second time": CONNACK,
    "SUBACK to nothing": b"\x90\x03\x00\x09\x01",
    "PINGRESP with a body": b"\xd0\x01\x00",
}


def test_what_no_broker_says_ends_the_connection_with_a_reason(
    ours: Start, authority, tmp_path: Path
) -> None:
    """The device goes on: each connection says something else that is wrong in exactly one way."""
    sayings = iter(HOSTILE.values())

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await packet(reader)
        writer.write(CONNACK)
        await packet(reader)  # something is asked, so that something may be said
        writer.write(next(sayings))
        await reader.read()

    async def scenario() -> None:
        context = server_context(authority, tmp_path)
        async with FakeBroker(context, talk) as fake, ours(fake.port) as remote:
            before = await remote.ask("open_files")
            for number in range(len(HOSTILE)):
                await remote.connect(WILL)
                await remote.ask("publish", TOPIC, "x", 1)
                await remote.loses(number + 1)
            assert await remote.ask("open_files") == before
            assert (remote.count("message"), remote.count("puback")) == (0, 0)

    asyncio.run(scenario())


def test_a_message_too_long_for_the_device_is_skipped_and_acknowledged(
    ours: Start, authority, tmp_path: Path
) -> None:
    topic = b"vigia/v1/0/mx-001/ack"
    head = len(topic).to_bytes(2, "big") + topic
    acknowledged = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await packet(reader)
        writer.write(CONNACK)
        await packet(reader)
        long, short = head + b"\x00\x05" + bytes(300_000), head + b"\x00\x06ok"
        size = len(long)
        length = bytes((size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14))
        writer.write(b"\x32" + length + long + b"\x32" + bytes((len(short),)) + short)
        acknowledged.extend([await packet(reader), await packet(reader)])
        all_acknowledged.set()
        await reader.read()

    all_acknowledged = asyncio.Event()

    async def scenario() -> None:
        context = server_context(authority, tmp_path)
        async with FakeBroker(context, talk) as fake, ours(fake.port) as remote:
            await remote.connect(WILL)
            await remote.ask("publish", TOPIC, "x", 1)
            await remote.hears("message", topic.decode(), "ok")
            await asyncio.wait_for(all_acknowledged.wait(), 30)
            assert (remote.count("message"), remote.count("lost")) == (1, 0)

    asyncio.run(scenario())
    assert [body for _, body in acknowledged] == [b"\x00\x05", b"\x00\x06"]


def test_a_line_that_takes_nothing_fills_a_bounded_buffer(ours: Start, broker) -> None:
    """Who asks for room before each frame holds at most a few frames in memory, and is told when to go on."""

    async def scenario() -> None:
        async with line_to(broker) as line, ours(line.port) as remote:
            await remote.connect(WILL)
            line.cut()
            count = full = 0
            while full < 10:  # kernel and proxy have room of their own first
                sent = await remote.ask("flood", TOPIC, 12_000)
                assert sent < 5
                full = 0 if sent else full + 1
                count += sent
            line.restore()
            await remote.pubacks(count)
            assert await remote.ask("room")
            assert remote.count("room") >= 1

    asyncio.run(scenario())


def test_a_dead_line_is_noticed_and_a_puback_that_comes_late_still_counts(start: Start, broker) -> None:
    async def scenario() -> None:
        async with line_to(broker) as line, start(line.port, keepalive_s=2) as remote:
            await remote.connect()
            line.cut()
            mid = await remote.ask("publish", TOPIC, "x", 1)
            line.restore()
            await remote.hears("puback", mid)
            line.cut()
            await remote.ask("publish", TOPIC, "x", 1)
            await remote.hears("lost", limit_s=15)
            assert remote.count("puback") == 1

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
    assert listener.hears(WILL, 1)[:1] == [b"will"]


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
