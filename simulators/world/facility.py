"""One facility: its supply, a UPS if it has one, its router's counters, its people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulators.world import mains, people
from simulators.world.counters import Router
from simulators.world.events import Kind
from simulators.world.mains import Supply
from simulators.world.ups import Ups, UpsModel

if TYPE_CHECKING:
    from simulators.world.events import Event, Schedule


@dataclass(frozen=True, slots=True)
class FacilityPlan:
    """What a facility is made of."""

    site: str
    kind: str
    circuit: str | None = None
    provider: str | None = None
    supply: Supply = field(default_factory=Supply)
    ups: UpsModel | None = None


class Facility:
    """A facility at a time that only goes forward, in ticks of fixed length."""

    def __init__(
        self, plan: FacilityPlan, schedule: Schedule, seed: int, start_ms: int, tick_ms: int
    ) -> None:
        self.plan = plan
        self.router = Router.fresh()
        self._schedule = schedule
        self._seed = seed
        self._tick_ms = tick_ms
        self._t_ms = start_ms
        self.ups = Ups(plan.ups, start_ms, self.mains_v(start_ms)) if plan.ups else None

    def advance(self, t_ms: int) -> None:
        """Go forward to the last tick at or before a time."""
        events = self._events()
        while self._t_ms + self._tick_ms <= t_ms:
            self._t_ms += self._tick_ms
            self._step(self._t_ms, events)

    def mains_v(self, t_ms: int) -> float:
        """Volts at the connection."""
        return mains.voltage(self.plan.supply, self._seed, self.plan.site, t_ms, self._events())

    def powered(self, feed: str, t_ms: int) -> bool:
        """Tell whether something on this feed (``mains`` or ``ups:<id>``) has power."""
        if feed.startswith("ups:") and self.ups is not None:
            self.advance(t_ms)
            return self.ups.feeds
        return self.mains_v(t_ms) > 0.0

    def backhaul(self, t_ms: int) -> bool:
        """Tell whether the provider's line works."""
        return not _holds(self._events(), Kind.BACKHAUL_DOWN, t_ms)

    def clients(self, t_ms: int) -> int:
        """People's devices on the Wi-Fi."""
        return people.clients(self._seed, self.plan.site, self.plan.kind, t_ms)

    def clients_today(self, t_ms: int) -> int:
        """People's devices that were on the Wi-Fi since local midnight."""
        return people.clients_today(self._seed, self.plan.site, self.plan.kind, t_ms)

    def frequency(self, t_ms: int) -> float:
        """Hertz of the mains."""
        return mains.frequency(self._seed, t_ms)

    def _events(self) -> tuple[Event, ...]:
        """Return the events that cover this facility."""
        return self._schedule.seen_by(self.plan.site, self.plan.circuit, self.plan.provider)

    def _step(self, t_ms: int, events: tuple[Event, ...]) -> None:
        """Advance what has a memory by one tick."""
        if self.ups is not None:
            volts = mains.voltage(self.plan.supply, self._seed, self.plan.site, t_ms, events)
            self.ups.advance(t_ms, volts, replace=_holds(events, Kind.UPS_BATTERY_WORN, t_ms))
        use = self.clients(t_ms) * people.kbit_per_client(self._seed, self.plan.site, t_ms)
        backhaul = not _holds(events, Kind.BACKHAUL_DOWN, t_ms)
        self.router.advance(self._tick_ms / 1000.0, use, backhaul=backhaul)


def _holds(events: tuple[Event, ...], kind: Kind, t_ms: int) -> bool:
    """Tell whether an event of a kind holds."""
    return any(event.kind is kind and event.holds(t_ms) for event in events)
