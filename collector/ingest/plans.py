"""Plans: what the rows of a usual table look like, so that they can be checked in one pass.

A plan says yes to rows of legal numbers only; to anything else it says no, and whoever asked judges the
table value by value. So a plan never decides that something is wrong, nor what.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from operator import le
from typing import Any

from agent.wire import fields as register
from agent.wire import frame as wire

_INT_MAX = (1 << 63) - 1
_BOUNDS = {"int": (-_INT_MAX, _INT_MAX), "float": (-sys.float_info.max, sys.float_info.max)}
_TYPES: dict[str, type] = {"int": int, "float": float}


@dataclass(frozen=True, slots=True)
class Plan:
    """Types and bounds of the columns of a row, the offset first; ``names`` are the fields behind it."""

    names: tuple[str, ...]
    types: tuple[type, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]

    def fits(self, rows: list[Any]) -> bool:
        """Whether there are rows and all of them are lists of legal numbers, none missing."""
        width, count = len(self.types), len(rows)
        flat: list[Any] = []
        for row in rows:
            if type(row) is not list or len(row) != width:
                return False
            flat += row
        if tuple(map(type, flat)) != count * self.types:
            return False
        # NaN and infinities neither
        return bool(rows) and all(map(le, count * self.lows, flat)) and all(map(le, flat, count * self.highs))


def plan_of(measurement: str, names: tuple[str, ...]) -> Plan | None:
    """Return the plan for these fields, None when one of them is unknown or no number."""
    known = register.MEASUREMENTS.get(measurement)
    if known is None or known.origin != "device":
        return None
    rules = [known.fields.get(name) for name in names]
    types: list[type] = [int]
    lows: list[float] = [-wire.MAX_AGE_MS]
    highs: list[float] = [0]
    for rule in rules:
        if rule is None or rule.type not in _TYPES:
            return None
        low, high = _BOUNDS[rule.type]
        types.append(_TYPES[rule.type])
        lows.append(low if rule.low is None else max(low, rule.low))
        highs.append(high if rule.high is None else min(high, rule.high))
    return Plan(names, tuple(types), tuple(lows), tuple(highs))
