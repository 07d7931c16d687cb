"""What happens to the world, found by what it acts on. Times are milliseconds since 1970 UTC.

Events hold on [start_ms, end_ms). What holds of several at once is the table's (`simulators.scenario.kinds`):
facts by OR, per-unit factors by product, any other quantity from the one that began last.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from simulators.scenario import checks
from simulators.scenario.kinds import KINDS, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simulators.scenario.model import Scenario, ScopePart, SitePart

UNSEEN: Final = ("closed_building", "planned_work")  # no reading turns by these
EARTH_M: Final = 6_371_000.0
NEVER: Final = 1 << 62
FACTORS: Final = ("sag", "swell", "undervoltage", "overvoltage")  # all multiply the voltage


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of the world. ``number`` is its place in the file, from 0."""

    kind: str
    scope: ScopePart
    start_ms: int
    end_ms: int = NEVER
    parameters: dict[str, float] = field(default_factory=dict)
    planned: bool = False
    number: int = 0

    def holds(self, t_ms: int) -> bool:
        """Tell whether it holds at a time."""
        return self.start_ms <= t_ms < self.end_ms

    def value(self, name: str) -> float:
        """Return a parameter, or its default."""
        limits = KINDS[self.kind].parameters[name]
        return self.parameters.get(name, limits.default if limits.default is not None else 0.0)

    def off(self, t_ms: int) -> bool:
        """Tell whether a flapping supply is in the off part of its period; else whether it holds."""
        if not self.holds(t_ms):
            return False
        if self.kind != "mains_flapping":
            return True
        period_ms = self.value("period_s") * 1000.0
        return (t_ms - self.start_ms) % period_ms < self.value("duty") * period_ms

    def edges(self, after_ms: int) -> Iterator[int]:
        """Give its next edges after a time: begin, end, and those of a flapping supply."""
        if after_ms < self.start_ms:
            yield self.start_ms
        elif after_ms < self.end_ms:
            if self.kind == "mains_flapping":
                period_ms = self.value("period_s") * 1000.0
                turn_ms, done = self.value("duty") * period_ms, (after_ms - self.start_ms) // period_ms
                for ahead in (done * period_ms + turn_ms, (done + 1) * period_ms):
                    at_ms = self.start_ms + math.ceil(ahead)
                    if after_ms < at_ms < self.end_ms:
                        yield at_ms
            if self.end_ms < NEVER:
                yield self.end_ms


class Schedule:
    """All events, past and to come; some may be added while the world runs."""

    def __init__(self, happenings: Iterable[Happening] = ()) -> None:
        self._all = list(happenings)
        self.version = 0

    def add(self, happening: Happening) -> int:
        """Add an event; the number returned ends it."""
        self._all.append(happening)
        self.version += 1
        return len(self._all) - 1

    def end(self, number: int, at_ms: int) -> None:
        """Let an event end at a time."""
        self._all[number] = replace(self._all[number], end_ms=at_ms)
        self.version += 1

    def of_site(self, site: SitePart) -> list[Happening]:
        """Return the events that act on a site or on devices of it, by any scope."""
        return [one for one in self._all if covers(one.scope, site)]

    def of_centre(self) -> list[Happening]:
        """Return the events of the centre."""
        return [one for one in self._all if checks.scope_of(one.scope) is Scope.CENTRE]


class View:
    """The events that act on one site, asked by kind."""

    def __init__(self, schedule: Schedule, site: SitePart | None) -> None:
        self.schedule = schedule
        self._site = site
        self._version = -1
        self._by_kind: dict[str, list[Happening]] = {}

    @property
    def version(self) -> int:
        """Return a number that changes with the events."""
        return self.schedule.version

    def holding(self, kind: str, t_ms: int, device: str | None = None) -> list[Happening]:
        """Return the events of a kind that hold, in the order in which they began.

        With ``device`` those alone that mean it: by its name, or by a scope that holds all of the site.
        """
        found = [one for one in self._kind(kind) if one.off(t_ms) and one.scope.device in {None, device}]
        return sorted(found, key=lambda one: (one.start_ms, one.number)) if len(found) > 1 else found

    def everywhere(self, kind: str, t_ms: int) -> list[Happening]:
        """Return the events of a kind that hold anywhere at the site, whichever device they mean."""
        return [one for one in self._kind(kind) if one.off(t_ms)]

    def holds(self, kind: str, t_ms: int, device: str | None = None) -> bool:
        """Tell whether an event of a kind holds."""
        return any(one.off(t_ms) and one.scope.device in {None, device} for one in self._kind(kind))

    def holding_any(self, t_ms: int) -> bool:
        """Tell whether any event holds that something could be seen of."""
        self._refresh()
        every = (one for kind, found in self._by_kind.items() if kind not in UNSEEN for one in found)
        return any(one.holds(t_ms) for one in every)

    def last(self, kind: str, t_ms: int, device: str | None = None) -> Happening | None:
        """Return the event of a kind that began last of those that hold."""
        found = self.holding(kind, t_ms, device)
        return found[-1] if found else None

    def factor(self, t_ms: int) -> float:
        """Return by how much the voltage is multiplied."""
        product = 1.0
        for kind in FACTORS:
            for one in self._kind(kind):
                if one.holds(t_ms):
                    product *= one.value("pu")
        return product

    def next_edge(self, after_ms: int) -> int:
        """Return the next time at which an event of this site begins, ends or flaps."""
        self._refresh()
        edges = [edge for found in self._by_kind.values() for one in found for edge in one.edges(after_ms)]
        return min(edges, default=NEVER)

    def _kind(self, kind: str) -> list[Happening]:
        self._refresh()
        return self._by_kind.get(kind, [])

    def _refresh(self) -> None:
        if self._version == self.schedule.version:
            return
        self._by_kind = {}
        found = self.schedule.of_centre() if self._site is None else self.schedule.of_site(self._site)
        for one in found:
            self._by_kind.setdefault(one.kind, []).append(one)
        self._version = self.schedule.version


def of_scenario(scenario: Scenario, *, without: frozenset[int] = frozenset()) -> Schedule:
    """Return a scenario's events in absolute time, without those whose numbers are given."""
    zero_ms = start_ms(scenario) + round(scenario.scenario.warmup_s * 1000)
    found = []
    for number, event in enumerate(scenario.event):
        if number not in without:
            begin_s, end_s = checks.interval(event, scenario)
            found.append(
                Happening(
                    event.kind,
                    event.scope,
                    zero_ms + round(begin_s * 1000),
                    zero_ms + round(end_s * 1000),
                    event.parameters,
                    event.planned,
                    number,
                )
            )
    return Schedule(found)


def start_ms(scenario: Scenario) -> int:
    """Return when a scenario's warm-up begins."""
    return round(scenario.scenario.start.timestamp() * 1000)


def covers(scope: ScopePart, site: SitePart) -> bool:
    """Tell whether a scope means a site, or a device of it; the centre's means none."""
    what = checks.scope_of(scope)
    if what is Scope.CIRCLE:
        return _distance_m(scope, site) <= (scope.radius_m or 0.0)
    if what is Scope.DEVICE:
        return any(scope.device == device.id for device in site.device)
    if what is Scope.SITE:
        return scope.site == site.id
    if what is Scope.CIRCUIT:
        return scope.circuit == site.circuit
    return what is Scope.PROVIDER and scope.provider == site.provider


def _distance_m(scope: ScopePart, site: SitePart) -> float:
    """Metres along the great circle (haversine)."""
    if scope.lat is None or scope.lon is None or site.lat is None or site.lon is None:
        return math.inf
    lat, other = math.radians(scope.lat), math.radians(site.lat)
    half = math.radians(site.lon - scope.lon) / 2.0
    chord = math.sin((other - lat) / 2.0) ** 2 + math.cos(lat) * math.cos(other) * math.sin(half) ** 2
    return 2.0 * EARTH_M * math.asin(math.sqrt(chord))
