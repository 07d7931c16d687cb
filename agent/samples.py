"""From what readers return to the tables of a frame. Pure.

What the wire cannot carry is taken out here, so that one reader's nonsense never costs the others' frame.
What waits for a frame waits encoded: as objects, the samples of 30 s took a quarter of a heap of 256 KiB.
"""

import math

from agent.wire import cbor, frame
from agent.wire.errors import WireError

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    Value = int | float | str | None
    Row = tuple[str, str | None, Mapping[str, int | float | str]]

_INT_LIMIT = 1 << 63
_ARRAY = 4  # CBOR's major type
_TABLE_PARTS = 4
_MOST_SHAPES = 256  # instances that come and go must not stay for ever


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


class Shape:
    """What samples of one kind have in common: whose they are, and their fields' names in order."""

    def __init__(self, measurement: str, instance: "str | None", names: tuple[str, ...]) -> None:
        """Keep the parts as they are."""
        self.measurement = measurement
        self.instance = instance
        self.names = names


class Packed:
    """A sample that waits; ``values`` are those of its fields, in CBOR, one behind the other."""

    def __init__(self, uptime_ms: int, shape: Shape, values: bytes) -> None:
        """Keep the parts as they are."""
        self.uptime_ms = uptime_ms
        self.shape = shape
        self.values = values

    @property
    def measurement(self) -> str:
        """What was measured."""
        return self.shape.measurement

    @property
    def instance(self) -> "str | None":
        """Of what, where there are several."""
        return self.shape.instance

    @property
    def fields(self) -> "dict[str, Value]":
        """The values by name, decoded."""
        names = self.shape.names
        values = cbor.decode(cbor.head(_ARRAY, len(names)) + self.values)
        return {names[at]: values[at] for at in range(len(names))}


class Packer:
    """Packs samples that ``clean`` let pass; those alike share their names."""

    def __init__(self) -> None:
        """Know of no sample yet."""
        self._shapes: "dict[tuple[str, str | None], Shape]" = {}

    def pack(self, sample: Sample) -> Packed:
        """Return the sample as it waits."""
        names = tuple(sample.fields)
        key = (sample.measurement, sample.instance)
        shape = self._shapes.get(key)
        if shape is None or shape.names != names:
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            shape = self._shapes[key] = Shape(key[0], key[1], names)
        values = list(sample.fields.values())
        data = cbor.encode(values)
        return Packed(sample.uptime_ms, shape, data[len(cbor.head(_ARRAY, len(values))) :])


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


def tables(samples: "Iterable[Sample | Packed]", sealed_ms: int) -> "cbor.Encoded | None":
    """Return the frame's tables: one per measurement and instance, offsets from ``sealed_ms``; None without.

    They are written at once, for as lists they would be in memory ten times over.
    """
    groups: list[_Group] = []
    latest: dict[tuple[str, str | None], _Group] = {}
    for sample in samples:
        key = (sample.measurement, sample.instance)
        group = latest.get(key)
        if group is None or not group.takes(sample):
            group = latest[key] = _Group(sample)
            groups.append(group)
        group.samples.append(sample)
    out = bytearray(cbor.head(_ARRAY, len(groups)))
    for group in groups:
        group.write(out, sealed_ms)
    return cbor.Encoded(out) if groups else None


class _Group:
    """The samples of one table."""

    def __init__(self, sample: "Sample | Packed") -> None:
        self.shape = _shape(sample)
        self.alike = True  # every sample has the fields of ``shape`` and no others
        self.samples: "list[Sample | Packed]" = []

    def takes(self, sample: "Sample | Packed") -> bool:
        """Add the sample's field names; False when a table cannot have so many."""
        shape = _shape(sample)
        if shape is self.shape or shape.names == self.shape.names:
            return True
        new = tuple([name for name in shape.names if name not in self.shape.names])
        if len(self.shape.names) + len(new) > frame.MAX_FIELDS:
            return False
        self.alike = False
        self.shape = Shape(shape.measurement, shape.instance, self.shape.names + new)
        return True

    def write(self, out: bytearray, sealed_ms: int) -> None:
        """Write the table."""
        names = self.shape.names
        out.extend(cbor.head(_ARRAY, _TABLE_PARTS))
        for part in (self.shape.measurement, self.shape.instance, names):
            out.extend(cbor.encode(part))
        out.extend(cbor.head(_ARRAY, len(self.samples)))
        head = cbor.head(_ARRAY, 1 + len(names))
        for sample in self.samples:
            out.extend(head)
            out.extend(cbor.encode(min(0, sample.uptime_ms - sealed_ms)))
            if self.alike and isinstance(sample, Packed):
                out.extend(sample.values)
            else:
                fields = sample.fields
                for name in names:
                    out.extend(cbor.encode(fields.get(name)))


def _shape(sample: "Sample | Packed") -> Shape:
    if isinstance(sample, Packed):
        return sample.shape
    return Shape(sample.measurement, sample.instance, tuple(sample.fields))
