"""From what readers return to the tables of a frame. Pure.

What the wire cannot carry is taken out here, so that one reader's nonsense never costs the others' frame.
"""

import math

from agent.wire import frame
from agent.wire.errors import WireError

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    Value = int | float | str | None
    Row = tuple[str, str | None, Mapping[str, int | float | str]]

_INT_LIMIT = 1 << 63


class Sample:
    """One row of a reader with the time (uptime, ms) when it was read."""

    def __init__(
        self, uptime_ms: int, measurement: str, instance: "str | None", fields: "dict[str, Value]"
    ) -> None:
        """Keep the parts as they are."""
        self.uptime_ms = uptime_ms
        self.measurement = measurement
        self.instance = instance
        self.fields = fields


def clean(uptime_ms: int, rows: "Iterable[Row]") -> "tuple[list[Sample], int]":
    """Return (samples that the wire can carry, rows refused) of one reading."""
    samples = []
    refused = 0
    for row in rows:
        sample = _sample(uptime_ms, row)
        if sample is None:
            refused += 1
        elif sample.fields:
            samples.append(sample)
    return samples, refused


def _sample(uptime_ms: int, row: "Row") -> "Sample | None":
    try:
        measurement, instance, values = row
        fields = {name: _value(value) for name, value in values.items()}
        fields = {name: value for name, value in fields.items() if value is not None}
        if fields:
            frame.check_table([measurement, instance, list(fields), [[0] + list(fields.values())]])  # noqa: RUF005 - MicroPython does not unpack in lists
    except (WireError, TypeError, ValueError, AttributeError):
        return None
    return Sample(uptime_ms, measurement, instance, fields)


def _value(value: "Any") -> "Value":
    """Return what CBOR and the store take, None for what they do not."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value if -_INT_LIMIT <= value < _INT_LIMIT else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str) and len(value) <= frame.MAX_TEXT else None


def tables(samples: "Iterable[Sample]", sealed_ms: int) -> "list[list[Any]]":
    """Return the frame's tables: one per measurement and instance, offsets from ``sealed_ms``."""
    groups: list[_Group] = []
    latest: dict[tuple[str, str | None], _Group] = {}
    for sample in samples:
        key = (sample.measurement, sample.instance)
        group = latest.get(key)
        if group is None or not group.takes(sample):
            group = latest[key] = _Group(key)
            group.takes(sample)
            groups.append(group)
        group.samples.append(sample)
    return [group.table(sealed_ms) for group in groups]


class _Group:
    """The samples of one table."""

    def __init__(self, key: "tuple[str, str | None]") -> None:
        self.key = key
        self.names: list[str] = []
        self.samples: list[Sample] = []

    def takes(self, sample: Sample) -> bool:
        """Add the sample's field names; False when a table cannot have so many."""
        new = [name for name in sample.fields if name not in self.names]
        if len(self.names) + len(new) > frame.MAX_FIELDS:
            return False
        self.names.extend(new)
        return True

    def table(self, sealed_ms: int) -> "list[Any]":
        rows = []
        for sample in self.samples:
            row: list[Value] = [min(0, sample.uptime_ms - sealed_ms)]
            row.extend([sample.fields.get(name) for name in self.names])
            rows.append(row)
        return [self.key[0], self.key[1], self.names, rows]
