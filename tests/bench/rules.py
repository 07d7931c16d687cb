"""What the rules alone cost: ``python -m tests.bench.rules``.

A town of facilities, as they are drawn, with everything their instruments read: every device a frame of
three samples every 30 s. Each frame is a step of its site's rules; nothing is stored, sent or verified. After
each minute of the town's time the sites whose time has come are looked at, as the judge does. CPU seconds of
this process over the town's time give the share of one core for so many devices.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from random import Random
from typing import TYPE_CHECKING, Any, Final

from collector.model import Arrival, Born, Readings
from collector.rules import catalogue, engine
from collector.rules.reads import reads
from collector.rules.site import DeviceFacts, SiteFacts
from simulators.generate import town
from simulators.generate.draft import Draft
from simulators.instruments import readers_of
from simulators.instruments.base import Intervals
from simulators.scenario import load
from simulators.virtual.enrolment import uplink
from simulators.world.happenings import Schedule
from simulators.world.place import Place
from tests.bench.say import say

if TYPE_CHECKING:
    from collector.model import Observation
    from collector.rules.board import Memory
    from simulators.scenario.model import Scenario, SitePart

DEVICES: Final = 33_000
FRAME_S: Final = 30
SAMPLES_S: Final = (0, 10, 20)
START_MS: Final = 1_772_000_000_000


def drawn(sites: int, seed: int) -> Scenario:
    """Draw a town."""
    head = {"name": "bench", "seed": seed, "start": "2026-03-02T12:00:00-06:00", "duration_s": 3600}
    draft = Draft(Random(seed), head, {"circuit": False})  # noqa: S311 - chance that can be repeated
    town.settle(draft, sites)
    return load.parse(draft.text())


def facts(site: SitePart) -> SiteFacts:
    """Return what the registry tells of a site."""
    devices = tuple(
        DeviceFacts(part.id, part.kind, part.fed_by, site.way_out(part).fed_by, uplink(part, site))
        for part in site.device
        if part.has_agent
    )
    return SiteFacts(site.id, site.nominal_v, devices, site.kind)


class Town:
    """Places and their instruments; ``frame`` is what the rules are told of one."""

    def __init__(self, scenario: Scenario) -> None:
        self.now_ms = START_MS
        schedule = Schedule()
        self.sites: list[tuple[SiteFacts, list[tuple[str, list[Any]]]]] = []
        for site in scenario.site:
            place = Place(site, scenario.world, 1, schedule, START_MS)
            agents = [
                (part.id, readers_of(place, part, Intervals(), lambda: self.now_ms, lambda: 3_600_000))
                for part in site.device
                if part.has_agent
            ]
            self.sites.append((facts(site), agents))

    @property
    def devices(self) -> int:
        """How many devices speak."""
        return sum(len(agents) for _, agents in self.sites)

    async def frames(self, at_ms: int) -> list[tuple[SiteFacts, list[Observation]]]:
        """Return a frame of every device, with the rows of its three samples that the rules are given."""
        found = []
        for site, agents in self.sites:
            for device, readers in agents:
                told: list[Observation] = [Arrival(device, at_ms)]
                for late_s in SAMPLES_S:
                    self.now_ms = at_ms - (FRAME_S - late_s) * 1000
                    told += await _rows(device, readers, self.now_ms)
                found.append((site, told))
        return found


async def _rows(device: str, readers: list[Any], at_ms: int) -> list[Observation]:
    return [
        Readings(device, at_ms, measurement, instance, dict(fields))
        for reader in readers
        for measurement, instance, fields in await reader.read()
        if reads(measurement, instance)
    ]


def main() -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--sites", type=int, default=300)
    ask.add_argument("--minutes", type=int, default=10)
    ask.add_argument("--seed", type=int, default=1)
    given = ask.parse_args()
    there = Town(drawn(given.sites, given.seed))
    limits = catalogue.resolve()
    state: dict[str, Memory] = {}
    due: dict[str, int] = {}
    for site, agents in there.sites:
        births = [
            Born(device, START_MS, "k", {"intervals": {"frame": FRAME_S * 1000}}) for device, _ in agents
        ]
        state[site.id], _ = engine.step({}, site, births, START_MS, limits)
    spent = looked = steps = rows = said = 0.0
    for number in range(1, given.minutes * 60 // FRAME_S + 1):
        now_ms = START_MS + number * FRAME_S * 1000
        frames = asyncio.run(there.frames(now_ms))
        begun = time.process_time()
        for site, told in frames:
            state[site.id], changes = engine.step(state[site.id], site, told, now_ms, limits)
            due[site.id] = engine.next_look_ms(state[site.id], site, now_ms, limits)
            said += len(changes)
        spent += time.process_time() - begun
        steps += len(frames)
        rows += sum(len(told) for _, told in frames)
        begun = time.process_time()
        for site, _ in there.sites:
            if due[site.id] <= now_ms + FRAME_S * 1000:
                state[site.id], _ = engine.step(state[site.id], site, (), now_ms + 1000, limits)
        looked += time.process_time() - begun
    lasted_s = given.minutes * 60.0
    share = (spent + looked) / lasted_s * DEVICES / there.devices
    say(
        f"{there.devices} devices at {given.sites} sites, {given.minutes} min: "
        f"{rows / steps:.1f} observations and {1e6 * spent / steps:.0f} us a frame, "
        f"looks are {100 * looked / (spent + looked):.0f} % of it"
    )
    result = {
        "devices": DEVICES,
        "share_of_a_core": round(share, 3),
        "us_per_frame": round(1e6 * spent / steps),
    }
    say(json.dumps(result | {"transitions": int(said)}))


if __name__ == "__main__":
    main()
