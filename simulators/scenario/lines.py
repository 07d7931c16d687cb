"""Where the keys of a TOML file stand. The parser of the standard library does not say.

A place is the path that pydantic names: ``("site", 0, "device", 2, "feed")``. What stands within an inline
table or an array that runs over several lines is found at the line where its key begins.
"""

from __future__ import annotations

import re

Place = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.\"' -]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')\s*[.=]")
_QUOTES = ('"""', "'''")


def index(text: str) -> dict[Place, int]:
    """Return the line, counted from 1, of every table and key of a TOML text."""
    places: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
    quote = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if quote:
            quote = "" if quote in line else quote
            continue
        header = _HEADER.match(line)
        if header:
            table = _table(header[2], counts, many=header[1] == "[[")
            places.setdefault(table, number)
            continue
        key = _KEY.match(line)
        if key:
            places.setdefault((*table, key[1].strip("\"'")), number)
        quote = next((mark for mark in _QUOTES if line.count(mark) % 2), "")
    return places


def nearest(places: dict[Place, int], place: Place) -> int:
    """Return the line of a place, or of the smallest thing around it that has one; 1 when nothing has."""
    while place:
        if place in places:
            return places[place]
        place = place[:-1]
    return 1


def _table(name: str, counts: dict[Place, int], *, many: bool) -> Place:
    """Return the place of a header; an array's last member is meant by those below it."""
    parts = [part.strip().strip("\"'") for part in name.split(".")]
    place: Place = ()
    for part in parts[:-1]:
        place = (*place, part)
        if place in counts:
            place = (*place, counts[place])
    place = (*place, parts[-1])
    if not many:
        return place
    counts[place] = counts.get(place, -1) + 1
    for inner in [other for other in counts if len(other) > len(place) and other[: len(place)] == place]:
        if inner[len(place)] == counts[place]:
            del counts[inner]
    return (*place, counts[place])
