"""All facilities together, on one schedule of events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.world.events import Event, Kind, Schedule, Scope
from simulators.world.facility import Facility, FacilityPlan

if TYPE_CHECKING:
    from collections.abc import Iterable

TICK_MS = 500


class World:
    """Facilities by site id. ``seed`` fixes everything that looks like chance."""

    def __init__(
        self, plans: Iterable[FacilityPlan], *, seed: int, start_ms: int, tick_ms: int = TICK_MS
    ) -> None:
        self.schedule = Schedule()
        start_ms -= start_ms % tick_ms
        self._facilities = {
            plan.site: Facility(plan, self.schedule, seed, start_ms, tick_ms) for plan in plans
        }

    def __getitem__(self, site: str) -> Facility:
        """Return a facility by its site id."""
        return self._facilities[site]

    def begin(self, kind: Kind, site: str, t_ms: int, *, pu: float = 1.0) -> int:
        """Let something begin at a facility; the number returned ends it."""
        return self.schedule.add(Event(kind, Scope(site=site), t_ms, pu=pu))

    def end(self, number: int, t_ms: int) -> None:
        """Let it end."""
        self.schedule.end(number, t_ms)
