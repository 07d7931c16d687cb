"""Points as InfluxDB's line protocol, version 2, times in ms. Pure.

Special characters: https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/ - names and tags
escape comma, space and equals sign; text fields escape quote and backslash. What has no escape (line breaks,
backslashes in tags) is kept out by ``ingest/tables.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collector.model import Point, Value

_NAME = str.maketrans({",": "\\,", " ": "\\ ", "=": "\\="})
_TEXT = str.maketrans({'"': '\\"', "\\": "\\\\"})


def encode(points: Iterable[Point]) -> bytes:
    """Points as lines."""
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
