"""Points as InfluxDB's line protocol, version 2, times in ms. Pure.

Special characters: https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/ - names and tags
escape comma, space and equals sign; text fields escape quote and backslash. What has no escape (line breaks,
backslashes in tags) is kept out by ``ingest/tables.py``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from agent.wire import fields as register
from collector.model import Quality
from collector.storage.points import FramePoints, instance_tag

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collector.model import Instance, Point, Value

FORMS = 20_000  # tables of devices whose lines' form is remembered; a form takes some 300 bytes
_SIGNS = {"float": "%r", "int": "%di"}
_NAME = str.maketrans({",": "\\,", " ": "\\ ", "=": "\\="})
_TEXT = str.maketrans({'"': '\\"', "\\": "\\\\"})


def encode(points: Iterable[Point]) -> bytes:
    """Points as lines."""
    if isinstance(points, FramePoints):
        return "\n".join(_lines_of(points)).encode()
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
    device, end = frame.device, " %d"
    if frame.quality is not Quality.SYNCED:
        end = f',{register.TIME_QUALITY}="{frame.quality.value}" %d'
    lines: list[str] = []
    for part in frame.parts:
        table, site, times_ms, rows = part
        form = _form(table.measurement, table.fields, table.instance, site, device, end)
        if form is None or any([None in row for row in rows]):  # noqa: C419 - a generator costs more here
            lines += map(_line, frame.points_of(part))
        else:
            lines += [form % (row[1:] + (at,)) for row, at in zip(rows, times_ms, strict=True)]  # noqa: RUF005 - half the time
    return lines


@lru_cache(FORMS)
def _form(
    measurement: str, names: tuple[str, ...], instance: Instance, site: str, device: str, end: str
) -> str | None:
    """Return the format of a line, None when a field is no number."""
    known = register.MEASUREMENTS.get(measurement)
    rules = known.fields if known else {}
    signs = [_SIGNS.get(rules[name].type if name in rules else "float") for name in names]
    if None in signs:
        return None
    tags = [("device", device), ("site", site)]
    if instance is not None:
        tags = sorted([*tags, (instance_tag(measurement), instance)])
    head = "".join(f",{name}={value.translate(_NAME)}" for name, value in tags).replace("%", "%%")
    values = ",".join(f"{name}={sign}" for name, sign in zip(names, signs, strict=True))
    return f"{measurement}{head} {values}{end}"
