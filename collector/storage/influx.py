"""InfluxDB 2: line protocol prepared and sent by us, everything else through influxdb-client.

What InfluxDB answers decides what becomes of a frame: 400, 413 and 422 are about the points, and the batch
is halved until the culprit is alone; everything else (401 and 404 too: a token or bucket that is being set
up) is about the server, and nothing is lost by trying again. Points older than the raw retention go to the
long bucket under their own names, beside the 5-minute means that a task of the server makes.

A server whose disk was full acknowledges what it will lose: ``influx_trust`` says when not to write to it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from urllib3.exceptions import HTTPError

from collector.errors import StoreUnavailableError
from collector.model import Reason
from collector.storage import influx_flux, influx_lines
from collector.storage.influx_http import Answer, LineWriter
from collector.storage.influx_trust import InfluxTrust
from collector.storage.points import HOUR_MS, hours, instance_tag, oldest_ms, split_by_time
from collector.storage.port import Latest, Series, Written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.clock import Clock
    from collector.config import StoreConfig
    from collector.model import Point, Value
    from collector.storage.influx_client import InfluxClient
    from collector.storage.port import SeriesQuery

DAY_MS = 86_400_000
MARGIN_MS = 3_600_000  # points that would fall out of the raw bucket while they are on their way
LATE_MS = 5 * 3_600_000  # the task that makes the means goes back 6 hours, every 15 minutes
_ABOUT_POINTS = {400, 413, 422}
_REASONS = (
    ("field type conflict", Reason.TYPE_CONFLICT),
    ("retention policy", Reason.BEYOND_RETENTION),
)


class _RefusedError(Exception):
    """InfluxDB does not take some of these points."""


class InfluxStore:
    """Readings in an InfluxDB 2 server."""

    def __init__(self, config: StoreConfig, token: str, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._token = token
        self._writer = LineWriter(config.influx, token)
        self._opened: InfluxClient | None = None
        self._trust = InfluxTrust(config.influx.url, config.influx.timeout_ms)

    def _client(self) -> InfluxClient:
        if self._opened is None:
            from collector.storage.influx_client import InfluxClient  # noqa: PLC0415 - see influx_http

            self._opened = InfluxClient(self._config.influx, self._token)
        return self._opened

    def provision(self) -> list[str]:
        """Create or correct buckets, their retention, and the task that makes the means."""
        return self._client().provision(self._config)

    def check(self) -> None:
        """Return when points can be written: the server answers and the bucket is there."""
        if not self._client().has_bucket(self._config.influx.bucket):
            raise StoreUnavailableError(f"InfluxDB has no bucket '{self._config.influx.bucket}': provision")

    def close(self) -> None:
        """Give the connections back."""
        self._writer.close()
        if self._opened is not None:
            self._opened.close()
        self._trust.close()

    # --- writing --------------------------------------------------------------------------------------

    def write(self, frames: Sequence[Sequence[Point]]) -> list[Written]:
        """Write the points of each frame: new ones to the raw bucket, old ones to the long one."""
        self._refuse_the_broken()
        now_ms = self._clock.now_ms()
        limit_ms = now_ms - self._config.long_retention_days * DAY_MS
        answers = [_too_old(frame, limit_ms) for frame in frames]
        border_ms = now_ms - self._config.raw_retention_days * DAY_MS + MARGIN_MS
        lines: dict[str, dict[int, bytes]] = {}
        for index, frame in enumerate(frames):
            if answers[index].reason is not None:
                continue
            for bucket, points in self._buckets(frame, border_ms):
                lines.setdefault(bucket, {})[index] = influx_lines.encode(points)
        for bucket, numbered in lines.items():
            for index, answer in self._put(bucket, list(numbered.items())).items():
                answers[index] = answer
        return answers

    def _refuse_the_broken(self) -> None:
        """Write nothing to a server that would acknowledge and forget it."""
        try:
            reason = self._trust.broken()
        except HTTPError as error:
            raise self._unavailable(error) from error
        if reason is not None:
            raise StoreUnavailableError(f"InfluxDB at {self._config.influx.url} {reason}")

    def _buckets(self, frame: Sequence[Point], border_ms: int) -> list[tuple[str, Sequence[Point]]]:
        """Say which points of a frame go where."""
        influx = self._config.influx
        if not frame or oldest_ms(frame) >= border_ms:
            return [(influx.bucket, frame)] if frame else []
        old, new = split_by_time(frame, border_ms)
        return [(bucket, part) for bucket, part in ((influx.long_bucket, old), (influx.bucket, new)) if part]

    def _put(self, bucket: str, frames: list[tuple[int, bytes]]) -> dict[int, Written]:
        """Write frames; return what was refused. Halves until the culprits are alone."""
        try:
            self._post(bucket, b"\n".join(lines for _, lines in frames))
        except _RefusedError as error:
            if len(frames) == 1:
                return {frames[0][0]: Written(_reason(str(error)), str(error))}
            middle = len(frames) // 2
            return self._put(bucket, frames[:middle]) | self._put(bucket, frames[middle:])
        return {}

    def _post(self, bucket: str, lines: bytes) -> None:
        try:
            self._writer.write(bucket, lines)
        except Answer as answer:
            if answer.status in _ABOUT_POINTS:
                raise _RefusedError(answer.text) from answer
            self._trust.doubt()
            raise self._unavailable(answer) from answer
        except HTTPError as error:
            self._trust.doubt()
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> StoreUnavailableError:
        return StoreUnavailableError(f"InfluxDB at {self._config.influx.url}: {error}")

    # --- means -----------------------------------------------------------------------------------------

    def late_hours(self, frames: Sequence[Sequence[Point]]) -> set[tuple[str, int]]:
        """Return the hours that the task has done; what goes to the long bucket itself is not meant."""
        now_ms = self._clock.now_ms()
        found: set[tuple[str, int]] = set()
        for frame in frames:
            if frame and oldest_ms(frame) < now_ms - LATE_MS:
                found |= hours(frame, self._whole_from_ms(now_ms), now_ms - LATE_MS)
        return found

    def make_means(self, site: str, start_ms: int, stop_ms: int) -> None:
        """Make the means of a site's hours again, except those that the raw bucket begins to lose."""
        start_ms = max(start_ms, self._whole_from_ms(self._clock.now_ms()))
        if start_ms >= stop_ms:
            return
        influx = self._config.influx
        params = {"_bucket": influx.bucket, "_long_bucket": influx.long_bucket, "_site": site}
        self._client().query(
            influx_flux.means(), params | {"_start": _time(start_ms), "_stop": _time(stop_ms)}
        )

    def _whole_from_ms(self, now_ms: int) -> int:
        """Return from which hour on the raw bucket has everything."""
        border_ms = now_ms - self._config.raw_retention_days * DAY_MS + 2 * MARGIN_MS
        return border_ms + -border_ms % HOUR_MS

    # --- reading --------------------------------------------------------------------------------------

    def latest(self, site: str | None = None, since_ms: int = 0) -> list[Latest]:
        """Return the newest row of every series in the raw bucket."""
        oldest_ms = self._clock.now_ms() - self._config.raw_retention_days * DAY_MS
        params = {"_bucket": self._config.influx.bucket, "_start": _time(max(since_ms, oldest_ms))}
        if site is not None:
            params["_site"] = site
        newest: dict[tuple[str, str, str, str | None], tuple[int, dict[str, Value]]] = {}
        for record in self._client().query(influx_flux.latest(by_site=site is not None), params):
            values = record.values
            if "device" not in values:
                continue  # what the centre concluded
            measurement = values["_measurement"]
            key = (values["site"], values["device"], measurement, values.get(instance_tag(measurement)))
            time_ms = _ms(values["_time"])
            kept = newest.get(key)
            if kept is None or time_ms > kept[0]:
                kept = newest[key] = (time_ms, {})
            if time_ms == kept[0]:
                kept[1][values["_field"]] = values["_value"]
        rows = [Latest(*key, *row) for key, row in newest.items()]
        return sorted(rows, key=lambda row: (row.site, row.device, row.measurement, row.instance or ""))

    def series(self, query: SeriesQuery) -> list[Series]:
        """Return numbers over time, from the raw bucket and, for what is older, from the long one."""
        fields = influx_flux.numeric_fields(query)
        if not fields:
            return []
        border_ms = self._clock.now_ms() - self._config.raw_retention_days * DAY_MS
        found: dict[tuple[str, str | None, str], dict[int, float]] = {}
        if query.start_ms < border_ms:
            names = {name: name for name in fields} | {f"{name}_mean": name for name in fields}
            self._collect(found, query, self._config.influx.long_bucket, names)
        self._collect(found, query, self._config.influx.bucket, {name: name for name in fields})
        keys = sorted(found, key=lambda key: (key[0], key[1] or "", key[2]))
        return [
            Series(device, query.measurement, instance, name, sorted(found[device, instance, name].items()))
            for device, instance, name in keys
        ]

    def _collect(
        self,
        found: dict[tuple[str, str | None, str], dict[int, float]],
        query: SeriesQuery,
        bucket: str,
        names: dict[str, str],
    ) -> None:
        """Add what one bucket has; ``names`` are its fields and what they are called here."""
        tag = instance_tag(query.measurement)
        flux, params = influx_flux.series(query, tag, list(names))
        params |= {"_bucket": bucket, "_start": _time(query.start_ms), "_stop": _time(query.stop_ms)}
        for record in self._client().query(flux, params):
            values = record.values
            key = (values.get("device") or "", values.get(tag), names[values["_field"]])
            time_ms = _ms(values["_time"])
            if query.every_ms is not None:
                time_ms -= time_ms % query.every_ms  # the first window begins where the range does
            found.setdefault(key, {})[time_ms] = float(values["_value"])


def _too_old(frame: Sequence[Point], limit_ms: int) -> Written:
    if not frame or oldest_ms(frame) >= limit_ms:
        return Written()
    for item in frame:
        if item.time_ms < limit_ms:
            return Written(Reason.BEYOND_RETENTION, f"{item.measurement} at {item.time_ms} ms")
    return Written()


def _reason(text: str) -> Reason:
    return next((reason for part, reason in _REASONS if part in text), Reason.STORE_REFUSED)


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=ms)


def _ms(time: datetime) -> int:
    return (time - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
