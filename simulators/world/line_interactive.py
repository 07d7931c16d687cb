"""A line-interactive UPS with automatic voltage regulation: where the load is fed from, and its battery.

Between two calls the inputs are constant, so energy is a line and the moment at which the battery is empty is
computed, not stepped to. Energy: ``capacity_wh * health`` when full; on battery the load draws ``load_w /
efficiency``, on line the charger puts ``charger_w`` back. A 12 V 7 Ah battery (84 Wh) at 60 W and 0.9 lasts
84 * 0.9 / 60 h = 4,536 s.

What somebody reads is what the driver refreshed last: the status every ``status_ms``, the measured values
every ``values_ms`` (NUT: pollinterval 2 s, pollfreq 30 s). So a UPS can say ``OB`` beside the voltage that
was before.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from simulators.world.happenings import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable

_KEEP_MS: Final = 1_300_000  # of the past: twice the longest refresh
_MS_PER_H: Final = 3_600_000.0


class Source(StrEnum):
    """Where the load is fed from."""

    LINE = "line"
    BOOST = "boost"
    TRIM = "trim"
    BATTERY = "battery"
    NOTHING = "nothing"


class Input(StrEnum):
    """What the input is good for."""

    OUT = "out"  # below or above the transfer points
    LOW = "low"  # to be raised
    GOOD = "good"
    HIGH = "high"  # to be lowered


FED_BY_LINE: Final = (Source.LINE, Source.BOOST, Source.TRIM)
_REGULATED: Final = {Input.LOW: Source.BOOST, Input.GOOD: Source.LINE, Input.HIGH: Source.TRIM}


@dataclass(frozen=True, slots=True)
class Model:
    """What does not change: ratings (W, Wh), thresholds (V), refresh of the driver (ms)."""

    nominal_va: float = 600.0
    nominal_w: float = 360.0
    capacity_wh: float = 84.0
    health: float = 1.0
    efficiency: float = 0.85
    charger_w: float = 10.0
    transfer_low_v: float = 92.0
    boost_below_v: float = 106.0
    trim_above_v: float = 139.0
    transfer_high_v: float = 147.0
    hysteresis_v: float = 3.0
    regulation: float = 0.12
    return_ms: int = 3_000  # the line has to be good for so long before the load goes back to it
    overload_ms: int = 5_000  # on battery an overload is carried for so long
    low_charge: float = 0.2
    low_runtime_s: float = 120.0
    nominal_battery_v: float = 12.0
    nominal_output_v: float = 120.0  # what UPSes sold here claim; their output follows the line
    status_ms: int = 2_000
    values_ms: int = 30_000

    @property
    def full_wh(self) -> float:
        """Energy of the full battery as it is today."""
        return self.capacity_wh * self.health


@dataclass(frozen=True, slots=True)
class Inputs:
    """What acts on the UPS: volts at its plug, its load (W), whether it tests itself."""

    volts: float
    load_w: float
    testing: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of time in which nothing turned; ``energy_wh`` is that of its beginning."""

    start_ms: int
    source: Source
    energy_wh: float
    load_w: float
    testing: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """What a reader gets. Charge and load in [0, 1]; the ``_at_ms`` say when it was refreshed."""

    source: Source
    testing: bool
    low: bool
    charging: bool
    replace: bool
    overloaded: bool
    status_at_ms: int
    input_v: float
    output_v: float
    battery_v: float
    charge: float
    runtime_s: float
    load: float
    values_at_ms: int


class Ups:
    """One UPS, at a time that only goes forward; its battery begins at ``charge`` in [0, 1]."""

    def __init__(self, model: Model, t_ms: int, inputs: Inputs, charge: float = 1.0) -> None:
        self.model = model
        self.transfers = 0
        self._t_ms = t_ms
        self._good_ms: int | None = None  # since when the line is good again while the load is off it
        self._over_ms: int | None = None  # since when the battery carries too much
        source = _REGULATED.get(self._input(inputs.volts, Source.LINE), Source.BATTERY)
        self._past = deque([Segment(t_ms, source, charge * model.full_wh, inputs.load_w, inputs.testing)])
        self.left_line_ms = None if source in FED_BY_LINE else t_ms  # None while the line feeds the load
        self.worn = False  # its own test found the battery bad

    @property
    def source(self) -> Source:
        """Where the load is fed from now."""
        return self._past[-1].source

    @property
    def feeds(self) -> bool:
        """Tell whether the load has power."""
        return self.source is not Source.NOTHING

    def energy_wh(self, t_ms: int) -> float:
        """Return the energy in the battery at a time that is not forgotten."""
        return self._energy(self._segment(t_ms), t_ms)

    def next_turn_ms(self, inputs: Inputs) -> int:
        """Return when something turns if the inputs stay as they are."""
        now = self._past[-1]
        waits = [NEVER]
        if now.source is Source.BATTERY:
            watts = self._discharge_w(inputs)
            left = self.energy_wh(self._t_ms)
            above_low = left - self._low_wh(inputs.load_w)
            ahead = [left, above_low] if above_low > 0.0 else [left]
            waits += [self._t_ms + int(wh / watts * _MS_PER_H) + 1 for wh in ahead]
            if self._over_ms is not None:
                waits.append(self._over_ms + self.model.overload_ms)
        if self._good_ms is not None:
            waits.append(self._good_ms + self.model.return_ms)
        return max(self._t_ms + 1, min(waits))

    def advance(self, t_ms: int, inputs: Inputs) -> None:
        """Go forward to a time; the inputs held since the last call."""
        while True:
            while self._settle(inputs):
                pass  # what turned may start a wait of its own
            turn_ms = self.next_turn_ms(inputs)
            if turn_ms > t_ms:
                break
            self._t_ms = turn_ms
        self._t_ms = max(self._t_ms, t_ms)
        while len(self._past) > 1 and self._past[1].start_ms < t_ms - _KEEP_MS:
            self._past.popleft()

    def picture(self, t_ms: int, input_v: Callable[[int], float]) -> Picture:
        """Return what the driver shows at a time; ``input_v`` gives the volts at the plug at any time."""
        model = self.model
        status_ms = t_ms // model.status_ms * model.status_ms
        values_ms = t_ms // model.values_ms * model.values_ms
        status, values = self._segment(status_ms), self._segment(values_ms)
        charge, runtime_s = self._charge(status, status_ms)
        shown_charge, shown_runtime_s = self._charge(values, values_ms)
        volts = input_v(values_ms)
        return Picture(
            source=status.source,
            testing=status.testing,
            low=charge <= model.low_charge or runtime_s <= model.low_runtime_s,
            charging=status.source in FED_BY_LINE and charge < 1.0 - 1e-9,
            replace=self.worn or model.health < 0.1,  # noqa: PLR2004 - a test finds a battery that is as good as gone
            overloaded=status.load_w > model.nominal_w,
            status_at_ms=status_ms,
            input_v=volts,
            output_v=self._output(values.source, volts),
            battery_v=self._battery_v(values.source, shown_charge),
            charge=shown_charge,
            runtime_s=shown_runtime_s,
            load=values.load_w / model.nominal_w if values.source is not Source.NOTHING else 0.0,
            values_at_ms=values_ms,
        )

    def _settle(self, inputs: Inputs) -> bool:
        """Take the turn that is due at this moment; False when none is."""
        now = self._past[-1]
        energy = self._energy(now, self._t_ms)
        level = self._input(inputs.volts, now.source)
        wanted = self._wanted(now.source, level, energy, inputs)
        if (wanted, inputs.load_w, inputs.testing) == (now.source, now.load_w, now.testing):
            return False
        self.transfers += wanted is Source.BATTERY and now.source in FED_BY_LINE
        if wanted in FED_BY_LINE:
            self.left_line_ms = None
        elif self.left_line_ms is None:
            self.left_line_ms = self._t_ms
        if now.start_ms == self._t_ms:
            self._past.pop()
        self._past.append(Segment(self._t_ms, wanted, energy, inputs.load_w, inputs.testing))
        return True

    def _wanted(self, source: Source, level: Input, energy_wh: float, inputs: Inputs) -> Source:
        """Return where the load is fed from after what the input is now."""
        line = _REGULATED.get(level)
        if source in FED_BY_LINE:
            self._good_ms = self._over_ms = None
            if line is not None and not inputs.testing:
                return line
            return Source.BATTERY if energy_wh > 0.0 else (line or Source.NOTHING)
        if line is None or inputs.testing:
            self._good_ms = None
        elif self._good_ms is None:
            self._good_ms = self._t_ms
        waited = self._good_ms is not None and self._t_ms - self._good_ms >= self.model.return_ms
        if line is not None and not inputs.testing and (waited or source is Source.NOTHING):
            self._good_ms = self._over_ms = None
            return line
        if source is Source.NOTHING:
            return source
        return self._on_battery(energy_wh, inputs, line)

    def _on_battery(self, energy_wh: float, inputs: Inputs, line: Source | None) -> Source:
        """Return whether the battery goes on carrying the load."""
        if inputs.load_w <= self.model.nominal_w:
            self._over_ms = None
        elif self._over_ms is None:
            self._over_ms = self._t_ms
        if energy_wh <= 0.0:
            return line or Source.NOTHING
        if self._over_ms is not None and self._t_ms - self._over_ms >= self.model.overload_ms:
            return Source.NOTHING
        return Source.BATTERY

    def _input(self, volts: float, source: Source) -> Input:
        """Say what the input is good for; what was left is taken again some volts later."""
        model, back = self.model, self.model.hysteresis_v
        off = back if source in {Source.BATTERY, Source.NOTHING} else 0.0
        if not model.transfer_low_v + off <= volts <= model.transfer_high_v - off:
            return Input.OUT
        if volts < model.boost_below_v + (back if source is Source.BOOST else 0.0):
            return Input.LOW
        if volts > model.trim_above_v - (back if source is Source.TRIM else 0.0):
            return Input.HIGH
        return Input.GOOD

    def margins_v(self) -> tuple[float, ...]:
        """Return the voltages at which something may turn."""
        model, back = self.model, self.model.hysteresis_v
        low, high = model.transfer_low_v, model.transfer_high_v
        boost, trim = model.boost_below_v, model.trim_above_v
        return low, low + back, boost, boost + back, trim - back, trim, high - back, high

    def _segment(self, t_ms: int) -> Segment:
        """Return the segment that holds a time, the oldest kept one before that."""
        return next((one for one in reversed(self._past) if one.start_ms <= t_ms), self._past[0])

    def _energy(self, segment: Segment, t_ms: int) -> float:
        hours = max(0, t_ms - segment.start_ms) / _MS_PER_H
        if segment.source is Source.BATTERY:
            drawn = max(segment.load_w, 1.0) / self.model.efficiency * hours
            left = segment.energy_wh - drawn
            return left if left > 1e-6 else 0.0  # noqa: PLR2004 - 4 mJ: the rounding of a millisecond
        if segment.source in FED_BY_LINE:
            return min(self.model.full_wh, segment.energy_wh + self.model.charger_w * hours)
        return segment.energy_wh

    def _discharge_w(self, inputs: Inputs) -> float:
        return max(inputs.load_w, 1.0) / self.model.efficiency

    def _low_wh(self, load_w: float) -> float:
        """Return the energy at which the battery counts as low with this load."""
        model = self.model
        for_runtime = model.low_runtime_s * max(load_w, 1.0) / model.efficiency / 3600.0
        return max(model.low_charge * model.full_wh, for_runtime)

    def _charge(self, segment: Segment, t_ms: int) -> tuple[float, float]:
        """Return charge in [0, 1] and the seconds for which the load of that time would be carried."""
        energy = self._energy(segment, t_ms)
        runtime_s = energy * 3600.0 * self.model.efficiency / max(segment.load_w, 1.0)
        return energy / self.model.full_wh if self.model.full_wh else 0.0, runtime_s

    def _output(self, source: Source, volts: float) -> float:
        step = self.model.regulation
        factor = {Source.LINE: 1.0, Source.BOOST: 1.0 + step, Source.TRIM: 1.0 - step}.get(source)
        if factor is not None:
            return volts * factor
        return self.model.nominal_output_v if source is Source.BATTERY else 0.0

    def _battery_v(self, source: Source, charge: float) -> float:
        """Lead-acid, roughly: 11 V empty to 12.7 V full at rest, 13.6 V on float."""
        floating = source in FED_BY_LINE and charge > 0.99  # noqa: PLR2004 - float begins
        return (13.6 if floating else 11.0 + 1.7 * charge) * self.model.nominal_battery_v / 12.0
