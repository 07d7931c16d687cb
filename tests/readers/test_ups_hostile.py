"""A server that talks nonsense, too much, or not at all costs its own data only, within the time limit."""

from __future__ import annotations

import asyncio
import time

import pytest

from agent.errors import ReaderError
from agent.readers import ups
from agent.readers.ups import Ups
from agent.readers.upsd_client import UpsdClient
from tests.readers.standin import RealClock, script, serving, ups_reader


async def silent(reader, writer):
    await reader.read()


async def endless_line(reader, writer):
    while True:
        writer.write(b"x" * 4096)
        await writer.drain()


async def endless_list(reader, writer):
    await reader.readline()
    writer.write(b"BEGIN LIST VAR sai\n")
    while True:
        writer.write(b'VAR sai ups.status "OL"\n' * 100)
        await writer.drain()


async def drip(reader, writer):
    while True:
        writer.write(b"V")
        await writer.drain()
        await asyncio.sleep(0.05)


async def closing(reader, writer):
    await reader.readline()


async def binary(reader, writer):
    writer.write(bytes(range(256)) * 4 + b"\n\x00\xff\n\n\n")
    await reader.read()


async def another_ups(reader, writer):
    await reader.readline()
    writer.write(b'BEGIN LIST VAR sai\nVAR otro ups.status "OB"\nEND LIST VAR sai\n')
    await reader.read()


async def half_a_quote(reader, writer):
    await reader.readline()
    writer.write(b'BEGIN LIST VAR sai\nVAR sai ups.status "OB\n')
    await reader.read()


@pytest.fixture(autouse=True)
def short_limit(monkeypatch):
    monkeypatch.setattr(ups, "LIMIT_MS", 300)


HOSTILE = [silent, endless_line, drip, closing, binary, half_a_quote]


async def read_named(behave):
    async with serving(behave) as port:
        reader = ups_reader(port, ["sai"])
        began = time.monotonic()
        rows = await reader.read()
        took_ms = (time.monotonic() - began) * 1000
        await reader.close()
        return dict(rows[0][2]), took_ms


@pytest.mark.parametrize("behave", [*HOSTILE, endless_list])
def test_a_known_ups_is_lost_but_stays(behave):
    fields, took_ms = asyncio.run(read_named(behave))
    assert fields["server_lost"] == 1
    assert fields["ol"] == 0
    assert took_ms < ups.LIMIT_MS + 1000


def test_lines_of_another_ups_are_not_taken_for_this_ones():
    fields, _ = asyncio.run(read_named(another_ups))
    assert fields["ob"] == 0


def test_fast_samples_leave_the_caller_time():
    reader = ups_reader(1, ["sai"], watch_ms=50, sample_ms=100)
    assert reader._limit_ms < 1000


@pytest.mark.parametrize("behave", HOSTILE)
def test_without_any_known_ups_it_is_an_error(behave):
    async def read() -> None:
        async with serving(behave) as port:
            await ups_reader(port).read()

    with pytest.raises(ReaderError) as caught:
        asyncio.run(read())
    assert caught.value.reason in {"server_lost", "garbage", "timeout"}


def test_letters_of_eight_bits_cost_nothing():
    answer = b'BEGIN LIST VAR sai\nVAR sai ups.id "Batter\xeda"\nVAR sai ups.status "OL"\nEND LIST VAR sai\n'
    fields, _ = asyncio.run(read_named(script(answer)))
    assert (fields["ol"], fields["server_lost"]) == (1, 0)


def test_a_list_in_the_place_of_a_ups_does_not_grow_without_end():
    many = b"BEGIN LIST UPS\n" + b"".join(b'UPS u%d ""\n' % n for n in range(500)) + b"END LIST UPS\n"

    async def read():
        async with serving(script(many)) as port:
            reader = ups_reader(port)
            rows = await reader.read()
            await reader.close()
            return rows

    assert len(asyncio.run(read())) == 16


def test_a_cancelled_read_leaves_no_half_answer_behind():
    """The answer to the first question arrives late; the second read must not take it for its own."""
    asked, gate = asyncio.Event(), asyncio.Event()
    listing = b'BEGIN LIST VAR sai\nVAR sai ups.status "%s"\nEND LIST VAR sai\n'
    connections = []

    async def behave(reader, writer):
        connections.append(writer)
        await reader.readline()
        asked.set()
        if len(connections) == 1:
            await gate.wait()
        writer.write(listing % (b"OB" if len(connections) == 1 else b"OL"))
        await reader.read()

    async def read():
        async with serving(behave) as port:
            reader = ups_reader(port, ["sai"])
            first = asyncio.create_task(reader.read())
            await asked.wait()
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            gate.set()
            reader._sampled_ms = None
            rows = await reader.read()
            await reader.close()
            return dict(rows[0][2])

    fields = asyncio.run(read())
    assert (fields["ol"], fields["ob"], len(connections)) == (1, 0, 2)


def test_credentials_are_given_first():
    said = []

    async def behave(reader, writer):
        for answer in (b"OK\n", b"OK\n", b"ERR ACCESS-DENIED\n"):
            said.append((await reader.readline()).decode())
            writer.write(answer)
        await reader.read()

    async def read():
        async with serving(behave) as port:
            reader = ups_reader(port, ["sai"])
            reader._server._credentials = ("monitor", 'a "b"')
            rows = await reader.read()
            await reader.close()
            return dict(rows[0][2])

    assert asyncio.run(read())["server_lost"] == 1
    assert said == ['USERNAME "monitor"\n', 'PASSWORD "a \\"b\\""\n', "LIST VAR sai\n"]


def test_a_wrong_quote_costs_its_own_value_only():
    lines = (
        b'VAR sai ups.status "OB"\nVAR sai ups.id "ro"to"\nVAR sai a "b" "c"\nVAR sai input.voltage "0.0"\n'
    )
    answer = b"BEGIN LIST VAR sai\n" + lines + b"END LIST VAR sai\n"
    fields, _ = asyncio.run(read_named(script(answer)))
    assert (fields["ob"], fields["input_voltage"], fields["server_lost"]) == (1, 0.0, 0)


def test_an_answer_that_comes_in_pieces_is_whole():
    answer = (
        b'BEGIN LIST VAR sai\r\nVAR sai ups.status "OB LB"\nVAR sai input.voltage "3.5"\nEND LIST VAR sai\n'
    )

    async def behave(reader, writer):
        await reader.readline()
        for start in range(0, len(answer), 7):
            writer.write(answer[start : start + 7])
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read()

    fields, _ = asyncio.run(read_named(behave))
    assert (fields["lb"], fields["input_voltage"]) == (1, 3.5)


def test_a_slow_server_is_heard_of_one_ups_after_the_other():
    """Each answer takes more than half of what a read may: every UPS gets its turn."""
    names = ["a", "b", "c"]

    async def behave(reader, writer):
        while line := (await reader.readline()).split():
            await asyncio.sleep(ups.LIMIT_MS / 1000 * 0.6)
            name = line[-1]
            writer.write(b'BEGIN LIST VAR %s\nVAR %s ups.status "OL"\nEND LIST VAR %s\n' % (name, name, name))
            await writer.drain()

    async def read() -> dict[str, int]:
        async with serving(behave) as port:
            reader = ups_reader(port, names)
            heard: dict[str, int] = {}
            for _ in range(20):  # three would do on a machine with nothing else to do
                reader._joining._next_ms = 0
                heard = {str(name): int(fields["ol"]) for _, name, fields in await reader.read()}
                if all(heard.values()):
                    break
            await reader.close()
            return heard

    assert asyncio.run(read()) == {"a": 1, "b": 1, "c": 1}


def test_a_server_that_fails_is_left_alone_for_longer_and_longer():
    connections = []
    now_ms = [0]

    async def behave(reader, writer):
        connections.append(now_ms[0])

    class Clock(RealClock):
        def uptime_ms(self) -> int:
            return now_ms[0]

    async def read() -> None:
        async with serving(behave) as port:
            reader = Ups(Clock(), 10_000, 2000, UpsdClient("127.0.0.1", port), ["sai"])
            for now_ms[0] in range(0, 80_000, 2000):
                assert dict((await reader.read())[0][2])["server_lost"] == 1
            await reader.close()

    asyncio.run(read())
    assert connections == [0, 2000, 4000, 8000, 16_000, 32_000, 48_000, 64_000]


def test_an_attempt_that_hangs_costs_no_read_more_than_its_limit():
    """The address accepts and says nothing, not even what TLS needs: the attempt goes on beside the reads."""

    async def read() -> float:
        async with serving(silent) as port:
            server = UpsdClient("127.0.0.1", port, ("monitor", "x"))
            reader = Ups(RealClock(), 10_000, 2000, server, ["sai"])
            began = time.monotonic()
            for _ in range(2):
                assert dict((await reader.read())[0][2])["server_lost"] == 1
            took = time.monotonic() - began
            assert reader._joining.under_way()
            await reader.close()
            assert not reader._joining.under_way()
            return took

    assert asyncio.run(read()) < 2 * (ups.LIMIT_MS / 1000) + 1
