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
    from collections.abc import Iterator

    from collector.model import Table, Value

HOUR_MS = 3_600_000
_OFFSET = itemgetter(0)
_FALLBACK_TAG = "instance"  # of a measurement that the register no longer knows


def instance_tag(measurement: str) -> str:
    """Return the tag that names a measurement's instance."""
    known = register.MEASUREMENTS.get(measurement)
    return (known.tag if known else None) or _FALLBACK_TAG


def row_values(table: Table, row: tuple[Any, ...]) -> dict[str, Value]:
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


class Taken(NamedTuple):
    """One row of a table, where and when it was taken."""

    table: Table
    site: str
    time_ms: int
    row: tuple[Any, ...]


class FramePoints(Sequence[Point]):
    """The points of one frame. They are made when somebody looks at them; ``rows`` is what they are made of.

    A store that writes text need not look: see ``influx_lines``. Every row has a value.
    """

    __slots__ = ("_made", "device", "newest_ms", "oldest_ms", "quality", "rows")

    def __init__(self, device: str, quality: Quality, rows: list[Taken]) -> None:
        self.device = device
        self.quality = quality
        self.rows = rows
        times = [taken.time_ms for taken in rows]
        self.oldest_ms, self.newest_ms = min(times, default=0), max(times, default=0)
        self._made: list[Point] | None = None

    @overload
    def __getitem__(self, index: int) -> Point: ...

    @overload
    def __getitem__(self, index: slice) -> list[Point]: ...

    def __getitem__(self, index: int | slice) -> Point | list[Point]:
        if self._made is None:
            self._made = [self._point(taken) for taken in self.rows]
        return self._made[index]

    def __len__(self) -> int:
        return len(self.rows)

    def _point(self, taken: Taken) -> Point:
        values = with_quality(row_values(taken.table, taken.row), self.quality)
        return point(taken.table, values, taken.site, self.device, taken.time_ms)


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
        places = {(taken.site, taken.time_ms) for taken in frame.rows}
    else:
        places = {(dict(item.tags)["site"], item.time_ms) for item in frame}
    return {(site, at - at % HOUR_MS) for site, at in places if start_ms <= at < stop_ms}


def rows_in_time(table: Table) -> Iterator[tuple[Any, ...]]:
    """Return a table's rows, oldest first."""
    return iter(sorted(table.rows, key=_OFFSET))
