"""What a bucket holds, series by series, so that two buckets can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from influxdb_client.client.influxdb_client import InfluxDBClient

if TYPE_CHECKING:
    from collector.config import InfluxConfig

Series = dict[tuple[str, ...], list[float]]
QUERY = (
    'from(bucket: "{bucket}") |> range(start: -40d, stop: 1d) |> filter(fn: (r) => exists r.device) |> {of}()'
)
OF = ("count", "sum", "min", "max")
_TAGS = ("_measurement", "_field", "site", "device", "interface", "ups_name", "url", "reader")


def series(url: str, token: str, influx: InfluxConfig) -> Series:
    """Return count, sum, least and greatest value of every field of every device's series."""
    found: Series = {}
    with InfluxDBClient(url, token, org=influx.org, timeout=300_000) as client:
        for of in OF:
            for record in client.query_api().query_stream(QUERY.format(bucket=influx.bucket, of=of)):
                found.setdefault(_key(record.values), []).append(round(record.get_value(), 3))
    return found


def _key(values: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(values.get(name, "")) for name in _TAGS)


def values(found: Series) -> int:
    """Return how many values there are."""
    return round(sum(entry[0] for entry in found.values()))
