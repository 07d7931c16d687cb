"""Places together, on one schedule of events that grows while they live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.scenario.model import Constants, ScopePart
from simulators.world.happenings import Happening, Schedule
from simulators.world.place import Place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulators.scenario.model import SitePart


class World:
    """Places by site id. ``seed`` fixes everything that looks like chance."""

    def __init__(
        self, sites: Iterable[SitePart], *, seed: int, start_ms: int, constants: Constants | None = None
    ) -> None:
        constants = constants or Constants()
        self._schedule = Schedule()
        self._places = {site.id: Place(site, constants, seed, self._schedule, start_ms) for site in sites}

    def __getitem__(self, site: str) -> Place:
        """Return a place by its site id."""
        return self._places[site]

    def begin(self, kind: str, site: str, t_ms: int, **parameters: float) -> int:
        """Let something begin at a site; the number returned ends it."""
        return self._schedule.add(Happening(kind, ScopePart(site=site), t_ms, parameters=parameters))

    def end(self, number: int, t_ms: int) -> None:
        """Let it end."""
        self._schedule.end(number, t_ms)
