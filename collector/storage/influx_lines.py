"""Points as InfluxDB's line protocol, version 2, times in ms. Pure.

Special characters: https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/ - names and tags
escape comma, space and equals sign; text fields escape quote and backslash. What has no escape (line breaks,
backslashes in tags) is kept out by ``ingest/tables.py``.
"""

from __future__ import annotations

from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from agent.wire import fields as register
from collector.model import Quality
from collector.storage.points import FramePoints, instance_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from collector.model import Instance, Point, Shape, Usual, Value

TAGS = 20_000  # of tables of devices that are remembered, some 200 bytes each
SHAPES = 500  # of tables and of frames whose forms are remembered, up to some KB each
_SIGNS = {"float": "%r", "int": "%di"}
_NAME = str.maketrans({",": "\\,", " ": "\\ ", "=": "\\="})
_TEXT = str.maketrans({'"': '\\"', "\\": "\\\\"})


def encode(points: Iterable[Point]) -> bytes:
    """Points as lines."""
    if isinstance(points, FramePoints):
        usual = points.usual
        return (_text_of(points, usual) if usual else "\n".join(_lines_of(points))).encode()
    return "\n".join(map(_line, points)).encode()


def _line(point: Point) -> str:
    tags = "".join(f",{name}={value.translate(_NAME)}" for name, value in point.tags)
    fields = ",".join(f"{name}={_value(value)}" for name, value in point.fields)
    return f"{point.measurement}{tags} {fields} {point.time_ms}"


def _value(value: Value) -> str:
    if type(value) is float:
        return repr(value)
    if type(value) is int:
        return f"{value}i"
    if type(value) is bool:
        return "true" if value else "false"
    return f'"{str(value).translate(_TEXT)}"'


# --- the points of a frame, without making them -----------------------------------------------------------


def _lines_of(frame: FramePoints) -> list[str]:
    """Rows of numbers go through a format that is made once; the others are made into points.

    ``%r`` and ``%d`` write what ``_value`` writes: the ingest made every value the type of its field.
    """
    device, end = frame.device, _end(frame)
    lines: list[str] = []
    for part in frame.parts:
        table, site, times_ms, rows = part
        form = _form(table.measurement, table.fields, end)
        if form is None or any([None in row for row in rows]):  # noqa: C419 - a generator costs more here
            lines += map(_line, frame.points_of(part))
        else:
            tags = _tags(table.measurement, table.instance, site, device)
            lines += [form % (tags, *row[1:], at) for row, at in zip(rows, times_ms, strict=True)]
    return lines


def _end(frame: FramePoints) -> str:
    return "" if frame.quality is Quality.SYNCED else f',{register.TIME_QUALITY}="{frame.quality.value}"'


@lru_cache(SHAPES)
def _form(measurement: str, names: tuple[str, ...], end: str) -> str | None:
    """Return the format of a line of tags, values and time; None when a field is no number."""
    known = register.MEASUREMENTS.get(measurement)
    rules = known.fields if known else {}
    signs = [_SIGNS.get(rules[name].type if name in rules else "float") for name in names]
    if None in signs:
        return None
    values = ",".join(f"{name}={sign}" for name, sign in zip(names, signs, strict=True))
    return f"{measurement}%s {values}{end} %d"


@lru_cache(TAGS)
def _tags(measurement: str, instance: Instance, site: str, device: str) -> str:
    tags = [("device", device), ("site", site)]
    if instance is not None:
        tags = sorted([*tags, (instance_tag(measurement), instance)])
    return "".join(f",{name}={value.translate(_NAME)}" for name, value in tags)


# --- a whole frame of the usual kind at once ----------------------------------------------------------------


def _text_of(frame: FramePoints, usual: Usual) -> str:
    """All lines by one format, which devices with the same readers share."""
    form, pick = _whole(usual.shape, _end(frame))
    device = frame.device
    tags = [_tags(part.table.measurement, part.table.instance, part.site, device) for part in frame.parts]
    times_ms = [at for part in frame.parts for at in part.times_ms]
    return form % pick([*tags, *times_ms, *usual.values])


@lru_cache(SHAPES)
def _whole(shape: Shape, end: str) -> tuple[str, Callable[[list[Any]], tuple[Any, ...]]]:
    """Return the format of all lines, and what picks its values out of tags, times and values end to end."""
    forms: list[str] = []
    order: list[int] = []
    tables = len(shape.kinds)
    at = tables + sum(kind.rows for kind in shape.kinds)
    for number, (measurement, names, rows) in enumerate(shape.kinds):
        for _ in range(rows):
            values = range(at + 1, at + 1 + len(names))  # behind the row's offset
            order += [number, *values, tables + len(forms)]
            forms.append(_form(measurement, names, end) or "")
            at = values.stop
    return "\n".join(forms), itemgetter(*order)
