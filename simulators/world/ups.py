"""A line-interactive UPS: transfer, battery energy, what its status says and how old that is.

Energy: ``capacity_wh * health`` when full. On battery the load draws ``load_w / efficiency``; on line
the charger puts ``charger_w`` into the battery until it is full. So a 12 V 7 Ah battery (84 Wh) at 60 W
and 0.9 lasts 84 * 0.9 / 60 h = 4,536 s. Its driver refreshes status every ``status_ms`` and values every
``values_ms`` (NUT: pollinterval 2 s, pollfreq 30 s); what is read in between is the old picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Where the load is fed from."""

    LINE = "line"
    BATTERY = "battery"
    NOTHING = "nothing"


# (source, input within transfer points, battery empty) -> source
TRANSFERS: dict[tuple[Source, bool, bool], Source] = {
    (Source.LINE, True, False): Source.LINE,
    (Source.LINE, True, True): Source.LINE,
    (Source.LINE, False, False): Source.BATTERY,
    (Source.LINE, False, True): Source.NOTHING,
    (Source.BATTERY, True, False): Source.LINE,
    (Source.BATTERY, True, True): Source.LINE,
    (Source.BATTERY, False, False): Source.BATTERY,
    (Source.BATTERY, False, True): Source.NOTHING,
    (Source.NOTHING, True, False): Source.LINE,
    (Source.NOTHING, True, True): Source.LINE,
    (Source.NOTHING, False, False): Source.NOTHING,  # stays off until the line is back
    (Source.NOTHING, False, True): Source.NOTHING,
}


@dataclass(frozen=True, slots=True)
class UpsModel:
    """What does not change: ratings, load, transfer points (V), refresh of the driver (ms)."""

    nominal_w: float = 480.0
    capacity_wh: float = 84.0
    load_w: float = 60.0
    efficiency: float = 0.9
    charger_w: float = 10.0
    transfer_low_v: float = 92.0
    transfer_high_v: float = 147.0
    low_charge: float = 0.2
    low_runtime_s: float = 120.0
    nominal_battery_v: float = 12.0
    status_ms: int = 2_000
    values_ms: int = 30_000


@dataclass(frozen=True, slots=True)
class Status:
    """Status as the driver has it: source, flags, and when it was refreshed."""

    source: Source
    low: bool
    charging: bool
    replace: bool
    at_ms: int


@dataclass(frozen=True, slots=True)
class Values:
    """Measured values as the driver has them, and when they were refreshed. Charge in [0, 1]."""

    input_v: float
    output_v: float
    battery_v: float
    charge: float
    runtime_s: float
    load: float
    at_ms: int


class Ups:
    """One UPS and its battery, at a time that only goes forward."""

    def __init__(
        self, model: UpsModel, t_ms: int, input_v: float, *, charge: float = 1.0, health: float = 1.0
    ) -> None:
        self.model = model
        self.source = Source.LINE
        self.energy_wh = model.capacity_wh * health * charge
        self.transfers = 0
        self._full_wh = model.capacity_wh * health
        self._t_ms = t_ms
        self._input_v = input_v
        self._replace = False
        self.status = self._status()
        self.values = self._values()

    @property
    def charge(self) -> float:
        """Share of the full battery, in [0, 1]."""
        return self.energy_wh / self._full_wh

    @property
    def runtime_s(self) -> float:
        """Seconds the present load would last."""
        return self.energy_wh * 3600.0 * self.model.efficiency / self.model.load_w

    @property
    def feeds(self) -> bool:
        """Tell whether the load has power."""
        return self.source is not Source.NOTHING

    def advance(self, t_ms: int, input_v: float, *, replace: bool = False) -> None:
        """Go forward to a time with this input since the last step; refresh what is due."""
        self._spend((t_ms - self._t_ms) / 3_600_000)
        before, self._t_ms = self._t_ms, t_ms
        self._input_v, self._replace = input_v, replace
        self._transfer(input_v)
        if _due(before, t_ms, self.model.values_ms):
            self.values = self._values()
        if _due(before, t_ms, self.model.status_ms):
            self.status = self._status()

    def _spend(self, hours: float) -> None:
        """Discharge or charge for some hours from the present source."""
        if self.source is Source.BATTERY:
            self.energy_wh = max(0.0, self.energy_wh - self.model.load_w / self.model.efficiency * hours)
        elif self.source is Source.LINE:
            self.energy_wh = min(self._full_wh, self.energy_wh + self.model.charger_w * hours)

    def _transfer(self, input_v: float) -> None:
        """Change the source as the table says."""
        within = self.model.transfer_low_v <= input_v <= self.model.transfer_high_v
        after = TRANSFERS[self.source, within, self.energy_wh <= 0.0]
        self.transfers += after is Source.BATTERY and self.source is Source.LINE
        self.source = after

    def _status(self) -> Status:
        """Take the status as it is now."""
        low = self.charge <= self.model.low_charge or self.runtime_s <= self.model.low_runtime_s
        charging = self.source is Source.LINE and self.energy_wh < self._full_wh
        return Status(self.source, low, charging, self._replace, self._t_ms)

    def _values(self) -> Values:
        """Measure everything now."""
        output = {Source.LINE: self._input_v, Source.BATTERY: 127.0, Source.NOTHING: 0.0}[self.source]
        # lead-acid, roughly: 11 V empty to 12.7 V full at rest, 13.6 V on float
        rest = 11.0 + 1.7 * self.charge
        per_block = 13.6 if self.source is Source.LINE and self.charge > 0.99 else rest  # noqa: PLR2004 - float begins
        return Values(
            input_v=self._input_v,
            output_v=output,
            battery_v=per_block * self.model.nominal_battery_v / 12.0,
            charge=self.charge,
            runtime_s=self.runtime_s,
            load=self.model.load_w / self.model.nominal_w if self.feeds else 0.0,
            at_ms=self._t_ms,
        )


def _due(before_ms: int, now_ms: int, every_ms: int) -> bool:
    """Tell whether a multiple of the interval lies in (before, now]."""
    return now_ms // every_ms > before_ms // every_ms
