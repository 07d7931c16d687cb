"""What happens to the world: events that hold on [at_ms, until_ms) within a scope.

Booleans combine by OR, per-unit factors multiply. An event without ``until_ms`` holds until it is ended.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Kind(StrEnum):
    """Kinds of events; scenario files use these names."""

    MAINS_OFF = "mains_off"
    SAG = "sag"  # pu: factor on the voltage
    SWELL = "swell"  # pu: factor on the voltage
    BACKHAUL_DOWN = "backhaul_down"
    UPS_BATTERY_WORN = "ups_battery_worn"  # the UPS asks for a new battery


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an event acts: whatever is given must match; all None means everywhere."""

    site: str | None = None
    circuit: str | None = None
    provider: str | None = None

    def covers(self, site: str, circuit: str | None, provider: str | None) -> bool:
        """Tell whether a facility with these ties is within the scope."""
        pairs = ((self.site, site), (self.circuit, circuit), (self.provider, provider))
        return all(mine is None or mine == its for mine, its in pairs)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens."""

    kind: Kind
    scope: Scope
    at_ms: int
    until_ms: int | None = None
    pu: float = 1.0

    def holds(self, t_ms: int) -> bool:
        """Tell whether it holds at a time."""
        return self.at_ms <= t_ms and (self.until_ms is None or t_ms < self.until_ms)


class Schedule:
    """All events, past and to come."""

    def __init__(self, events: tuple[Event, ...] = ()) -> None:
        self._events: dict[int, Event] = dict(enumerate(events))

    def add(self, event: Event) -> int:
        """Add an event; the number returned ends it."""
        number = len(self._events)
        self._events[number] = event
        return number

    def end(self, number: int, at_ms: int) -> None:
        """Let an event end at a time."""
        self._events[number] = replace(self._events[number], until_ms=at_ms)

    def seen_by(self, site: str, circuit: str | None, provider: str | None) -> tuple[Event, ...]:
        """All events that cover a facility."""
        return tuple(event for event in self._events.values() if event.scope.covers(site, circuit, provider))
