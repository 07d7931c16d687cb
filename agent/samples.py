"""From what readers return to the tables of a frame. Pure.

What the wire cannot carry is taken out here, so that one reader's nonsense never costs the others' frame.
What waits for a frame waits encoded, alike beside alike: as objects the samples of 30 s took a quarter of a
heap of 256 KiB, as one object each still a twelfth. A row is the time of reading (uptime, ms), the length of
what follows, and the values of its fields in CBOR, one behind the other.
"""

import math
import struct

from agent.wire import cbor, frame
from agent.wire.errors import WireError

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    Value = int | float | str | None
    Row = tuple[str, str | None, Mapping[str, int | float | str]]
    Part = tuple["Shape", bytearray]  # rows, oldest first
    Parts = list[Part]

_INT_LIMIT = 1 << 63
_ARRAY = 4  # CBOR's major type
_TABLE_PARTS = 4
_ROW = ">QI"
_ROW_BYTES = 12
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
        self.rows: "bytearray | None" = None  # where those of them that wait now are


class Waiting:
    """Samples that ``clean`` let pass, on their way into a frame; those alike are one part of it."""

    def __init__(self, most: int) -> None:
        """Keep at most so many."""
        self._most = most
        self._count = 0
        self._parts: "Parts" = []
        self._shapes: "dict[tuple[str, str | None], Shape]" = {}

    def add(self, sample: Sample) -> int:
        """Let a sample wait; return how many had to go for it."""
        shape = self._shape(sample)
        rows = shape.rows
        if rows is None:
            rows = shape.rows = bytearray()
            self._parts.append((shape, rows))
        begin = len(rows)
        rows.extend(bytes(_ROW_BYTES))
        for value in sample.fields.values():
            cbor.write(rows, value)
        struct.pack_into(_ROW, rows, begin, sample.uptime_ms, len(rows) - begin - _ROW_BYTES)
        self._count += 1
        return self._make_room()

    def take(self) -> "Parts":
        """Return what waits, which then waits no more."""
        taken, self._parts, self._count = self._parts, [], 0
        for shape, _ in taken:
            shape.rows = None
        return taken

    def _shape(self, sample: Sample) -> Shape:
        names = tuple(sample.fields)
        key = (sample.measurement, sample.instance)
        shape = self._shapes.get(key)
        if shape is None or shape.names != names:
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            shape = self._shapes[key] = Shape(key[0], key[1], names)
        return shape

    def _make_room(self) -> int:
        """Let the oldest go that are too many; return how many those are."""
        gone = self._count - self._most
        for _ in range(gone):
            at = min(range(len(self._parts)), key=self._begun_ms)
            shape, rows = self._parts[at]
            left = rows[_after(rows, 0) :]
            if left:
                self._parts[at] = (shape, left)
            else:
                self._parts.pop(at)
            if shape.rows is rows:
                shape.rows = left or None
        self._count -= max(0, gone)
        return max(0, gone)

    def _begun_ms(self, at: int) -> int:
        """Return the time of a part's oldest sample."""
        return _time(self._parts[at][1], 0)


def packed(samples: "Iterable[Sample]") -> "Parts":
    """Return samples as a frame takes them."""
    waiting = Waiting(1 << 30)
    for sample in samples:
        waiting.add(sample)
    return waiting.take()


def unpacked(parts: "Parts") -> "Iterator[Sample]":
    """Give the samples of parts, one part after the other."""
    for shape, rows in parts:
        at = 0
        while at < len(rows):
            after = _after(rows, at)
            data = cbor.head(_ARRAY, len(shape.names)) + bytes(rows[at + _ROW_BYTES : after])
            fields = dict(zip(shape.names, cbor.decode(data)))  # noqa: B905 - MicroPython has no strict
            yield Sample(_time(rows, at), shape.measurement, shape.instance, fields)
            at = after


def halves(parts: "Parts") -> "tuple[Parts, Parts] | None":
    """Return parts as two; None for a single sample."""
    if len(parts) > 1:
        middle = len(parts) // 2
        return parts[:middle], parts[middle:]
    for shape, rows in parts:
        at = 0
        while at < len(rows) // 2:
            at = _after(rows, at)
        if at < len(rows):
            return [(shape, rows[:at])], [(shape, rows[at:])]
    return None


def count(parts: "Parts") -> int:
    """Return how many samples there are."""
    return sum([_count(rows) for _, rows in parts])


def since(parts: "Parts", begin_ms: int) -> "Parts":
    """Return the samples that are no older."""
    found = []
    for shape, rows in parts:
        at = 0
        while at < len(rows) and _time(rows, at) < begin_ms:
            at = _after(rows, at)
        if at < len(rows):
            found.append((shape, rows[at:] if at else rows))
    return found


def _time(rows: bytearray, at: int) -> int:
    return int(struct.unpack_from(_ROW, rows, at)[0])


def _after(rows: bytearray, at: int) -> int:
    """Return where the row behind begins."""
    return at + _ROW_BYTES + int(struct.unpack_from(_ROW, rows, at)[1])


def _count(rows: bytearray) -> int:
    found = at = 0
    while at < len(rows):
        at = _after(rows, at)
        found += 1
    return found


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


def tables(parts: "Parts", sealed_ms: int, most: int = frame.MAX_BYTES) -> "cbor.Encoded | None":
    """Return the frame's tables: one per measurement and instance, offsets from ``sealed_ms``; None without.

    They write themselves into the frame, for as lists they would be in memory ten times over. Once that has
    more than ``most`` bytes they raise WireError ``oversized``.
    """
    return cbor.Encoded(_Tables(parts, sealed_ms, most).write) if parts else None


class _Tables:
    """Parts as tables."""

    def __init__(self, parts: "Parts", sealed_ms: int, most: int) -> None:
        self._sealed_ms = sealed_ms
        self._most = most
        self._groups: list[_Group] = []
        latest: dict[tuple[str, str | None], _Group] = {}
        for part in parts:
            key = (part[0].measurement, part[0].instance)
            group = latest.get(key)
            if group is None or not group.takes(part):
                group = latest[key] = _Group(part)
                self._groups.append(group)

    def write(self, out: bytearray) -> None:
        """Write them all."""
        out.extend(cbor.head(_ARRAY, len(self._groups)))
        for group in self._groups:
            group.write(out, self._sealed_ms)
            if len(out) > self._most:
                raise WireError("oversized", "a payload of more than " + str(self._most) + " bytes")


class _Group:
    """The parts of one table."""

    def __init__(self, part: "Part") -> None:
        self._names = part[0].names
        self._parts = [part]

    def takes(self, part: "Part") -> bool:
        """Add a part of this table; False when a table cannot have so many fields."""
        new = tuple([name for name in part[0].names if name not in self._names])
        if len(self._names) + len(new) > frame.MAX_FIELDS:
            return False
        self._names += new
        self._parts.append(part)
        return True

    def write(self, out: bytearray, sealed_ms: int) -> None:
        """Write the table."""
        shape = self._parts[0][0]
        out.extend(cbor.head(_ARRAY, _TABLE_PARTS))
        for each in (shape.measurement, shape.instance, self._names):
            cbor.write(out, each)
        out.extend(cbor.head(_ARRAY, count(self._parts)))
        for part in self._parts:
            if part[0].names == self._names:
                self._copy(out, part[1], sealed_ms)
            else:
                self._fill(out, part, sealed_ms)

    def _copy(self, out: bytearray, rows: bytearray, sealed_ms: int) -> None:
        """Write rows that have the table's fields and no others."""
        view = memoryview(rows)
        at = 0
        while at < len(rows):
            self._begin(out, _time(rows, at) - sealed_ms)
            after = _after(rows, at)
            out.extend(view[at + _ROW_BYTES : after])
            at = after

    def _fill(self, out: bytearray, part: "Part", sealed_ms: int) -> None:
        for sample in unpacked([part]):
            self._begin(out, sample.uptime_ms - sealed_ms)
            for name in self._names:
                cbor.write(out, sample.fields.get(name))

    def _begin(self, out: bytearray, offset_ms: int) -> None:
        out.extend(cbor.head(_ARRAY, 1 + len(self._names)))
        cbor.write(out, min(0, offset_ms))
