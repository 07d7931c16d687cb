"""UPSes, meters and routers of a place of the simulated world, for the instruments' servers.

A place goes forward to the clock's time whenever one of them is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.instruments.ups import STALE_MS, celsius
from simulators.protocols.sources import Condition, MeterFault, MeterReading, Radio, Router, WayOut
from simulators.protocols.ups_source import identity, variables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simulators.protocols.knobs import Knob
    from simulators.scenario.model import DevicePart, MeterPart, UpsPart
    from simulators.world.line_interactive import Picture
    from simulators.world.place import Place

_MS_PER_H = 3_600_000.0


class PlaceUps:
    """A UPS of a place. Events act on it; it takes no commands and no settings."""

    def __init__(self, place: Place, part: UpsPart, now_ms: Callable[[], int]) -> None:
        self._place = place
        self._part = part
        self._now_ms = now_ms
        self._who = identity("Simulated UPS", part.id)
        self._seen: Picture | None = None
        self._lost_ms: int | None = None

    def variables(self) -> Mapping[str, str]:
        """Return every variable; without contact those of before."""
        seen = self._look()
        hz = self._place.supply.hz(seen.values_at_ms)
        model = self._place.upses[self._part.id].model
        return self._who | variables(seen, model, hz, celsius(seen.values_at_ms))

    def condition(self) -> Condition:
        """Return STALE when there has been no contact for upsd's patience."""
        self._look()
        lost = self._lost_ms is not None and self._now_ms() - self._lost_ms > STALE_MS
        return Condition.STALE if lost else Condition.OK

    def commands(self) -> Mapping[str, str]:
        """Return none."""
        return {}

    def command(self, name: str) -> bool:  # noqa: ARG002 - of the port
        """Do none."""
        return False

    def writable(self) -> tuple[Knob, ...]:
        """Return none."""
        return ()

    def set(self, name: str, value: str) -> bool:  # noqa: ARG002 - of the port
        """Set none."""
        return False

    def _look(self) -> Picture:
        now = self._now_ms()
        self._place.advance(now)
        if self._seen is None or self._place.contact(self._part):
            self._lost_ms, self._seen = None, self._place.picture(self._part)
        elif self._lost_ms is None:
            self._lost_ms = now
        return self._seen


class PlaceMeter:
    """A meter of a place; its energy begins at 0."""

    def __init__(self, place: Place, part: MeterPart, now_ms: Callable[[], int]) -> None:
        self._place = place
        self._part = part
        self._now_ms = now_ms
        self._energy = 0.0
        self._at_ms = now_ms()

    def reading(self) -> MeterReading:
        """Return what it measures."""
        now = self._now_ms()
        self._place.advance(now)
        leg = self._place.supply.at_legs(now)[self._part.leg - 1]
        self._energy += leg.watts * max(0, now - self._at_ms) / _MS_PER_H
        self._at_ms = now
        hz = self._place.supply.hz(now)
        return MeterReading(leg.volts, leg.amperes, leg.watts, self._energy, hz, 1.0)

    def fault(self) -> MeterFault:
        """Return none: no event is about a meter."""
        return MeterFault.NONE


class PlaceRouter:
    """A router or access point of a place."""

    def __init__(self, place: Place, part: DevicePart, now_ms: Callable[[], int]) -> None:
        self._place = place
        self._part = part
        self._now_ms = now_ms
        self._from_ms = now_ms()

    def router(self) -> Router:
        """Return its radio, with its share of the people, and its way out."""
        now = self._now_ms()
        self._place.advance(now)
        silent = bool(self._place.view.holding("radio_silent", now, self._part.id))
        radios = sum(device.kind in {"router", "ap"} for device in self._place.site.device)
        clients = 0 if silent else round(self._place.supply.clients(now) / max(1, radios))
        passed = max(0, now - self._from_ms)
        radio = Radio("phy0-ap0", up=not silent, clients=clients, active_ms=passed, busy_ms=passed // 8)
        way = WayOut(up=self._place.linked(self._part), uptime_s=passed // 1000)
        return Router((radio,), (way,))
