"""The UPS as NUT's upsd would show it, with the age of what it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.instruments.base import Fields, Instrument, Row
from simulators.world import noise
from simulators.world.line_interactive import FED_BY_LINE, Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.instruments.base import Intervals
    from simulators.scenario.model import DevicePart, UpsPart
    from simulators.world.line_interactive import Model, Picture
    from simulators.world.place import Place

FLAGS: Final = (
    "ol", "ob", "lb", "rb", "hb", "chrg", "dischrg", "bypass",
    "cal", "off", "over", "trim", "boost", "fsd", "alarm",
)  # fmt: skip
CONTACT: Final = ("data_stale", "driver_lost", "unknown_ups", "waiting", "server_lost")
STALE_MS: Final = 15_000  # upsd's MAXAGE: so long without a word from the driver


class UpsReader(Instrument):
    """One row of ``upsd``. Without contact to its UPS the driver's data are stale after 15 s."""

    name = "ups"
    watched = (*FLAGS, *CONTACT)
    watches = True

    def __init__(
        self,
        place: Place,
        part: DevicePart,
        intervals: Intervals,
        now_ms: Callable[[], int],
        ups: UpsPart,
    ) -> None:
        super().__init__(place, part, intervals, now_ms)
        self._ups = ups
        self._seen: Picture | None = None
        self._lost_ms: int | None = None

    def rows(self, now: int) -> list[Row]:
        """Return the row of the UPS that this device reads."""
        if self.place.contact(self._ups):
            self._lost_ms = None
            self._seen = self.place.picture(self._ups)
        elif self._lost_ms is None:
            self._lost_ms = now
        if self._seen is None or (self._lost_ms is not None and now - self._lost_ms > STALE_MS):
            stale: Fields = {name: int(name == "data_stale") for name in CONTACT}
            return [("upsd", self._ups.id, stale)]
        return [("upsd", self._ups.id, self._fields(self._seen, now))]

    def _fields(self, seen: Picture, now: int) -> Fields:
        fields = _measured(seen, self.place.upses[self._ups.id].model) | _flags(seen)
        fields |= dict.fromkeys(CONTACT, 0)
        dead = seen.input_v <= 0.0
        return fields | {
            "input_frequency": 0.0 if dead else round(self.place.supply.hz(seen.values_at_ms), 2),
            "age_input_ms": max(0, now - seen.values_at_ms),
            "age_status_ms": max(0, now - seen.status_at_ms),
            "unknown_tokens": 0,
            "bad_values": 0,
        }


def celsius(t_ms: int) -> float:
    """Return the temperature inside a UPS."""
    return 27.0 + 6.0 * noise.wave(1, "ups/temp", t_ms, 14_400_000)


def _measured(seen: Picture, model: Model) -> Fields:
    """Fields that a driver measures or knows of its model."""
    return {
        "battery_charge_percent": round(100.0 * seen.charge, 1),
        "battery_voltage": round(seen.battery_v, 2),
        "battery_runtime": round(seen.runtime_s, 0),
        "battery_runtime_low": model.low_runtime_s,
        "input_voltage": round(seen.input_v, 1),
        "input_transfer_low": model.transfer_low_v,
        "input_transfer_high": model.transfer_high_v,
        "output_voltage": round(seen.output_v, 1),
        "load_percent": round(100.0 * seen.load, 1),
        "internal_temp": round(celsius(seen.values_at_ms), 1),
        "nominal_power": model.nominal_va,
        # what UPSes sold here claim: of 718 published dumps none says 127
        "nominal_input_voltage": model.nominal_output_v,
        "nominal_battery_voltage": model.nominal_battery_v,
    }


def _flags(seen: Picture) -> Fields:
    """Status tokens as 0 or 1, all of them."""
    on_line = seen.source in FED_BY_LINE
    on = {
        "ol": on_line,
        "ob": seen.source is Source.BATTERY,
        "lb": seen.low and seen.source is Source.BATTERY,
        "rb": seen.replace,
        "chrg": seen.charging,
        "dischrg": seen.source is Source.BATTERY,
        "off": seen.source is Source.NOTHING,
        "over": seen.overloaded,
        "trim": seen.source is Source.TRIM,
        "boost": seen.source is Source.BOOST,
    }
    return {flag: int(on.get(flag, False)) for flag in FLAGS}
