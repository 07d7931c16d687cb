"""Which event made an outage: the one without which it vanishes, found by walking the place again.

An event is a cause when its removal takes more than half of the outage away. If none is (each of several
suffices), those are whose lone presence makes at least half of it; failing that, the one that makes most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.scenario import checks
from simulators.truth.blame import RIGHT
from simulators.truth.spans import overlap
from simulators.truth.walk import walk
from simulators.world.happenings import covers

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.scenario.model import Scenario, SitePart
    from simulators.truth.spans import Span, Spans
    from simulators.truth.walk import Walk

_BACK_S: Final = 86_400.0  # a battery forgets an outage within a day
ESSENTIAL: Final = 0.5


class Inquiry:
    """Questions about one site; every walk is done once."""

    def __init__(self, scenario: Scenario, site: SitePart, zero_ms: int) -> None:
        self._scenario = scenario
        self._site = site
        self._zero_ms = zero_ms
        self._walks: dict[frozenset[int], Walk] = {}
        self.numbers = frozenset(
            number
            for number, event in enumerate(scenario.event)
            if event.kind in RIGHT and covers(event.scope, site)
        )

    def walked(self, numbers: frozenset[int]) -> Walk:
        """Return the walk with these events."""
        if numbers not in self._walks:
            self._walks[numbers] = walk(self._scenario, self._site, numbers)
        return self._walks[numbers]

    def causes(self, outage: Span, ask: Callable[[Walk], Spans]) -> list[int]:
        """Return the numbers of the events that made an outage, the one that began first in front."""
        near = self._near(outage)
        if len(near) < 2:  # noqa: PLR2004 - nobody else can be it
            return sorted(near)
        left = {number: self._share(near - {number}, outage, ask) for number in near}
        found = [number for number in near if left[number] < ESSENTIAL]
        if not found:
            alone = {number: self._share(frozenset({number}), outage, ask) for number in near}
            found = [number for number in near if alone[number] >= ESSENTIAL]
            if not found and any(alone.values()):
                found = [max(sorted(near), key=alone.__getitem__)]
        return sorted(found, key=lambda number: (self._scenario.event[number].at_s, number))

    def _share(self, numbers: frozenset[int], outage: Span, ask: Callable[[Walk], Spans]) -> float:
        """Return which share of an outage is there with these events alone."""
        return overlap(ask(self.walked(numbers)), outage) / (outage[1] - outage[0])

    def _near(self, outage: Span) -> frozenset[int]:
        """Return the events that may have had a part: begun before its end, not over for too long."""
        start_s, end_s = ((t_ms - self._zero_ms) / 1000.0 for t_ms in outage)
        found = set()
        for number in self.numbers:
            begins_s, ends_s = checks.interval(self._scenario.event[number], self._scenario)
            if begins_s < end_s and ends_s > start_s - _BACK_S:
                found.add(number)
        return frozenset(found)
