"""The virtual facility on the table: a place of the world in real time, turned by switches and sliders."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from simulators.bench import controls
from simulators.bench.controls import AUTO, LOW_PERCENT
from simulators.scenario.model import Constants, DevicePart, MeterPart, SitePart, UpsPart
from simulators.world.happenings import Schedule
from simulators.world.place import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.bench.pace import Pace

UPS: Final = "ups"
METER: Final = "table"
_SEED: Final = 1
_CALM: Final = 0.1  # of the mains' usual noise: a multimeter is read by eye
FAULTS: Final = (  # as in `broken`
    "signature", "clock", "ups", "usb", "spool", "modem", "radio", "tamper", "meter", "link"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Leg:
    """What is at the meter: volts and amperes."""

    volts: float
    amperes: float


class Facility:
    """One site with mains, a meter, a UPS, a modem and one device. Reads are for now.

    ``broken`` names what is wrong with it on purpose, whatever the switches say: to see a bench find it.
    """

    def __init__(
        self, site: str, device: str, pace: Pace, now_ms: Callable[[], int], broken: frozenset[str]
    ) -> None:
        self.broken = broken
        self.panel = controls.panel()
        self.part = DevicePart(id=device, kind="router", feed=f"ups:{UPS}", uplink=f"{device[:56]}-modem")
        modem = DevicePart(id=self.part.uplink, kind="modem", feed=f"ups:{UPS}")
        self._site = SitePart(
            id=site,
            nominal_v=controls.NOMINAL_V,
            ups=(UpsPart(id=UPS),),
            device=(self.part, modem),
            meter=(MeterPart(leg=1, place=METER),),
        )
        self.constants = Constants(
            noise=_CALM,
            profile=0.0,
            usb_drops=0.0,
            ups_status_s=min(2.0, pace.values_s),
            ups_values_s=pace.values_s,
            boot_s=pace.boot_s,
            modem_boot_s=pace.boot_s,
        )
        self._now_ms = now_ms
        self._plug_ms = 0  # when the device's plug was put back
        self._schedule = Schedule()
        self._numbers: dict[str, int] = {}  # of the event that a knob makes
        self._stands: dict[str, str] = {}
        self.place = Place(self._site, self.constants, _SEED, self._schedule, now_ms())
        unit = self.place.upses[UPS]
        unit.model = replace(unit.model, return_ms=pace.return_ms)
        self._apply()

    @property
    def ups(self) -> UpsPart:
        """Return its UPS."""
        return self._site.ups[0]

    def turn(self, name: str, text: str) -> None:
        """Turn a switch or slider. KnobError: there is none of that name, or it does not take this."""
        controls.turn(self.panel, name, text)
        self._apply()

    def settle(self) -> None:
        """Come to now."""
        self.place.advance(self._now_ms())

    def powered(self) -> bool:
        """Tell whether the device has power and has booted."""
        up = self.place.machines[self.part.id].state.value == "up"
        starved = "modem" in self.broken and not self.panel.is_on("modem")  # one power strip for both
        return up and self._plugged() and not starved

    def _plugged(self) -> bool:
        """Tell whether its plug is in, and has been for as long as it boots."""
        booted = self._now_ms() >= self._plug_ms + round(1000 * self.constants.boot_s)
        return self.panel.is_on("plug") and booted

    def connected(self) -> bool:
        """Tell whether the device has a way to the centre."""
        return self.place.way(self.part.id).up

    def leg(self) -> Leg:
        """Return what is truly there at the meter now, or what the sliders say is."""
        found = self.place.supply.at_legs(self._now_ms())[0]
        return Leg(self._or("meter_v", found.volts), self._or("meter_a", found.amperes))

    def _or(self, name: str, measured: float) -> float:
        text = self.panel.text(name)
        return measured if text == AUTO else float(text)

    def _apply(self) -> None:
        """Let the world be as the panel stands: end events that no longer hold, begin those that do."""
        names = controls.changed(self._stands, self.panel)
        self._stands = {knob.name: self.panel.text(knob.name) for knob in self.panel}
        self.settle()
        now = max(self._now_ms(), self.place.t_ms) + 1  # an edge that it has yet to come to
        if "plug" in names and len(names) < len(self._stands):  # not at the beginning
            self._plug_ms = now
        for name in names:
            if (number := self._numbers.pop(name, None)) is not None:
                self._schedule.end(number, now)
            if (happening := controls.event(self.panel, name, self._site.id, now)) is not None:
                self._numbers[name] = self._schedule.add(happening)
        if "battery" in names or "battery_low" in names:
            percent = LOW_PERCENT if self.panel.is_on("battery_low") else self.panel.number("battery")
            self.place.upses[UPS].charge_to(percent / 100.0)
        self.place.advance(now)
