"""The agent's own reader of UPSes on the simulated upsd."""

from __future__ import annotations

import asyncio
import time

import pytest

from simulators.instruments.base import Intervals
from simulators.instruments.ups import UpsReader
from simulators.protocols.place_source import PlaceUps
from simulators.protocols.ups_source import KnobUps
from simulators.protocols.upsd import Server, Upsd
from simulators.world.line_interactive import Model
from tests.readers.standin import ups_reader
from tests.world.test_place import AREA, Story, event

QUICK = Model(status_ms=50, values_ms=100, return_ms=50)


async def until(reader, name="sai", **wanted):
    deadline = time.monotonic() + 20
    while True:
        fields = {row[1]: dict(row[2]) for row in await reader.read()}[name]
        if all(fields.get(key) == value for key, value in wanted.items()):
            return fields
        assert time.monotonic() < deadline, fields
        await asyncio.sleep(0.02)


def test_the_agent_follows_mains_contact_and_server():
    sai = KnobUps(model=QUICK)

    async def main():
        async with Upsd({"sai": sai, "otro": KnobUps("otro", model=QUICK)}) as upsd:
            reader = ups_reader(upsd.port)
            try:
                fields = await until(reader, ol=1, ob=0, input_voltage=127.0)
                assert fields["bad_values"] == 0
                sai.turn("input.voltage", "0")
                await until(reader, ol=0, ob=1, dischrg=1)
                sai.turn("battery.charge", "10")
                await until(reader, lb=1)
                for contact, field in (
                    ("stale", "data_stale"),
                    ("driver", "driver_lost"),
                    ("unknown", "unknown_ups"),
                ):
                    sai.turn("contact", contact)
                    await until(reader, ob=1, **{field: 1})
                sai.turn("contact", "ok")
                await until(reader, data_stale=0, driver_lost=0, unknown_ups=0)
                await until(reader, "otro", ol=1)
                await upsd.become(Server.MUTE)
                await until(reader, server_lost=1)
                await upsd.become(Server.UP)
                await until(reader, server_lost=0)
                await upsd.become(Server.DOWN)
                await until(reader, server_lost=1)
            finally:
                await reader.close()

    asyncio.run(main())


@pytest.mark.parametrize("second", [50, 103, 131, 160, 400, 703, 705, 900])
def test_over_the_protocol_the_agent_sees_what_the_simulated_reader_says(second):
    """Mains gone from 100 s to 700 s: the same row, by NUT's text and by the world's own reader."""
    story = Story(event(100, 600, "mains_off", AREA))
    clock = [story.zero_ms]
    [part] = story.place.site.ups
    router = story.place.machines["router"].part
    direct = UpsReader(story.place, router, Intervals(), lambda: clock[0], part)
    source = PlaceUps(story.place, part, lambda: clock[0])
    clock[0] += 1000 * second

    async def main():
        async with Upsd({part.id: source}) as upsd:
            reader = ups_reader(upsd.port)
            try:
                [(_, _, heard)] = await reader.read()
            finally:
                await reader.close()
        [(_, _, expected)] = await direct.read()
        return dict(heard), dict(expected)

    heard, expected = asyncio.run(main())
    ages = {name for name in expected | heard if name.startswith("age_")}
    assert {name: value for name, value in heard.items() if name not in ages} == {
        name: value for name, value in expected.items() if name not in ages
    }


def test_a_lost_usb_contact_makes_the_data_stale_after_upsds_patience():
    story = Story(event(100, 600, "ups_contact_lost"), event(200, 400, "mains_off", AREA))
    clock = [story.zero_ms]
    [part] = story.place.site.ups
    source = PlaceUps(story.place, part, lambda: clock[0])
    seen = []
    for second in (90, 105, 114, 117, 300, 699, 701):
        clock[0] = story.zero_ms + 1000 * second
        seen.append((source.condition().value, source.variables()["ups.status"]))
    assert [condition for condition, _ in seen] == ["ok", "ok", "ok", "ok", "stale", "stale", "ok"]
    assert [status for _, status in seen[:6]] == ["OL"] * 6  # what it last heard
