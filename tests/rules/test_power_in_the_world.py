"""The conditions of power on what instruments read in the simulated world: where true, not elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.model import Arrival, Change, Readings
from collector.rules import catalogue, engine
from collector.rules.site import DeviceFacts, SiteFacts
from simulators.instruments.base import Intervals
from simulators.instruments.meters import MeterReader, TamperReader
from simulators.instruments.ups import UpsReader
from simulators.scenario import load
from simulators.truth import notices
from simulators.world import happenings
from simulators.world.place import Place

if TYPE_CHECKING:
    from collector.rules.board import Memory

SITE = SiteFacts("casa", devices=(DeviceFacts("router", feed="ups:rack"),))
LIMITS = catalogue.resolve()
BUILT = """\
[scenario]
name = "one building"
seed = {seed}
start = "2026-03-02T08:00:00-06:00"
warmup_s = 0
duration_s = {lasts}
[world]
usb_drops = 0
[[circuit]]
id = "feeder"
[[provider]]
id = "cable"
[[site]]
id = "casa"
circuit = "feeder"
provider = "cable"
service = "2f3h"
[[site.ups]]
id = "rack"
[[site.device]]
id = "router"
kind = "router"
feed = "ups:rack"
[[site.meter]]
leg = 1
[[site.meter]]
leg = 2
place = "outdoor"
"""
EVENT = """\
[[event]]
at_s = 600
for_s = {lasts}
kind = "{kind}"
scope = {{ site = "casa" }}
{more}
"""
SAMPLE_S = 10


def said(lasts: int, event: str = "", seed: int = 1) -> list[str]:
    """Which conditions are raised in so many seconds, in their order, by samples every 10 s."""
    scenario = load.parse(BUILT.format(lasts=lasts, seed=seed) + event)
    start_ms = happenings.start_ms(scenario)
    place = Place(scenario.site[0], scenario.world, seed, happenings.of_scenario(scenario), start_ms)
    part, ups = scenario.site[0].device[0], scenario.site[0].ups[0]
    at = place, part, Intervals(), lambda: place.t_ms
    readers = [MeterReader(*at), TamperReader(*at), UpsReader(*at, ups)]
    state: Memory = {}
    found: list[str] = []
    for now in range(start_ms, start_ms + lasts * 1000, SAMPLE_S * 1000):
        place.advance(now)
        rows = [
            Readings(part.id, now, measurement, instance, dict(fields))
            for reader in readers
            for measurement, instance, fields in reader.rows(now)
        ]
        state, changes = engine.step(state, SITE, [Arrival(part.id, now), *rows], now, LIMITS)
        found += [change.condition for change in changes if change.change == Change.RAISED]
    return found


CASES = [
    ("undervoltage", 600, "", {"undervoltage"}),
    ("overvoltage", 600, "", {"overvoltage"}),
    ("swell", 600, "pu = 1.2", {"voltage_hazard", "on_battery"}),
    ("frequency", 600, "", {"frequency"}),
    ("overload", 600, "", {"overload"}),
    ("tamper_open", 60, "", {"tamper"}),
    ("breaker_trip", 600, "leg = 2", {"circuit_dead"}),
    ("open_neutral", 900, "", {"open_neutral"}),
    ("bad_connection", 14_400, "leg = 1\nohm = 2.0", {"bad_connection"}),
    ("mains_flapping", 1200, "period_s = 120", {"repeated_transfers", "supply_lost"}),
]


@pytest.mark.parametrize(("kind", "lasts", "more", "expected"), CASES, ids=[case[0] for case in CASES])
def test_what_happens_is_said_and_nothing_that_does_not(kind, lasts, more, expected):
    found = set(said(lasts + 1200, EVENT.format(lasts=lasts, kind=kind, more=more)))
    assert expected <= found
    line = {"on_battery", "supply_lost", "battery_low"}  # judged as outages, by what they are
    untrue = {name for name in found - line if kind not in notices.EVENTS[name]}
    assert untrue == set()


def test_a_day_without_events_says_nothing():
    assert said(24 * 3600, seed=7) == []
