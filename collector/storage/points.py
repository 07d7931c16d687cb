"""From a frame's tables to points: names, tags and times, the same for every store.

Measurement and field names are those of ``agent/wire/fields.py``. Tags are ``site``, ``device`` and the
instance under the register's name for it, in order of their names; nothing else is a tag.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from agent.wire import fields as register
from collector.model import Point, Quality

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.model import Table, Usual, Value

HOUR_MS = 3_600_000
_OFFSET = itemgetter(0)
_EVER_MS = 1 << 53  # no sample is so old
_FALLBACK_TAG = "instance"  # of a measurement that the register no longer knows


def instance_tag(measurement: str) -> str:
    """Return the tag that names a measurement's instance."""
    known = register.MEASUREMENTS.get(measurement)
    return (known.tag if known else None) or _FALLBACK_TAG


def row_values(table: Table, row: Sequence[Any]) -> dict[str, Value]:
    """Return the values of one row by name, without those that are missing."""
    values = dict(zip(table.fields, row[1:], strict=True))
    return {name: value for name, value in values.items() if value is not None} if None in row else values


def point(table: Table, values: dict[str, Value], site: str, device: str, time_ms: int) -> Point:
    """One row as a point."""
    tags = [("device", device), ("site", site)]
    if table.instance is not None:
        tags.append((instance_tag(table.measurement), table.instance))
        tags.sort()
    return Point(table.measurement, tuple(tags), tuple(values.items()), time_ms)


def with_quality(values: dict[str, Value], quality: Quality) -> dict[str, Value]:
    """Add how the time came about, unless it is the device's own synchronised clock."""
    if quality is Quality.SYNCED:
        return values
    return values | {register.TIME_QUALITY: quality.value}


class Part(NamedTuple):
    """Rows of one table taken at one facility, oldest first, and when. Every row has a value."""

    table: Table
    site: str
    times_ms: list[int]
    rows: Sequence[Sequence[Any]]


class FramePoints(Sequence[Point]):
    """The points of one frame. They are made when somebody looks at them; ``parts`` is what they are made of.

    A store that writes text need not look: see ``influx_lines``. ``usual`` is set when the parts are all of a
    frame's tables, of the usual kind.
    """

    __slots__ = ("_made", "device", "newest_ms", "oldest_ms", "parts", "quality", "usual")

    def __init__(self, device: str, quality: Quality, parts: list[Part], usual: Usual | None = None) -> None:
        self.device = device
        self.quality = quality
        self.parts = parts
        self.usual = usual
        self.oldest_ms = min([part.times_ms[0] for part in parts], default=0)
        self.newest_ms = max([part.times_ms[-1] for part in parts], default=0)
        self._made: list[Point] | None = None

    @overload
    def __getitem__(self, index: int) -> Point: ...

    @overload
    def __getitem__(self, index: slice) -> list[Point]: ...

    def __getitem__(self, index: int | slice) -> Point | list[Point]:
        if self._made is None:
            self._made = [point for part in self.parts for point in self.points_of(part)]
        return self._made[index]

    def __bool__(self) -> bool:
        return bool(self.parts)

    def __len__(self) -> int:
        return sum(len(part.rows) for part in self.parts)

    def points_of(self, part: Part) -> list[Point]:
        """Make the points of one part."""
        table, site, times_ms, rows = part
        return [
            point(table, with_quality(row_values(table, row), self.quality), site, self.device, time_ms)
            for time_ms, row in zip(times_ms, rows, strict=True)
        ]


def oldest_ms(frame: Sequence[Point]) -> int:
    """Return the time of a frame's oldest point; it must have one."""
    return frame.oldest_ms if isinstance(frame, FramePoints) else min(item.time_ms for item in frame)


def series_key(item: Point) -> tuple[str, str, str, str | None]:
    """Site, device (empty for what the centre concluded), measurement and instance of a point."""
    tags = dict(item.tags)
    return tags["site"], tags.get("device", ""), item.measurement, tags.get(instance_tag(item.measurement))


def split_by_time(frame: Sequence[Point], border_ms: int) -> tuple[list[Point], list[Point]]:
    """Return a frame's points before and from ``border_ms`` on."""
    old = [item for item in frame if item.time_ms < border_ms]
    return old, [item for item in frame if item.time_ms >= border_ms]


def hours(frame: Sequence[Point], start_ms: int, stop_ms: int) -> set[tuple[str, int]]:
    """Return the sites and hours (their begin) of a frame's points in ``[start_ms, stop_ms)``."""
    if isinstance(frame, FramePoints):
        places = {(part.site, at) for part in frame.parts for at in part.times_ms}
    else:
        places = {(dict(item.tags)["site"], item.time_ms) for item in frame}
    return {(site, at - at % HOUR_MS) for site, at in places if start_ms <= at < stop_ms}


class Places:
    """Where a device was at each sample of a frame: ``parts_of`` divides its tables by that.

    The tables of a frame mostly share their moments, which are looked up once.
    """

    def __init__(self, site_of: Callable[[int], str | None], sealed_ms: int) -> None:
        self._site_of = site_of
        self._sealed_ms = sealed_ms
        self.newest_ms = sealed_ms - _EVER_MS  # of all rows, with or without a value
        self._offsets: list[int] | None = None
        self._times_ms: list[int] = []
        self._site: str | None = None  # of all of them; None: more than one, or not in order

    def parts_of_usual(self, usual: Usual) -> list[Part] | None:
        """Return the tables' rows when all were taken at one facility, in order; None when they were not."""
        parts: list[Part] = []
        for table in usual.tables:
            offsets = [row[0] for row in table.rows]
            if offsets != self._offsets:
                self._look(offsets)
            if self._site is None or (parts and self._site != parts[0].site):
                return None
            parts.append(Part(table, self._site, self._times_ms, table.rows))
        return parts

    def parts_of(self, table: Table) -> list[Part]:
        """Return the rows that hold a value, oldest first; those taken at no facility are left out."""
        rows = table.rows
        offsets = [row[0] for row in rows]
        if offsets != self._offsets:
            self._look(offsets)
        if self._site is not None and not any([None in row for row in rows]):  # noqa: C419 - a list is faster
            return [Part(table, self._site, self._times_ms, rows)]
        return self._one_by_one(table)

    def _look(self, offsets: list[int]) -> None:
        self._offsets, self._site = offsets, None
        self._times_ms = [self._sealed_ms + offset for offset in offsets]
        self.newest_ms = max(self.newest_ms, *self._times_ms)
        sites = {self._site_of(at) for at in self._times_ms}
        if len(sites) == 1 and offsets == sorted(offsets):
            (self._site,) = sites

    def _one_by_one(self, table: Table) -> list[Part]:
        parts = []
        for row in sorted(table.rows, key=_OFFSET):
            at = self._sealed_ms + row[0]
            site = self._site_of(at)
            if site is not None and any(value is not None for value in row[1:]):
                parts.append(Part(table, site, [at], (row,)))
        return parts
