"""The network information server of apcupsd: the real one, and hostile ones."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from agent.errors import ReaderError
from agent.readers import apcupsd, nis
from agent.readers.apcupsd import Apcupsd, Status, tokens
from agent.readers.nis_client import NisClient
from tests.readers.standin import RealClock, serving
from tests.servers.apcupsd import ON_LINE, ApcupsdServer

if TYPE_CHECKING:
    from agent.readers.port import Row


def reader_of(port: int) -> Apcupsd:
    return Apcupsd(RealClock(), 10_000, 2000, NisClient("127.0.0.1", port), 127)


async def until(reader: Apcupsd, timeout_s: float = 40.0, **wanted: int) -> dict[str, int | float | str]:
    deadline = time.monotonic() + timeout_s
    while True:
        measurement, name, fields = (await reader.read())[0]
        assert (measurement, name) == ("upsd", "biblioteca")
        if all(fields.get(key) == value for key, value in wanted.items()):
            return dict(fields)
        assert time.monotonic() < deadline, fields
        await asyncio.sleep(0.05)


@pytest.mark.server
def test_the_real_apcupsd_from_on_line_to_gone() -> None:
    server = ApcupsdServer()

    async def run() -> None:
        reader = reader_of(server.port)
        try:
            fields = await until(reader, ol=1)
            assert (fields["ob"], fields["input_voltage"], fields["load_percent"]) == (0, 124.5, 17.0)
            assert (fields["battery_runtime"], fields["bad_values"]) == (1890.0, 0)
            assert int(fields["age_input_ms"]) < 20_000
            server.say(STATFLAG="0x05000010", STATUS="ONBATT", LINEV="0.0 Volts", BCHARGE="97.0 Percent")
            fields = await until(reader, ob=1, input_voltage=0)  # apcupsd hears flags and numbers apart
            assert fields["ol"] == 0
            server.lose_ups()
            fields = await until(reader, data_stale=1)
            assert (fields["ob"], fields["server_lost"], "load_percent" in fields) == (1, 0, False)
            await asyncio.to_thread(server.stop_server)
            fields = await until(reader, server_lost=1)
            assert fields["ob"] == 1
        finally:
            await reader.close()

    try:
        server.start()
        asyncio.run(run())
    finally:
        server.stop()


def records(values: dict[str, str]) -> bytes:
    lines = [f"{key:<9}: {value}\n".encode() for key, value in values.items()]
    return b"".join(len(line).to_bytes(2, "big") + line for line in lines) + b"\0\0"


def answering(*answers: bytes):
    """Answer each ``status`` with the next of these, then close."""

    async def behave(reader, writer):
        for answer in answers:
            assert await reader.readexactly(8) == b"\x00\x06status"
            writer.write(answer)
            await writer.drain()

    return behave


async def read_times(behave, times: int = 1) -> list[dict[str, int | float | str]]:
    async with serving(behave) as port:
        reader = reader_of(port)
        try:
            return [dict((await reader.read())[0][2]) for _ in range(times)]
        finally:
            await reader.close()


def test_a_status_without_flags_is_garbage_and_keeps_what_was_known():
    without = records({key: value for key, value in ON_LINE.items() if key != "STATFLAG"})
    first, second = asyncio.run(read_times(answering(records(ON_LINE), without), 2))
    assert (first["ol"], first["server_lost"]) == (1, 0)
    assert (second["ol"], second["server_lost"]) == (1, 1)


async def silent(reader, writer):
    await reader.read()


async def endless(reader, writer):
    while True:
        writer.write(records(ON_LINE)[:-2] * 20)
        await writer.drain()


HOSTILE = [
    silent,
    endless,
    answering(b"\xff\xff" + b"x" * 70_000),
    answering(b"\x00\x05hello\x00\x00"),
    answering(b"\x00\x20STATFLAG : 0x"),
    answering(records(ON_LINE | {"STATFLAG": "ninguno"})),
    answering(b"\x00\x00"),
]


@pytest.mark.parametrize("behave", HOSTILE)
def test_a_hostile_server_is_an_error_within_the_limit(behave):
    began = time.monotonic()
    with pytest.raises(ReaderError) as caught:
        asyncio.run(read_times(behave))
    assert caught.value.reason in {"server_lost", "garbage", "timeout"}
    assert time.monotonic() - began < apcupsd.LIMIT_MS / 1000 + 1.5


def test_flags_come_from_the_bits_alone():
    assert tokens(0x05000008) == ["OL"]
    assert tokens(0x05000250) == ["OB", "LB", "FSD"]
    assert tokens(0x04000008 | 0x01) == ["CAL", "OL"]
    assert tokens(0x00000008) == ["OL", "NOBATT"]


def test_another_ups_in_its_place_starts_anew():
    other = ON_LINE | {"UPSNAME": "otro", "STATFLAG": "0x05000108"}

    async def run() -> list[Row]:
        async with serving(answering(records(ON_LINE), records(other))) as port:
            reader = reader_of(port)
            try:
                return [(await reader.read())[0] for _ in range(2)]
            finally:
                await reader.close()

    first, second = asyncio.run(run())
    assert (first[1], first[2]["ol"]) == ("biblioteca", 1)
    assert (second[1], second[2]["ol"], second[2]["data_stale"]) == ("otro", 0, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01 00:00:00 +0000", 0),
        ("2024-02-29 23:59:59 -0600  ", 1709272799),
        ("2026-03-01 00:00:00 +0530", 1772303400),
        ("Sat Mar 14 09:26:12 CST 2009", None),
        ("2026-03-14 09:26:53", None),
        ("2026-03-aa 09:26:53 +0000", None),
    ],
)
def test_times(text, expected):
    epoch = nis.seconds("1970-01-01 00:00:00 +0000")
    found = nis.seconds(text)
    assert epoch is not None
    assert (None if found is None else found - epoch) == expected


def test_units_other_than_the_known_are_not_read():
    status = Status()
    for key, value in {"LINEV": "124 Furlongs", "TIMELEFT": "2.0 Hours", "STATFLAG": "0x05000008"}.items():
        status.take(key, value)
    status.finish()
    assert status.heard.verdict(127)[0] == {"battery.runtime": 7200.0}
