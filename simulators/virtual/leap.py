"""Time that is left out at a place where nothing turns, in quiet days and in the middle of an outage.

Agents doze: their waits do not notice the time that passes, so that each goes on where it was, with the
same phase (whole frames are left out). Meanwhile, now and then:

- who is heard hands what he reads to the rules, past spool and reception;
- who is not heard (or whose centre is deaf) seals one frame with it, and his own spool keeps that for later.

It needs that nothing turned for a while, that nothing turns soon, and that the rules have made up their mind:
everybody whom they take for live is heard, everybody else silent, and no condition rises or falls.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from simulators.world import noise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.virtual.carrier import Broker
    from simulators.virtual.centre import Centre
    from simulators.virtual.loop import VirtualTime
    from simulators.virtual.resident import Resident
    from simulators.world.happenings import View
    from simulators.world.place import Place

LEAD_S: Final = 60.0  # before anything turns everything runs as it does in truth
SPREAD_S: Final = 30.0  # and up to so much more: places do not wake in step
CALM_S: Final = 90.0  # what turned last has been sampled, sent and judged
FRAME_S: Final = 30.0  # leaps are whole frames
WORTH_S: Final = 60.0  # a shorter leap costs more than it saves
QUIET_S: Final = 900.0  # a step where all is well
TROUBLED_S: Final = 60.0  # where somebody is heard and all is not well: it is about to tell how it goes on
SILENT_S: Final = 300.0
TOLD_S: Final = 3600.0  # so often at least a place where all is well says so
MOST_LOSS: Final = 0.3  # above that it is chance who is heard


class Leaper:
    """What is left out at one place."""

    def __init__(
        self,
        place: Place,
        residents: Sequence[Resident],
        centre: Centre,
        centre_view: View,
        broker: Broker,
        time: VirtualTime,
    ) -> None:
        self._place = place
        self._residents = residents
        self._centre = centre
        self._centre_view = centre_view
        self._broker = broker
        self._time = time
        self._lead_s = LEAD_S + SPREAD_S * noise.uniform(0, place.site.id, "lead")

    async def leap(self) -> None:
        """Leave out what can be left out from now on: nothing, or up to the next thing that turns."""
        step_s = self._step_s()
        if step_s < FRAME_S or self._free_s() <= WORTH_S:
            return
        for one in self._residents:
            one.doze(heard=self._heard(one))
        site = self._place.site.id
        alone = not any(self._heard(one) for one in self._residents)
        (self._centre.lulled if alone else self._centre.paused).add(site)
        told_s = self._time.now_s
        while step_s >= FRAME_S:
            await asyncio.sleep(step_s)
            self._place.advance(self._time.now_ms())
            step_s = self._step_s()
            if step_s < FRAME_S or not self._well() or self._time.now_s - told_s >= TOLD_S:
                told_s = self._time.now_s
                await self._tell()
        self._centre.paused.discard(site)
        self._centre.lulled.discard(site)
        for one in self._residents:
            one.wake()

    async def _tell(self) -> None:
        """Let the rules, or the spools, have what is read now."""
        told = []
        for one in self._residents:
            if self._heard(one):
                told += await one.glance()
            else:
                await one.keep()
        if told:
            self._centre.observe(self._place.site.id, told)

    def _step_s(self) -> float:
        """Return how long time may be left out now, in whole frames; 0: not at all."""
        if not self._rests():
            return 0.0
        longest_s = QUIET_S if self._well() else TROUBLED_S
        if not any(self._heard(one) for one in self._residents):
            longest_s = SILENT_S
        return min(longest_s, self._free_s()) // FRAME_S * FRAME_S

    def _rests(self) -> bool:
        """Tell whether nothing turns at the place, nor did lately, nor is undecided."""
        now, place = self._time.now_ms(), self._place
        # the view, not the centre: at an edge its own turn may come after this
        lately_ms = now - round(CALM_S * 1000.0)
        turned = place.turned_ms > lately_ms or self._centre_view.next_edge(lately_ms) <= now
        if turned or self._time.now_s < CALM_S or not place.steady():
            return False
        if any(place.way(one.part.id).loss > MOST_LOSS for one in self._residents):
            return False
        if self._centre.deaf:
            return True  # whatever the rules think, they get no further
        heard = frozenset(one.part.id for one in self._residents if self._heard(one))
        return self._centre.live(place.site.id, now - round(CALM_S * 500.0)) == heard

    def _well(self) -> bool:
        place, now = self._place, self._time.now_ms()
        return place.calm() and not place.view.holding_any(now) and not self._centre_view.holding_any(now)

    def _heard(self, one: Resident) -> bool:
        """Tell whether what an agent says arrives at rules that listen."""
        arrives = self._place.way(one.part.id).up and self._broker.up and self._broker.reachable
        return arrives and one.running and not self._centre.deaf

    def _free_s(self) -> float:
        """Return how long it is until the place has to be awake."""
        now = self._time.now_ms()
        turn_ms = min(self._place.next_change_ms(), self._centre_view.next_edge(now))
        return (turn_ms - now) / 1000.0 - self._lead_s
