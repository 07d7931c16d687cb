"""From a frame's tables to points: names, tags and times, the same for every store.

Measurement and field names are those of ``agent/wire/fields.py``. Tags are ``site``, ``device`` and the
instance under the register's name for it, in order of their names; nothing else is a tag.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.wire import fields as register
from collector.model import Point, Quality

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collector.model import Table, Value

_FALLBACK_TAG = "instance"  # of a measurement that the register no longer knows


def instance_tag(measurement: str) -> str:
    """Return the tag that names a measurement's instance."""
    known = register.MEASUREMENTS.get(measurement)
    return (known.tag if known else None) or _FALLBACK_TAG


def row_values(table: Table, row: tuple[Any, ...]) -> dict[str, Value]:
    """Return the values of one row by name, without those that are missing."""
    return {name: value for name, value in zip(table.fields, row[1:], strict=True) if value is not None}


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


def series_key(item: Point) -> tuple[str, str, str, str | None]:
    """Site, device (empty for what the centre concluded), measurement and instance of a point."""
    tags = dict(item.tags)
    return tags["site"], tags.get("device", ""), item.measurement, tags.get(instance_tag(item.measurement))


def split_by_time(frame: Sequence[Point], border_ms: int) -> tuple[list[Point], list[Point]]:
    """Return a frame's points before and from ``border_ms`` on."""
    old = [item for item in frame if item.time_ms < border_ms]
    return old, [item for item in frame if item.time_ms >= border_ms]


def rows_in_time(table: Table) -> Iterator[tuple[Any, ...]]:
    """Return a table's rows, oldest first."""
    return iter(sorted(table.rows, key=lambda row: int(row[0])))
