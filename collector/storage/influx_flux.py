"""Flux queries. What comes from outside is a parameter, never text of the query."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from agent.wire import fields as register

if TYPE_CHECKING:
    from collector.storage.port import SeriesQuery

POINTS_MAX = 10_000
AGGREGATES = ("mean", "min", "max")


def latest(*, by_site: bool) -> str:
    """Return the last value of every field of every series.

    Parameters: _bucket, _start, _site when ``by_site``.
    """
    return _lines(
        "from(bucket: _bucket)",
        "range(start: _start)",
        "filter(fn: (r) => r.site == _site)" if by_site else "",
        "last()",
    )


def series(query: SeriesQuery, tag: str, fields: list[str]) -> tuple[str, dict[str, Any]]:
    """Fields over time, with the parameters; the caller adds _bucket, _start, _stop.

    ``tag`` names the instance; it comes from the register, not from outside.
    """
    params: dict[str, Any] = {"_site": query.site, "_measurement": query.measurement}
    params |= {f"_field{at}": name for at, name in enumerate(fields)}
    conditions = ["r._measurement == _measurement", "r.site == _site"]
    if query.device is not None:
        params["_device"] = query.device
        conditions.append("r.device == _device")
    if query.instance is not None:
        params["_instance"] = query.instance
        conditions.append(f'r["{tag}"] == _instance')
    either = " or ".join(f"r._field == _field{at}" for at in range(len(fields)))
    window = ""
    if query.every_ms is not None:
        params["_every"] = timedelta(milliseconds=query.every_ms)
        window = 'aggregateWindow(every: _every, fn: mean, timeSrc: "_start", createEmpty: false)'
    flux = _lines(
        "from(bucket: _bucket)",
        "range(start: _start, stop: _stop)",
        f"filter(fn: (r) => {' and '.join(conditions)})",
        f"filter(fn: (r) => {either})",
        window,
        f"limit(n: {POINTS_MAX})",
    )
    return flux, params


def numeric_fields(query: SeriesQuery) -> list[str]:
    """Return the fields of a query that are numbers; fields that the register does not know are."""
    known = register.MEASUREMENTS.get(query.measurement)
    fields = known.fields if known else {}
    return [name for name in query.fields if name not in fields or fields[name].type in {"int", "float"}]


def downsampling(name: str, bucket: str, long_bucket: str) -> str:
    """Return the task that makes 5-minute means, minima and maxima.

    It goes over the last 6 hours every 15 minutes, so that frames that were spooled that long are counted;
    for what comes later than that see ``means``.
    """
    return f"""import "date"
import "types"

option task = {{name: {_text(name)}, every: 15m, offset: 1m}}

stop = date.truncate(t: now(), unit: 5m)
start = date.sub(d: 6h, from: stop)
numbers = from(bucket: {_text(bucket)})
    |> range(start: start, stop: stop)
    |> filter(fn: (r) => types.isNumeric(v: r._value))
    |> toFloat()

""" + "".join(f"{_aggregate(name)}\n    |> to(bucket: {_text(long_bucket)})\n" for name in AGGREGATES)


def means() -> str:
    """Return a query that makes what the task makes, of one site; its result is empty.

    Parameters: _bucket, _long_bucket, _site, _start, _stop, whole windows of 5 minutes.
    """
    numbers = _lines(
        "numbers = from(bucket: _bucket)",
        "range(start: _start, stop: _stop)",
        "filter(fn: (r) => r.site == _site)",
        "filter(fn: (r) => types.isNumeric(v: r._value))",
        "toFloat()",
    )
    made = [
        _lines(_aggregate(name), "to(bucket: _long_bucket)", "limit(n: 1)", f'yield(name: "{name}")')
        for name in AGGREGATES
    ]
    return "\n".join(['import "types"', numbers, *made])


def _aggregate(name: str) -> str:
    return _lines(
        "numbers",
        f'aggregateWindow(every: 5m, fn: {name}, timeSrc: "_start", createEmpty: false)',
        f'map(fn: (r) => ({{r with _field: r._field + "_{name}"}}))',
    )


def _text(value: str) -> str:
    """Return a Flux string literal; ``${`` would begin an expression."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${")
    return f'"{escaped}"'


def _lines(*steps: str) -> str:
    return "\n    |> ".join(step for step in steps if step)
