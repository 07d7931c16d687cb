"""A scenario while it is drawn, and as the text of its file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

Row = dict[str, Any]


@dataclass(slots=True)
class Draft:
    """Tables of a file; ``rng`` is the only source of chance."""

    rng: Random
    head: Row
    known: Row
    circuits: list[str] = field(default_factory=list)
    providers: list[str] = field(default_factory=list)
    sites: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    told: list[str] = field(default_factory=list)  # the comment at the top

    def add(self, kind: str, at_s: float, for_s: float | None, scope: Row, **more: Any) -> bool:
        """Add an event; one that would overlap its like at the same place is left out."""
        limit_s = self.head["duration_s"]
        at_s = round(at_s)
        if at_s >= limit_s or at_s < 0:
            return False
        end_s = limit_s if for_s is None else at_s + max(1, round(for_s))
        for other in self.events:
            same = (other["kind"], other["scope"]) == (kind, scope)
            if same and at_s < other["at_s"] + other["for_s"] and other["at_s"] < end_s:
                return False
        self.events.append({"at_s": at_s, "for_s": end_s - at_s, "kind": kind, "scope": scope} | more)
        return True

    def of_circuit(self, circuit: str) -> list[Row]:
        """Return the sites that hang on a circuit."""
        return [site for site in self.sites if site.get("circuit") == circuit]

    def text(self) -> str:
        """Return the file."""
        lines = [f"# {line}" for line in self.told]
        lines += ["[scenario]", *_pairs(self.head), "", "[known]", *_pairs(self.known), ""]
        for kind, names in (("circuit", self.circuits), ("provider", self.providers)):
            lines += [line for name in names for line in (f"[[{kind}]]", f'id = "{name}"')]
        for site in self.sites:
            lines += ["", "[[site]]", *_pairs(site)]
            for part in ("ups", "device", "meter"):
                for row in site.get(part, ()):
                    lines += [f"[[site.{part}]]", *_pairs(row)]
        for event in sorted(self.events, key=lambda row: row["at_s"]):
            lines += ["", "[[event]]", *_pairs(event)]
        return "\n".join(lines) + "\n"


def _pairs(row: Row) -> list[str]:
    return [f"{key} = {_value(value)}" for key, value in row.items() if not isinstance(value, list)]


def _value(value: Any) -> str:
    """Write a value: what JSON writes of text, numbers and truth is TOML as well."""
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {_value(one)}" for key, one in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    return json.dumps(value, ensure_ascii=False)
