"""Knobs: what a person turns on an instrument, by a slider of a page or ``input.voltage=90`` in a shell.

An instrument lists its knobs and is told values as text; a value that is none is refused in one line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from collector.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class KnobError(ConfigError):
    """No such knob, or a value that it does not take; the message is one line for a person."""


@dataclass(frozen=True, slots=True)
class Knob:
    """One value: a number in [``low``, ``high``] with a unit, else one of ``choices``, else any text."""

    name: str
    start: str
    meaning: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def is_number(self) -> bool:
        """Tell whether it is a slider."""
        return self.low is not None and self.high is not None

    def check(self, text: str) -> str:
        """Return the text as it is kept; KnobError when it is no value of this knob."""
        text = text.strip()
        if self.choices and text not in self.choices:
            raise KnobError(f"{self.name}: {text!r} is none of {', '.join(self.choices)}")
        if self.low is not None and self.high is not None:
            self._within(text, self.low, self.high)
        if not text.isprintable():
            raise KnobError(f"{self.name}: letters that can be printed, please")
        return text

    def _within(self, text: str, low: float, high: float) -> None:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:  # NaN fails as well
            raise KnobError(
                f"{self.name}: {text!r} is no number from {low:g} to {high:g} {self.unit}".rstrip()
            )


class Instrument(Protocol):
    """What has knobs."""

    def knobs(self) -> tuple[Knob, ...]:
        """Return them in the order in which a page shows them."""
        ...

    def value(self, name: str) -> str:
        """Return where a knob stands. KnobError: there is none of that name."""
        ...

    def turn(self, name: str, text: str) -> None:
        """Turn one. KnobError: there is none of that name, or it does not take this."""
        ...


class Panel:
    """Knobs and where they stand; an instrument holds one."""

    def __init__(self, knobs: Iterable[Knob]) -> None:
        self._knobs = {knob.name: knob for knob in knobs}
        self._values = {knob.name: knob.start for knob in self._knobs.values()}

    def __iter__(self) -> Iterator[Knob]:
        """Go through the knobs."""
        return iter(self._knobs.values())

    def turn(self, name: str, text: str) -> None:
        """Turn a knob."""
        self._values[name] = self._knob(name).check(text)

    def text(self, name: str) -> str:
        """Return where a knob stands."""
        return self._values[self._knob(name).name]

    def number(self, name: str) -> float:
        """Return the same as a number."""
        return float(self.text(name))

    def is_on(self, name: str) -> bool:
        """Return the same of a switch, whose choices are ``off`` and ``on``."""
        return self.text(name) == ON

    def _knob(self, name: str) -> Knob:
        if name not in self._knobs:
            raise KnobError(f"no knob {name!r}; there are {', '.join(self._knobs)}")
        return self._knobs[name]


class Paneled:
    """An instrument with the knobs of a panel; what turning one does beside that is the instrument's own."""

    def __init__(self, knobs: Iterable[Knob]) -> None:
        self._panel = Panel(knobs)

    def knobs(self) -> tuple[Knob, ...]:
        """Return what can be turned."""
        return tuple(self._panel)

    def value(self, name: str) -> str:
        """Return where a knob stands."""
        return self._panel.text(name)

    def turn(self, name: str, text: str) -> None:
        """Turn a knob."""
        self._panel.turn(name, text)


OFF, ON = "off", "on"


def switch(name: str, meaning: str, *, on: bool = False) -> Knob:
    """Return a knob that is on or off."""
    return Knob(name, ON if on else OFF, meaning, choices=(OFF, ON))


def assignment(text: str) -> tuple[str, str]:
    """Split ``name=value``."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise KnobError(f"{text!r}: name=value, please")
    return name.strip(), value.strip()
