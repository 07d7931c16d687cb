"""A scenario in virtual time, from its file's parts to what the rules said."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from simulators.virtual import loop, record
from simulators.virtual.carrier import Broker
from simulators.virtual.centre import Centre
from simulators.virtual.leap import Leaper
from simulators.virtual.resident import Resident
from simulators.world import happenings
from simulators.world.happenings import NEVER, View
from simulators.world.place import Place

if TYPE_CHECKING:
    from simulators.scenario.model import Scenario
    from simulators.virtual.centre import Listener
    from simulators.virtual.record import Record

_LONG_S = 3600.0
LOOK_MS = 30_000  # so often at least, whether time may be left out


def run(scenario: Scenario, *, leaps: bool = True, listener: Listener | None = None) -> Record:
    """Return what was said in a scenario, its warm-up and settling included.

    ``listener`` is told everything that the rules are told.
    Without ``leaps`` nothing is left out: every sample is taken, sealed, spooled and received.
    """
    head = scenario.scenario
    start_ms = happenings.start_ms(scenario)
    zero_ms = start_ms + round(head.warmup_s * 1000)
    time = loop.VirtualTime(start_ms)
    with tempfile.TemporaryDirectory(prefix="vigia-virtual-") as folder:
        world = _World(scenario, time, Path(folder), leaps=leaps, listener=listener)
        loop.run(time, world.live(head.warmup_s + head.duration_s + head.settle_s))
        found = record.read(world.centre.engine, head.name, zero_ms, time.now_ms())
        found.frames = world.centre.post.acked
        world.centre.engine.dispose()
    return found


class _World:
    """Everything of one run."""

    def __init__(
        self,
        scenario: Scenario,
        time: loop.VirtualTime,
        folder: Path,
        *,
        leaps: bool,
        listener: Listener | None,
    ) -> None:
        self._leaps = leaps
        self._time = time
        self._scenario = scenario
        self._folder = folder
        schedule = happenings.of_scenario(scenario)
        self._centre_view = View(schedule, None)
        self.centre = Centre(scenario, time, folder, listener=listener, sparing=leaps)
        self._broker = Broker(time, self.centre.receive)
        self.centre.post.broker = self._broker
        seed, now = scenario.scenario.seed, time.now_ms()
        self._places = [Place(site, scenario.world, seed, schedule, now) for site in scenario.site]

    async def live(self, seconds: float) -> None:
        """Let so many seconds pass."""
        tasks = [asyncio.create_task(self._follow(place)) for place in self._places]
        tasks += [asyncio.create_task(self.centre.work()), asyncio.create_task(self._follow_centre())]
        ended = asyncio.create_task(asyncio.sleep(seconds))
        done, _ = await asyncio.wait([*tasks, ended], return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        for task in done:
            await task  # what failed is raised here
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, place: Place) -> None:
        """Let the agents of a place live as its machines do."""
        head, constants = self._scenario.scenario, self._scenario.world
        residents = [
            Resident(
                part, place, constants, self._time, self._broker, self._folder, head.seed, sparing=self._leaps
            )
            for part in place.site.device
            if part.has_agent
        ]
        leaper = Leaper(place, residents, self.centre, self._centre_view, self._broker, self._time)
        while True:
            place.advance(self._time.now_ms())
            for resident in residents:
                await resident.follow()
            self._broker.turn([resident.part.id for resident in residents])
            if self._leaps:
                await leaper.leap()
            await self._until(min(place.next_turn_ms(), self._time.now_ms() + LOOK_MS))

    async def _follow_centre(self) -> None:
        """Let the centre's own parts fall and rise."""
        while True:
            now, view, broker = self._time.now_ms(), self._centre_view, self._broker
            self.centre.store.up = not view.holds("store_down", now)
            hears = not view.holds("collector_down", now)
            if hears != self.centre.hears:
                self.centre.hears = hears
                broker.set_collector(online=hears)
            if view.holds("broker_down", now) == broker.up:
                if broker.up:
                    broker.fall()
                else:
                    broker.rise()
            self.centre.connected = broker.up
            broker.reachable = self.centre.outside = not view.holds("centre_uplink_down", now)
            broker.turn()
            await self._until(min(view.next_edge(now), now + round(_LONG_S * 1000), NEVER))

    async def _until(self, t_ms: int) -> None:
        await asyncio.sleep(max(0.001, (t_ms - self._time.now_ms()) / 1000.0))
