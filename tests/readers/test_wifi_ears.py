"""Neighbours that are heard: scans that are rare and configured, names instead of addresses."""

from __future__ import annotations

import asyncio

import pytest

from agent.errors import ReaderError
from agent.readers.wifi import Wifi
from agent.readers.wifi_day import Day
from agent.readers.wifi_ears import Ears
from tests.cases.runner import Nowhere
from tests.cases.still import Clock

NEAR, FAR, STRANGER = b"\x02\x11\x32\xa0\x00\x01", b"\x02\x11\x32\xa0\x00\x02", b"\x02\x99\x00\x00\x00\x03"
NEIGHBOURS = {"mx-002": ["02:11:32:A0:00:01", "06:11:32:a0:00:01"], "azotea": ["02:11:32:a0:00:02"]}
HEARD = [(NEAR, -61, 2437), (STRANGER, -80, 2412)]


class Scanned:
    """A source whose scans a test writes down beforehand."""

    def __init__(self, *results: object) -> None:
        self.results = list(results)
        self.scans: list[str] = []
        self.gate: asyncio.Event | None = None

    async def find(self) -> list[str]:
        return ["phy0-ap0", "phy0-ap1", "phy1-ap0"]

    async def look(self, name, crowd, *, closely):
        return {"up": 1}

    async def scan(self, name):
        self.scans.append(name)
        if self.gate is not None:
            await self.gate.wait()
        result = self.results.pop(0) if self.results else []
        if isinstance(result, Exception):
            raise result
        return result

    async def close(self):
        pass


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def readings(source: Scanned, count: int, scan_s: int | None = 600, radios=("phy0-ap0",)):
    """Return what each of ``count`` scans told."""
    clock = Clock()
    ears = Ears(clock, source, NEIGHBOURS, scan_s)
    told = []
    for _ in range(count):
        clock.now_ms += 600_000
        ears.take(list(radios))
        await settle()
        clock.now_ms += 10_000
        told.append(ears.take([]))
    await ears.close()
    return told


def test_a_neighbour_goes_by_its_name_and_a_stranger_is_a_number():
    [(rows, total)] = asyncio.run(readings(Scanned(HEARD), 1))
    assert rows == [("wifi_neighbour", "mx-002", {"heard": 1, "signal": -61.0, "frequency": 2437})]
    assert total == {"networks_heard": 2, "scan_failures": 0}


def test_one_missed_scan_is_chance_and_two_are_news():
    told = asyncio.run(readings(Scanned(HEARD, HEARD, [*HEARD, (FAR, -90, None)], HEARD), 4))
    roof = [{name: fields for _, name, fields in rows}.get("azotea") for rows, _ in told]
    assert roof == [None, {"heard": 0}, {"heard": 1, "signal": -90.0}, None]


def test_the_strongest_counts():
    other = b"\x06\x11\x32\xa0\x00\x01"
    [(rows, _)] = asyncio.run(
        readings(Scanned([(other, -50, 5180), (NEAR, -61, 2437), (other, -70, 5180)]), 1)
    )
    assert rows[0][2] == {"heard": 1, "signal": -50.0, "frequency": 5180}


@pytest.mark.parametrize("failure", [[], ReaderError("command_failed"), ValueError("bug")])
def test_who_cannot_listen_does_not_say_that_nobody_is_there(failure):
    told = asyncio.run(readings(Scanned(failure, failure, failure), 3))
    assert told == [([], {"scan_failures": 1})] * 3


def test_a_deaf_radio_keeps_the_others_from_judging_absence():
    both = ("phy0-ap0", "phy1-ap0")
    told = asyncio.run(readings(Scanned(HEARD, [], HEARD, [], HEARD, []), 3, radios=both))
    assert [[name for _, name, _ in rows] for rows, _ in told] == [["mx-002"]] * 3


def test_without_configuration_nobody_scans():
    source = Scanned(HEARD)
    assert asyncio.run(readings(source, 5, scan_s=None)) == [([], {})] * 5
    assert source.scans == []


def test_scans_are_as_rare_as_configured_and_never_two_at_once():
    async def work() -> tuple[int, int]:
        clock, source = Clock(), Scanned()
        ears = Ears(clock, source, NEIGHBOURS, 600)
        for _ in range(360):  # an hour of samples
            clock.now_ms += 10_000
            ears.take(["phy0-ap0"])
            await settle()
        rare = len(source.scans)
        source.gate = asyncio.Event()
        for _ in range(360):
            clock.now_ms += 10_000
            ears.take(["phy0-ap0"])
            await settle()
        hung = len(source.scans) - rare
        await ears.close()
        return rare, hung

    assert asyncio.run(work()) == (6, 1)


def test_each_radio_listens_once_and_rows_bear_no_address():
    async def work():
        clock, source = Clock(), Scanned(HEARD, [(FAR, -70, 5180)])
        day = Day(clock, -6, Nowhere())
        made = Wifi(clock, 10_000, source, day, {"neighbours": NEIGHBOURS, "scan_s": 600})
        rows = []
        for _ in range(9):
            rows += await made.read()
            clock.now_ms += 10_000
            await settle()
        await made.close()
        return source.scans, rows

    scans, rows = asyncio.run(work())
    assert scans == ["phy0-ap0", "phy1-ap0"]
    assert {row[1] for row in rows if row[0] == "wifi_neighbour"} == {"mx-002", "azotea"}
    text = repr(rows).lower().replace(":", "").replace("-", "")
    for address in (NEAR, FAR, STRANGER):
        assert address.hex() not in text
        assert repr(address)[2:-1] not in repr(rows)
