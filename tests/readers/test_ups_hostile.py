"""A server that talks nonsense, too much, or not at all costs its own data only, within the time limit."""

from __future__ import annotations

import asyncio
import time

import pytest

from agent.errors import ReaderError
from agent.readers import ups
from tests.readers.standin import script, serving, ups_reader


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
