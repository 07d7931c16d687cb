"""A second opinion on tables: what the register of fields leaves of them.

Reads ``agent/wire/fields.py``, the only list of fields there is, and shares nothing else with
``collector/ingest/tables.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from agent.wire import fields

_EXACT = 1 << 53  # a larger integer may not be a float
_RESERVED = {"time", "site", "device", "time_quality"}
_TYPES: dict[str, set[type]] = {"float": {int, float}, "int": {int}, "bool": {bool}, "str": {str}}


@dataclass
class Seen:
    """What was heard: (owner, name) of instances and unknown fields; owner: a device's measurement."""

    instances: set[tuple[str, str]] = field(default_factory=set)
    unknown: set[tuple[str, str]] = field(default_factory=set)


def _room(seen: set[tuple[str, str]], owner: str, name: str, limit: int) -> bool:
    if (owner, name) in seen:
        return True
    if sum(known == owner for known, _ in seen) >= limit:
        return False
    seen.add((owner, name))
    return True


def stored(device: str, tables: list[Any], seen: Seen) -> tuple[list[Any], list[Any]]:
    """Return (tables to store, tables to hold), each ``(measurement, instance, fields, rows)``."""
    keep, hold = [], []
    for measurement, instance, names, rows in tables:
        known = fields.MEASUREMENTS.get(measurement)
        if known is None or known.origin == "centre":
            hold.append((measurement, instance, tuple(names), tuple(map(tuple, rows))))
            continue
        owner = f"{device}/{measurement}"
        if instance is not None and not _instance(owner, instance, known.tag, seen):
            continue
        columns = [at for at, name in enumerate(names) if _field(owner, name, known, seen)]
        if columns:
            kept = tuple(names[at] for at in columns)
            values = tuple(
                (row[0], *(_value(row[at + 1], known.fields.get(names[at])) for at in columns))
                for row in rows
            )
            keep.append((measurement, instance, kept, values))
    return keep, hold


def _instance(owner: str, instance: str, tag: str | None, seen: Seen) -> bool:
    if tag is None or "\\" in instance or not instance.isprintable():
        return False
    return _room(seen.instances, owner, instance, 64)


def _field(owner: str, name: str, known: fields.Measurement, seen: Seen) -> bool:
    if name in known.fields:
        return True
    if name in _RESERVED or name == known.tag:
        return False
    return _room(seen.unknown, owner, name, 16)


def _value(value: Any, rule: fields.Field | None) -> Any:
    kind = "float" if rule is None else rule.type
    if type(value) not in _TYPES[kind] or (type(value) is str and not value.isprintable()):
        return None
    if kind == "float":
        if type(value) is int and abs(value) > _EXACT:
            return None
        value = float(value)
    if rule is not None and kind in {"int", "float"}:
        low, high = rule.low, rule.high
        if (low is not None and value < low) or (high is not None and value > high):
            return None
    return value
