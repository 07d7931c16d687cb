"""A simulated device's clock: what it says against answers computed by hand, and what it leaves out."""

from __future__ import annotations

import asyncio

import pytest

from simulators.scenario import load
from simulators.virtual import loop
from simulators.virtual.clock import DeviceClock
from simulators.world import happenings
from simulators.world.place import Place

BUILT = """\
[scenario]
name = "a clock"
start = "2026-03-02T10:00:00-06:00"
warmup_s = 0
duration_s = 40000
[world]
clock_drift_ppm = {ppm}
ntp_s = 15
[[provider]]
id = "cable"
[[site]]
id = "library"
provider = "cable"
[[site.device]]
id = "router"
kind = "router"
[[event]]
at_s = 100
for_s = 36000
kind = "backhaul_down"
scope = {{ provider = "cable" }}
"""


def clock(ppm: float) -> tuple[loop.VirtualTime, Place, DeviceClock]:
    scenario = load.parse(BUILT.format(ppm=ppm))
    start_ms = happenings.start_ms(scenario)
    time = loop.VirtualTime(start_ms)
    site = scenario.site[0]
    place = Place(site, scenario.world, 1, happenings.of_scenario(scenario), start_ms)
    return time, place, DeviceClock(time, place, site.device[0], scenario.world, start_ms - 20_000, 1)


def error_ms(time: loop.VirtualTime, place: Place, own: DeviceClock, at_s: float) -> int | None:
    time.now_s = at_s
    place.advance(time.now_ms())
    wall_ms = own.wall_ms()
    return None if wall_ms is None else wall_ms - time.now_ms()


@pytest.mark.parametrize(("ppm", "hour_ms"), [(20.0, 72), (-50.0, -180), (0.0, 0)])
def test_without_a_way_out_a_clock_drifts_until_it_is_set_again(ppm: float, hour_ms: int) -> None:
    parts = clock(ppm)

    assert error_ms(*parts, 14) is None  # not set yet
    assert error_ms(*parts, 99) == 0
    # from 100 s on: 3,600 s at 20 millionths are 72 ms
    assert error_ms(*parts, 100 + 3_600) == hour_ms
    assert error_ms(*parts, 100 + 36_000 + 14) == pytest.approx(10 * hour_ms, abs=1)
    assert error_ms(*parts, 100 + 36_000 + 16) == 0


def test_no_wait_notices_the_time_in_which_a_device_dozes() -> None:
    time, _, own = clock(20.0)
    ended: list[tuple[int, float]] = []

    async def wait(number: int, seconds: int) -> None:
        await own.sleep_ms(seconds * 1000)
        ended.append((number, time.now_s))

    async def live() -> None:
        waits = [asyncio.create_task(wait(number, number)) for number in (5, 20, 500)]
        await asyncio.sleep(10)
        own.doze()
        await asyncio.sleep(300)
        own.wake()
        await asyncio.gather(*waits)

    loop.run(time, live())

    assert ended == [(5, 5.0), (20, 320.0), (500, 800.0)]
    assert own.uptime_ms() == 820_000
