"""A UPS for upsd that a person turns the knobs of, and what NUT's drivers tell of any simulated UPS.

It is the model of ``simulators/world/line_interactive.py`` behind a driver that refreshes status every 2 s
and values every 30 s, as NUT's usbhid-ups does (pollinterval, pollfreq).
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from simulators.clock import now_ms as wall_ms
from simulators.protocols.knobs import Knob, KnobError, Panel, Paneled
from simulators.protocols.sources import Condition
from simulators.world.line_interactive import FED_BY_LINE, Inputs, Model, Picture, Source, Ups

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAKER: Final = "Vigia"
TEST_MS: Final = 10_000  # a battery test of common UPSes
TEST_GOOD: Final = "Done and passed"
TEST_BAD: Final = "Done and error"
TESTING: Final = "In progress"
UNTESTED: Final = "No test initiated"
PINNED: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+")

_STATUS: Final = {
    Source.LINE: "OL",
    Source.BOOST: "OL BOOST",
    Source.TRIM: "OL TRIM",
    Source.BATTERY: "OB DISCHRG",
    Source.NOTHING: "OFF",
}


def status(seen: Picture) -> str:
    """Return ``ups.status``."""
    on_battery = seen.source is Source.BATTERY
    more = (
        ("CHRG", seen.charging),
        ("LB", seen.low and on_battery),
        ("RB", seen.replace),
        ("OVER", seen.overloaded),
    )
    return " ".join([_STATUS[seen.source], *(word for word, holds in more if holds)])


def variables(seen: Picture, model: Model, hz: float, celsius: float = 27.0) -> dict[str, str]:
    """Return what a driver tells of a picture; ``hz`` is the line's frequency."""
    return {
        "ups.status": status(seen),
        "input.voltage": f"{seen.input_v:.1f}",
        "input.frequency": f"{hz if seen.input_v > 0.0 else 0.0:.2f}",
        "input.voltage.nominal": f"{model.nominal_output_v:.0f}",
        "input.transfer.low": f"{model.transfer_low_v:.0f}",
        "input.transfer.high": f"{model.transfer_high_v:.0f}",
        "output.voltage": f"{seen.output_v:.1f}",
        "ups.load": f"{100.0 * seen.load:.1f}",
        "ups.power.nominal": f"{model.nominal_va:.0f}",
        "ups.realpower.nominal": f"{model.nominal_w:.0f}",
        "ups.temperature": f"{celsius:.1f}",
        "battery.charge": f"{100.0 * seen.charge:.1f}",
        "battery.charge.low": f"{100.0 * model.low_charge:.0f}",
        "battery.runtime": f"{seen.runtime_s:.0f}",
        "battery.runtime.low": f"{model.low_runtime_s:.0f}",
        "battery.voltage": f"{seen.battery_v:.2f}",
        "battery.voltage.nominal": f"{model.nominal_battery_v:.0f}",
        "driver.parameter.pollinterval": f"{model.status_ms / 1000.0:g}",
        "driver.parameter.pollfreq": f"{model.values_ms / 1000.0:g}",
    }


def identity(model: str, serial: str) -> dict[str, str]:
    """Return who the UPS says it is."""
    said = {"mfr": MAKER, "model": model, "serial": serial}
    found = {f"{part}.{name}": text for part in ("device", "ups") for name, text in said.items()}
    return found | {"device.type": "ups", "driver.name": "vigia-sim", "battery.type": "PbAc"}


KNOBS: Final = (
    Knob("input.voltage", "127", "mains at the UPS's plug", "V", 0, 300),
    Knob("input.frequency", "60", "frequency of the mains", "Hz", 40, 70),
    Knob("ups.load", "25", "load, of what the UPS can carry", "%", 0, 150),
    Knob("battery.charge", "100", "energy in the battery", "%", 0, 100),
    Knob("battery.health", "100", "what the battery holds of what it held when new", "%", 0, 100),
    Knob("battery.capacity", "7", "size of the battery; a small one is empty soon", "Ah", 0.01, 200),
    Knob("ups.temperature", "27", "temperature inside", "C", 0, 80),
    Knob("contact", "ok", "how upsd stands to it", choices=tuple(each.value for each in Condition)),
)
WRITABLE: Final = (
    Knob("battery.charge.low", "20", "Remaining battery level when UPS switches to LB (percent)", "", 5, 95),
    Knob("input.transfer.low", "92", "Low voltage transfer point (V)", "", 60, 110),
    Knob("input.transfer.high", "147", "High voltage transfer point (V)", "", 130, 160),
    Knob("ups.id", "", "UPS system identifier"),
)
COMMANDS: Final = {
    "beeper.disable": "Disable the UPS beeper",
    "beeper.enable": "Enable the UPS beeper",
    "beeper.mute": "Temporarily mute the UPS beeper",
    "load.off": "Turn off the load immediately",
    "load.on": "Turn on the load immediately",
    "test.battery.start": "Start a battery test",
    "test.battery.start.quick": "Start a quick battery test",
    "test.battery.stop": "Stop the battery test",
}


class KnobUps(Paneled):
    """A UPS in real time whose mains, load and battery a person sets.

    Any variable of NUT can be pinned to a text beside that (``ups.status`` to ``OL OVER``): it shows at once
    and stays until it is set to nothing.
    """

    def __init__(
        self, name: str = "sai", *, model: Model | None = None, clock: Callable[[], int] = wall_ms
    ) -> None:
        self._clock = clock
        super().__init__(KNOBS)
        self._settings = Panel(WRITABLE)
        self._pins: dict[str, str] = {}
        self._who = identity("Bench UPS", name)
        self._plain = self._model = model or Model()
        self._beeper = "enabled"
        self._off = False
        self._test = UNTESTED
        self._test_ends_ms: int | None = None
        now = clock()
        self._line = deque([(now, *self._mains())])  # since when which volts and hertz
        self._ups = Ups(self._model, now, self._inputs())

    # knobs

    def value(self, name: str) -> str:
        """Return where a knob stands; the battery's charge as it is by now."""
        if name == "battery.charge":
            now = self._sync()
            return f"{100.0 * self._charge(now):.1f}"
        return self._pins[name] if name in self._pins else super().value(name)

    def turn(self, name: str, text: str) -> None:
        """Turn a knob, or pin a variable that has none; an empty text takes the pin out."""
        known = {knob.name for knob in self._panel}
        if name not in known:
            self._pin(name, text)
            return
        now = self._sync()
        super().turn(name, text)
        self._line.append((now, *self._mains()))
        if name.startswith("battery."):
            self._change_battery(now, anew=name == "battery.charge")
        self._sync()

    def look(self) -> None:
        """Let the driver look at everything now, as when it starts: what is old by then is forgotten."""
        now = self._sync()
        self._line = deque([(now, *self._mains())])
        self._ups = Ups(self._model, now, self._inputs(), self._charge(now))

    def _pin(self, name: str, text: str) -> None:
        if not PINNED.fullmatch(name) or not text.isprintable():
            raise KnobError(f"no knob {name!r} and no variable of NUT; knobs are {_names(self._panel)}")
        if text:
            self._pins[name] = text
        else:
            self._pins.pop(name, None)

    # a source

    def condition(self) -> Condition:
        """Return how upsd stands to it."""
        return Condition(self._panel.text("contact"))

    def variables(self) -> Mapping[str, str]:
        """Return every variable."""
        now = self._sync()
        seen = self._ups.picture(now, lambda t_ms: self._line_at(t_ms)[0])
        shown = variables(
            seen, self._model, self._line_at(seen.values_at_ms)[1], self._panel.number("ups.temperature")
        )
        own = {"ups.beeper.status": self._beeper, "ups.test.result": self._test}
        own["ups.id"] = self._settings.text("ups.id")
        if self._off:
            own["ups.status"] = "OFF"
        return self._who | shown | own | self._pins

    def commands(self) -> Mapping[str, str]:
        """Return what it can be told to do."""
        return COMMANDS

    def command(self, name: str) -> bool:
        """Do it; a test fails where there is nothing to test with."""
        now = self._sync()
        if name.startswith("beeper."):
            states = {"enable": "enabled", "disable": "disabled", "mute": "muted"}
            self._beeper = states[name.removeprefix("beeper.")]
        elif name.startswith("load."):
            self._off = name == "load.off"
        elif name == "test.battery.stop":
            self._test_ends_ms = None
            self._test = "Aborted" if self._test == TESTING else self._test
        elif self._ups.source in FED_BY_LINE and self._test_ends_ms is None:
            self._test_ends_ms, self._test = now + TEST_MS, TESTING
        else:
            return False
        self._sync()
        return True

    def writable(self) -> tuple[Knob, ...]:
        """Return what may be set over the network."""
        return tuple(self._settings)

    def set(self, name: str, value: str) -> bool:
        """Set it."""
        now = self._sync()
        self._settings.turn(name, value)
        self._change_battery(now, anew=False)
        return True

    # the model behind it

    def _sync(self) -> int:
        """Come to now; a test ends in between."""
        now = self._clock()
        if self._test_ends_ms is not None and now >= self._test_ends_ms:
            self._ups.advance(self._test_ends_ms, self._inputs())
            self._test_ends_ms = None
            passed = self._ups.feeds and not self._ups.picture(now, lambda _t: 0.0).replace
            self._test = TEST_GOOD if passed else TEST_BAD
        self._ups.advance(now, self._inputs())
        kept_ms = now - 2 * self._model.values_ms
        while len(self._line) > 1 and self._line[1][0] <= kept_ms:
            self._line.popleft()
        return now

    def _mains(self) -> tuple[float, float]:
        return self._panel.number("input.voltage"), self._panel.number("input.frequency")

    def _line_at(self, t_ms: int) -> tuple[float, float]:
        """Return volts and hertz of a time."""
        found = next((one for one in reversed(self._line) if one[0] <= t_ms), self._line[0])
        return found[1], found[2]

    def _inputs(self) -> Inputs:
        load_w = self._panel.number("ups.load") / 100.0 * self._model.nominal_w
        return Inputs(self._panel.number("input.voltage"), load_w, self._test_ends_ms is not None)

    def _charge(self, now: int) -> float:
        return self._ups.energy_wh(now) / max(self._model.full_wh, 1e-9)

    def _change_battery(self, now: int, *, anew: bool) -> None:
        """Go on with another battery or other settings; ``anew``: with the charge that was asked for."""
        settings = self._settings.number
        charge = self._panel.number("battery.charge") / 100.0
        if not anew:
            charge = self._charge(now)
        plain = self._plain
        self._model = replace(
            plain,
            capacity_wh=self._panel.number("battery.capacity") * plain.nominal_battery_v,
            health=max(self._panel.number("battery.health") / 100.0, 1e-6),
            low_charge=settings("battery.charge.low") / 100.0,
            transfer_low_v=settings("input.transfer.low"),
            transfer_high_v=settings("input.transfer.high"),
        )
        self._ups = Ups(self._model, now, self._inputs(), min(1.0, charge))


def _names(panel: Panel) -> str:
    return ", ".join(knob.name for knob in panel)
