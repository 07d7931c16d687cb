"""Inputs and gauges as the configuration names them.

``gpiochip0:17,bias=pull-up,active=high,debounce_ms=50`` is an input; active is the level that means open.
``max17040:i2c-1,address=0x36,chip=gpiochip0,line=6,active=low`` is a gauge; active is the level that means
that the supply is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.readers import spec

if TYPE_CHECKING:
    from collections.abc import Callable

MOST: Final = 16
MOST_LINE: Final = 1023
_LINE: Final[dict[str, tuple[str, ...] | tuple[int, int] | None]] = {
    "bias": ("pull-up", "pull-down", "disabled"),
    "active": ("high", "low"),
    "debounce_ms": (0, 1000),
}
_GAUGE: Final[spec.Kinds] = {**_LINE, "address": None, "chip": None, "line": (0, MOST_LINE)}
USUAL_DEBOUNCE_MS: Final = 50
USUAL_ADDRESS: Final = "0x36"
LOWEST_ADDRESS, HIGHEST_ADDRESS = 0x03, 0x77  # of seven bits; the others are reserved


def _single(raw: int) -> float:
    return (raw >> 4) * 0.00125


def _double(raw: int) -> float:
    return (raw >> 4) * 0.0025


def _fine(raw: int) -> float:
    return raw * 0.000078125


def _fine_double(raw: int) -> float:
    return raw * 0.00015625


# chip -> volts of what its register VCELL says (datasheets of Maxim; the even ones of a pair for two cells)
GAUGES: Final[dict[str, Callable[[int], float]]] = {
    "max17040": _single,
    "max17041": _double,
    "max17043": _single,
    "max17044": _double,
    "max17048": _fine,
    "max17049": _fine_double,
}


class InputSpec:
    """One line of a chip. Raises ValueError."""

    def __init__(self, name: str, chip: str, line: int, options: spec.Options) -> None:
        """Check the chip's name; the options are checked."""
        if not _is_numbered(chip, "gpiochip"):
            raise ValueError("needs a chip such as gpiochip0")
        self.name = name
        self.chip = chip
        self.line = line
        self.bias = str(options.get("bias", ""))
        self.active_high = options.get("active", "high") == "high"
        self.debounce_ms = int(options.get("debounce_ms", USUAL_DEBOUNCE_MS))


class GaugeSpec:
    """One gauge, and the line that tells whether there is a supply. Raises ValueError."""

    def __init__(self, name: str, text: str) -> None:
        """Take the text apart."""
        kind, _, rest = text.partition(":")
        if kind not in GAUGES:
            raise ValueError("unknown kind " + (kind[:40] or "''") + "; known are " + ", ".join(GAUGES))
        self.name = name
        self.volts = GAUGES[kind]
        self.bus, options = spec.split(rest, _GAUGE)
        if not _is_numbered(self.bus, "i2c-"):
            raise ValueError("needs a bus such as i2c-1")
        self.address = _address(str(options.get("address", USUAL_ADDRESS)))
        if ("chip" in options) != ("line" in options):
            raise ValueError("chip and line belong together")
        self.supply: InputSpec | None = None
        if "chip" in options:
            self.supply = InputSpec(name, str(options["chip"]), int(options["line"]), options)
        elif set(options) - {"address"}:
            raise ValueError("bias, active and debounce_ms need chip and line")


def parse_input(name: str, text: str) -> InputSpec:
    """Return an input. Raises ValueError."""
    head, options = spec.split(text, _LINE)
    chip, _, line = head.partition(":")
    if not line.isdecimal() or len(line) > 4 or int(line) > MOST_LINE:  # noqa: PLR2004 - digits of the most
        raise ValueError("needs a chip and the number of its line, such as gpiochip0:17")
    return InputSpec(name, chip, int(line), options)


def wrong_inputs(given: object) -> str:
    """Return what is wrong with the inputs of a configuration, empty when nothing is."""
    return spec.wrong(given, MOST, parse_input) or _twice(given)


def wrong_gauges(given: object) -> str:
    """Return what is wrong with the gauges of a configuration, empty when nothing is."""
    return spec.wrong(given, MOST, GaugeSpec)


def _twice(given: object) -> str:
    assert isinstance(given, dict)  # noqa: S101 - for the type checker; just checked
    seen: dict[tuple[str, int], str] = {}
    for name, text in given.items():
        found = parse_input(name, text)
        other = seen.setdefault((found.chip, found.line), name)
        if other != name:
            return f"has {other} and {name} on the same line"
    return ""


def _address(text: str) -> int:
    try:
        value = int(text, 0)
    except ValueError:
        value = 0
    if not LOWEST_ADDRESS <= value <= HIGHEST_ADDRESS:
        raise ValueError("address has to be one of seven bits, such as 0x36")
    return value


def _is_numbered(text: str, head: str) -> bool:
    digits = text.removeprefix(head)
    return text.startswith(head) and digits.isdecimal() and len(digits) <= 3  # noqa: PLR2004 - no machine has more
