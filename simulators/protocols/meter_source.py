"""A meter that a person turns the knobs of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.clock import now_ms as wall_ms
from simulators.protocols.knobs import Knob, Paneled
from simulators.protocols.sources import MeterFault, MeterReading

if TYPE_CHECKING:
    from collections.abc import Callable

KNOBS: Final = (
    Knob("voltage", "127", "voltage of the leg", "V", 0, 300),
    Knob("current", "2", "current of the leg", "A", 0, 100),
    Knob("power_factor", "0.95", "power factor", "", 0, 1),
    Knob("frequency", "60", "frequency", "Hz", 40, 70),
    Knob("energy", "0", "active energy counted; goes on by itself", "Wh", 0, 9_999_990),
    Knob("fault", "none", "what is wrong with it", choices=tuple(each.value for each in MeterFault)),
)
_MS_PER_H: Final = 3_600_000.0


class KnobMeter(Paneled):
    """A meter in real time."""

    def __init__(self, clock: Callable[[], int] = wall_ms) -> None:
        self._clock = clock
        super().__init__(KNOBS)
        self._energy = 0.0
        self._at_ms = clock()

    def value(self, name: str) -> str:
        """Return where a knob stands; the energy as it is by now."""
        return f"{self._count():.0f}" if name == "energy" else super().value(name)

    def turn(self, name: str, text: str) -> None:
        """Turn a knob."""
        self._count()
        super().turn(name, text)
        if name == "energy":
            self._energy = self._panel.number(name)

    def reading(self) -> MeterReading:
        """Return what it measures."""
        number = self._panel.number
        return MeterReading(
            voltage=number("voltage"),
            current=number("current"),
            power=self._watts(),
            energy=self._count(),
            frequency=number("frequency"),
            power_factor=number("power_factor"),
        )

    def fault(self) -> MeterFault:
        """Return what is wrong with it."""
        return MeterFault(self._panel.text("fault"))

    def _watts(self) -> float:
        number = self._panel.number
        return number("voltage") * number("current") * number("power_factor")

    def _count(self) -> float:
        """Count to now."""
        now = self._clock()
        self._energy += self._watts() * max(0, now - self._at_ms) / _MS_PER_H
        self._at_ms = now
        return self._energy
