"""What the simulated device on a bench reads beside the world's own instruments: more radios, a meter.

What is broken on purpose is broken here, where a reading is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simulators.bench.controls import RADIOS, radio
from simulators.bench.facility import METER
from simulators.instruments.base import Instrument, Row
from simulators.instruments.host import HostReader
from simulators.instruments.meters import TamperReader
from simulators.instruments.network import NetReader, ProbeReader
from simulators.instruments.ups import UpsReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.bench.facility import Facility
    from simulators.bench.pace import Pace
    from simulators.instruments.base import Intervals

METER_ALIVE_V: Final = 80.0  # what feeds a PZEM-004T is what it measures, 80 to 260 V
METER_ERROR: Final = 1.03
_CHANNELS: Final = (6, 44)


class Radios(Instrument):
    """One row of ``wifi_ap`` per radio."""

    name = "wifi"
    watched = ("up",)
    watches = True

    def __init__(self, facility: Facility, intervals: Intervals, now_ms: Callable[[], int]) -> None:
        super().__init__(facility.place, facility.part, intervals, now_ms)
        self._facility = facility

    def rows(self, now: int) -> list[Row]:  # noqa: ARG002 - as the switches are
        """Return a row for each."""
        dead = RADIOS[-1] if "radio" in self._facility.broken else ""
        rows: list[Row] = []
        for name, channel in zip(RADIOS, _CHANNELS, strict=True):
            up = int(self._facility.panel.is_on(radio(name)) and name != dead)
            rows.append(("wifi_ap", name, {"up": up, "clients": 0, "channel": channel, "noise": -95.0}))
        return rows


class Meter(Instrument):
    """The meter of the mains; one without voltage does not answer, and has no row."""

    name = "meters"

    def __init__(self, facility: Facility, intervals: Intervals, now_ms: Callable[[], int]) -> None:
        super().__init__(facility.place, facility.part, intervals, now_ms)
        self._facility = facility

    def rows(self, now: int) -> list[Row]:
        """Return its row."""
        leg = self._facility.leg()
        volts = leg.volts * (METER_ERROR if "meter" in self._facility.broken else 1.0)
        if volts < METER_ALIVE_V:
            return []
        return [
            (
                "mains",
                METER,
                {
                    "voltage": round(volts, 1),
                    "current": round(leg.amperes, 3),
                    "power": round(volts * leg.amperes, 1),
                    "frequency": round(self.place.supply.hz(now), 2),
                    "power_factor": 1.0,
                },
            )
        ]


class Tamper(TamperReader):
    """The contact of the box, or one that is stuck."""

    def __init__(self, facility: Facility, intervals: Intervals, now_ms: Callable[[], int]) -> None:
        super().__init__(facility.place, facility.part, intervals, now_ms)
        self._stuck = "tamper" in facility.broken

    def rows(self, now: int) -> list[Row]:
        """Return the contact's row."""
        return [("tamper", "box", {"open": 0})] if self._stuck else super().rows(now)


class Ups(UpsReader):
    """The UPS; broken ones never call their battery low, or hide that the contact is lost."""

    def __init__(
        self, facility: Facility, intervals: Intervals, now_ms: Callable[[], int], stale_ms: int
    ) -> None:
        super().__init__(facility.place, facility.part, intervals, now_ms, facility.ups)
        self._broken = facility.broken
        self.stale_ms = 1 << 62 if "usb" in self._broken else stale_ms

    def rows(self, now: int) -> list[Row]:
        """Return its row."""
        rows = super().rows(now)
        if "ups" in self._broken:
            rows = [
                (name, unit, {k: 0 if k == "lb" else v for k, v in row.items()}) for name, unit, row in rows
            ]
        return rows


def readers(
    facility: Facility, pace: Pace, now_ms: Callable[[], int], uptime_ms: Callable[[], int]
) -> list[Any]:
    """Return what the simulated device reads."""
    intervals = pace.timing.readers()
    world = facility.place, facility.part, intervals, now_ms
    bench = facility, intervals, now_ms
    return [
        HostReader(*world, uptime_ms),
        NetReader(*world),
        ProbeReader(*world),
        Ups(*bench, pace.stale_ms),
        Radios(*bench),
        Tamper(*bench),
        Meter(*bench),
    ]
