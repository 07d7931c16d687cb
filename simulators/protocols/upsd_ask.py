"""What upsd answers to GET and LIST: a function per subject, of the rack and the words that follow.

A list's function returns what stands behind the subject's own words in each line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from simulators.protocols.sources import Condition
from simulators.protocols.upsd_rack import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.protocols.knobs import Knob
    from simulators.protocols.sources import UpsSource
    from simulators.protocols.upsd_rack import Rack

VERSION: Final = "2.8.0"
GREETING: Final = f"Network UPS Tools upsd {VERSION} - simulated by vigia-sim"
MOST_TEXT: Final = 64  # letters of a variable that takes any text


def get(rack: Rack, what: str, arguments: tuple[str, ...]) -> str:
    """Answer a GET; words too many are left aside, as upsd does."""
    found = _GET.get(what.upper())
    if found is None or len(arguments) < found.words:
        raise RefusedError("INVALID-ARGUMENT")
    named = " ".join([what.upper(), *arguments[: found.words]])
    return f"{named} {found.answer(rack, *arguments[: found.words])}"


def listing(rack: Rack, what: str, arguments: tuple[str, ...]) -> list[str]:
    """Answer a LIST."""
    found = _LIST.get(what.upper())
    if found is None or len(arguments) < found.words:
        raise RefusedError("INVALID-ARGUMENT")
    named = " ".join([what.upper(), *arguments[: found.words]])
    lines = [f"{named} {rest}" for rest in found.answer(rack, *arguments[: found.words])]
    return [f"BEGIN LIST {named}", *lines, f"END LIST {named}"]


def quoted(text: str) -> str:
    """Return a value in quotes, escaped as NUT's parseconf wants it."""
    for special in '\\"#':
        text = text.replace(special, "\\" + special)
    return f'"{text}"'


def _var(rack: Rack, name: str, variable: str) -> str:
    if variable.lower().startswith("server."):
        return quoted(_server(variable.lower()))
    return quoted(rack.variable(name, variable))


def _server(variable: str) -> str:
    known = {"server.info": GREETING, "server.version": VERSION}
    if variable not in known:
        raise RefusedError("VAR-NOT-SUPPORTED")
    return known[variable]


def _type(rack: Rack, name: str, variable: str) -> str:
    rack.variable(name, variable)
    knob = rack.writable(name).get(variable.lower())
    if knob is None:
        return "NUMBER"
    if knob.choices:
        return "RW ENUM NUMBER"
    return "RW RANGE NUMBER" if knob.is_number else f"RW STRING:{MOST_TEXT}"


def _desc(rack: Rack, name: str, variable: str) -> str:
    knob = rack.writable(name).get(variable.lower())
    return quoted(knob.meaning if knob is not None else "Description unavailable")


def _cmddesc(rack: Rack, name: str, command: str) -> str:
    _, ups = rack.available(name)
    return quoted(ups.commands().get(command.lower(), "Description unavailable"))


def _upsdesc(rack: Rack, name: str) -> str:
    return quoted(_described(rack.find(name)[1]))


def _numlogins(rack: Rack, name: str) -> str:
    own, _ = rack.available(name)
    return str(len(rack.logins(own)))


def _described(ups: UpsSource) -> str:
    found = ups.variables()
    words = (found.get("device.mfr"), found.get("device.model"))
    return " ".join(word for word in words if word) or "Unavailable"


def _upses(rack: Rack) -> list[str]:
    known = [pair for pair in rack.upses.items() if pair[1].condition() != Condition.UNKNOWN]
    return [f"{name} {quoted(_described(ups))}" for name, ups in known]


def _variables(rack: Rack, name: str) -> list[str]:
    return [f"{variable} {quoted(value)}" for variable, value in rack.variables(name).items()]


def _writable(rack: Rack, name: str) -> list[str]:
    writable, variables = rack.writable(name), rack.variables(name)
    return [f"{each} {quoted(value)}" for each, value in variables.items() if each in writable]


def _commands(rack: Rack, name: str) -> list[str]:
    return list(rack.available(name)[1].commands())


def _clients(rack: Rack, name: str) -> list[str]:
    return rack.logins(rack.find(name)[0])


def _enum(rack: Rack, name: str, variable: str) -> list[str]:
    knob = _knob(rack, name, variable)
    return [quoted(choice) for choice in knob.choices] if knob is not None else []


def _range(rack: Rack, name: str, variable: str) -> list[str]:
    knob = _knob(rack, name, variable)
    if knob is None or knob.low is None or knob.high is None:
        return []
    return [f'"{knob.low:.0f}" "{knob.high:.0f}"']


def _knob(rack: Rack, name: str, variable: str) -> Knob | None:
    rack.variable(name, variable)
    return rack.writable(name).get(variable.lower())


@dataclass(frozen=True, slots=True)
class _Get:
    answer: Callable[..., str]
    words: int


@dataclass(frozen=True, slots=True)
class _List:
    answer: Callable[..., list[str]]
    words: int


_GET: Final = {
    "VAR": _Get(_var, 2),
    "TYPE": _Get(_type, 2),
    "DESC": _Get(_desc, 2),
    "CMDDESC": _Get(_cmddesc, 2),
    "UPSDESC": _Get(_upsdesc, 1),
    "NUMLOGINS": _Get(_numlogins, 1),
}
_LIST: Final = {
    "UPS": _List(_upses, 0),
    "VAR": _List(_variables, 1),
    "RW": _List(_writable, 1),
    "CMD": _List(_commands, 1),
    "CLIENT": _List(_clients, 1),
    "ENUM": _List(_enum, 2),
    "RANGE": _List(_range, 2),
}
