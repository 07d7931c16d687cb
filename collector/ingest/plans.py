"""Plans: what the rows of usual tables look like, so that all of a frame are checked in one pass.

A plan says yes to rows of legal numbers only; to anything else it says no, and whoever asked judges the
tables value by value. So a plan never decides that something is wrong, nor what.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import chain
from operator import le
from typing import TYPE_CHECKING, Any

from agent.wire import fields as register
from agent.wire import frame as wire
from collector.model import Kind, Shape

if TYPE_CHECKING:
    from collections.abc import Sequence

_INT_MAX = (1 << 63) - 1
_BOUNDS = {"int": (-_INT_MAX, _INT_MAX), "float": (-sys.float_info.max, sys.float_info.max)}
_TYPES: dict[str, type] = {"int": int, "float": float}
_OFFSET = (int, -wire.MAX_AGE_MS, 0)
_Column = tuple[type, float, float]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is expected of the rows of tables laid end to end: of each its width, of each value its bounds."""

    shape: Shape
    lists: tuple[type, ...]
    widths: tuple[int, ...]
    types: tuple[type, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]

    def values(self, rows: list[Any]) -> list[Any] | None:
        """Return the values of all rows, None when one is no list of legal numbers, or one is missing."""
        if tuple(map(type, rows)) != self.lists or tuple(map(len, rows)) != self.widths:
            return None
        flat = list(chain.from_iterable(rows))
        if tuple(map(type, flat)) != self.types:
            return None
        # NaN and infinities neither
        legal = all(map(le, self.lows, flat)) and all(map(le, flat, self.highs))
        return flat if legal else None


def plan_of(kind: Kind) -> Plan | None:
    """Return the plan for tables of a kind, None when one of their fields is unknown or no number."""
    row = _columns(kind.measurement, kind.fields)
    if row is None:
        return None
    types, lows, highs = zip(*kind.rows * row, strict=True)
    return Plan(Shape((kind,)), kind.rows * (list,), kind.rows * (len(row),), types, lows, highs)


def joined(plans: Sequence[Plan]) -> Plan:
    """Return the plan for tables one after the other."""
    return Plan(
        Shape(tuple([kind for plan in plans for kind in plan.shape.kinds])),
        tuple(chain.from_iterable([plan.lists for plan in plans])),
        tuple(chain.from_iterable([plan.widths for plan in plans])),
        tuple(chain.from_iterable([plan.types for plan in plans])),
        tuple(chain.from_iterable([plan.lows for plan in plans])),
        tuple(chain.from_iterable([plan.highs for plan in plans])),
    )


def _columns(measurement: str, names: tuple[str, ...]) -> list[_Column] | None:
    """Return type and bounds of each column of a row, the offset first."""
    known = register.MEASUREMENTS.get(measurement)
    if known is None or known.origin != "device":
        return None
    found: list[_Column] = [_OFFSET]
    for name in names:
        rule = known.fields.get(name)
        if rule is None or rule.type not in _TYPES:
            return None
        kind, (low, high) = _TYPES[rule.type], _BOUNDS[rule.type]
        low = low if rule.low is None else max(low, rule.low)
        high = high if rule.high is None else min(high, rule.high)
        found.append((kind, kind(low), kind(high)))  # numbers of one type are compared twice as fast
    return found
