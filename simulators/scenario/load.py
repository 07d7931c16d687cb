"""A scenario from its file. Whoever wrote it gets every fault at once, each with its line."""

from __future__ import annotations

import difflib
import tomllib
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from simulators.scenario import checks, lines
from simulators.scenario.model import Scenario

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic_core import ErrorDetails

    from simulators.scenario.lines import Place

MOST_BYTES: Final = 4 * 1024 * 1024  # a city of 33,000 devices takes some 6 MB: not what a scenario is for

# pydantic's kind of error -> our words; what is not here is said in its own
_WORDS: Final = {
    "missing": "is missing",
    "extra_forbidden": "unknown key",
    "float_type": "has to be a number",
    "int_type": "has to be a whole number",
    "bool_type": "has to be true or false",
    "string_type": "has to be a text",
    "model_type": "has to be a table",
    "tuple_type": "has to be written as [[...]]",
    "finite_number": "has to be a finite number",
}


class ScenarioError(Exception):
    """Something is wrong with a file: ``faults`` are lines ``file:line: place: what``."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


def scenario(path: Path) -> Scenario:
    """Return the scenario of a file. Raises ScenarioError."""
    try:
        data = path.read_bytes()[: MOST_BYTES + 1]
        text = data.decode("utf-8")
    except OSError as error:
        raise ScenarioError([f"{path}: cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ScenarioError([f"{path}: is not UTF-8"]) from error
    if len(data) > MOST_BYTES:
        raise ScenarioError([f"{path}: is larger than {MOST_BYTES >> 20} MiB"])
    return parse(text, str(path))


def parse(text: str, name: str = "scenario") -> Scenario:
    """Return the scenario that a text describes. Raises ScenarioError."""
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ScenarioError([f"{name}: is not TOML: {error}"]) from error
    places = lines.index(text)
    try:
        found = Scenario.model_validate(raw)
    except ValidationError as error:
        told = [(_plain(detail["loc"]), _said(detail)) for detail in error.errors()]
        raise ScenarioError(_written(name, places, told)) from error
    told = list(checks.faults(found))
    if told:
        raise ScenarioError(_written(name, places, told))
    return found


def _written(name: str, places: dict[Place, int], told: list[tuple[Place, str]]) -> list[str]:
    """Return one line for each fault, in the order of the file."""
    located = sorted({(lines.nearest(places, place), _path(place), what) for place, what in told})
    return [f"{name}:{line}: {path}: {what}" for line, path, what in located]


def _path(place: Place) -> str:
    """Write a place as people count: ``site[2].device[1].feed``."""
    text = ""
    for part in place:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "the file"


def _plain(place: tuple[Any, ...]) -> Place:
    """Leave out the name of our own level: parameters stand in the event's table."""
    return tuple(part for part in place if part != "parameters")


def _said(detail: ErrorDetails) -> str:
    what = _WORDS.get(detail["type"])
    if what is None:
        return detail["msg"].removeprefix("Value error, ")
    if detail["type"] != "extra_forbidden":
        return what
    near = difflib.get_close_matches(str(detail["loc"][-1]), _keys_beside(detail["loc"]), n=1)
    return what + (f"; did you mean {near[0]!r}?" if near else "")


def _keys_beside(place: tuple[Any, ...]) -> list[str]:
    """Return the keys of the table in which an unknown one stands."""
    part: Any = Scenario
    for step in place[:-1]:
        if isinstance(step, str):
            part = _row_type(part.model_fields[step].annotation)
    return list(part.model_fields)


def _row_type(annotation: Any) -> Any:
    """Return the table's class of a field: of an array of tables that of its rows."""
    inner = getattr(annotation, "__args__", None)
    return inner[0] if inner else annotation
