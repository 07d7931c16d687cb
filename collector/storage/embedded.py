"""A store in one SQLite file, for a laptop, a demonstration or tests; behaves as ``influx`` does.

Ingest writes, the web reads from another process: WAL lets them. A row is one point, its fields as JSON;
writing a point again merges its fields, as InfluxDB does. A field keeps the type it was first written with.
Rows older than the raw retention become 5-minute means, minima and maxima; rows older than the long
retention go. Commits are durable (``synchronous=FULL``): the broker forgets what is acknowledged.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from collector.errors import StoreUnavailableError
from collector.model import Reason
from collector.storage import embedded_sql as sql
from collector.storage.points import series_key
from collector.storage.port import Latest, Series, Written

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collector.clock import Clock
    from collector.config import StoreConfig
    from collector.model import Point
    from collector.storage.port import SeriesQuery

DAY_MS = 86_400_000
SWEEP_S = 600.0
SERIES_MAX = 10_000
_BUSY_S = 10.0

Types = dict[tuple[str, str], str]
Key = tuple[str, str, str, str | None]


class EmbeddedStore:
    """Readings in a SQLite file; one connection per thread."""

    def __init__(self, config: StoreConfig, clock: Clock) -> None:
        self._path = config.embedded.path
        self._raw_ms = config.raw_retention_days * DAY_MS
        self._long_ms = config.long_retention_days * DAY_MS
        self._clock = clock
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._series: dict[Key, int] = {}
        self._types: Types = {}
        self._next_sweep = 0.0

    def provision(self) -> list[str]:
        """Create the file and its tables; the tables are created at the first use as well."""
        new = not self._path.exists()
        with self._database():
            pass
        return [f"store: {self._path} created"] if new else []

    def check(self) -> None:
        """Return when the file can be written."""
        with self._database() as database, database:
            database.execute("BEGIN IMMEDIATE")

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for connection in self._opened:
                connection.close()
            self._opened.clear()
            self._local = threading.local()

    # --- writing --------------------------------------------------------------------------------------

    def write(self, frames: Sequence[Sequence[Point]]) -> list[Written]:
        """Write the points of each frame, all frames in one transaction."""
        with self._database() as database:
            try:
                with database:
                    database.execute("BEGIN IMMEDIATE")
                    self._load_types(database)
                    written = self._write(database, frames)
            except BaseException:
                self._types, self._series = {}, {}  # of rows that were rolled back
                raise
            self._sweep(database)
        return written

    def _load_types(self, database: sqlite3.Connection) -> None:
        if not self._types:
            self._types = {(m, name): kind for m, name, kind in database.execute(sql.TYPES)}

    def _write(self, database: sqlite3.Connection, frames: Sequence[Sequence[Point]]) -> list[Written]:
        oldest_ms = self._clock.now_ms() - self._long_ms
        answers, rows = [], []
        for frame in frames:
            refusal = self._refusal(frame, oldest_ms)
            answers.append(refusal or Written())
            if refusal is None:
                self._learn_types(database, frame)
                rows += [self._row(database, item) for item in frame]
        database.executemany(sql.PUT_POINT, rows)
        newest: dict[int, tuple[int, int, str]] = {}
        for row in rows:
            if row[0] not in newest or newest[row[0]][1] <= row[1]:
                newest[row[0]] = row
        # the row in `point` may have been merged with an earlier write of the same time
        database.executemany(sql.PUT_LATEST, [(series, time_ms) for series, time_ms, _ in newest.values()])
        return answers

    def _refusal(self, frame: Sequence[Point], oldest_ms: int) -> Written | None:
        types: Types = {}
        for item in frame:
            if item.time_ms < oldest_ms:
                return Written(Reason.BEYOND_RETENTION, f"{item.measurement} at {item.time_ms} ms")
            for name, value in item.fields:
                key, kind = (item.measurement, name), type(value).__name__
                known = self._types.get(key) or types.setdefault(key, kind)
                if known != kind:
                    text = f"{item.measurement}.{name} is {known}, not {kind}"
                    return Written(Reason.TYPE_CONFLICT, text)
        return None

    def _learn_types(self, database: sqlite3.Connection, frame: Sequence[Point]) -> None:
        for item in frame:
            for name, value in item.fields:
                key = (item.measurement, name)
                if key not in self._types:
                    self._types[key] = type(value).__name__
                    database.execute(sql.PUT_TYPE, (*key, self._types[key]))

    def _row(self, database: sqlite3.Connection, item: Point) -> tuple[int, int, str]:
        key = series_key(item)
        series = self._series.get(key)
        if series is None:
            found = database.execute(sql.FIND_SERIES, key).fetchone()
            if found is None:
                found = database.execute(sql.PUT_SERIES, key).fetchone()
            series = self._series[key] = found[0]
        return series, item.time_ms, json.dumps(dict(item.fields), allow_nan=False)

    def _sweep(self, database: sqlite3.Connection) -> None:
        """Turn old rows into means; now and then, a bounded number at a time."""
        if self._clock.mono() < self._next_sweep:
            return
        now_ms = self._clock.now_ms()
        with database:
            database.execute("BEGIN IMMEDIATE")
            more = _condense(database, now_ms - self._raw_ms, now_ms - self._long_ms)
        self._next_sweep = self._clock.mono() + (0 if more else SWEEP_S)

    # --- reading --------------------------------------------------------------------------------------

    def late_hours(self, frames: Sequence[Sequence[Point]]) -> set[tuple[str, int]]:  # noqa: ARG002 - the port's
        """Return none: rows that come late are added to the means that there are."""
        return set()

    def make_means(self, site: str, start_ms: int, stop_ms: int) -> None:
        """Do nothing: see ``late_hours``."""

    def latest(self, site: str | None = None, since_ms: int = 0) -> list[Latest]:
        """Return the newest row of every series."""
        with self._database() as database:
            rows = database.execute(sql.LATEST, {"site": site, "since": since_ms}).fetchall()
        return [
            Latest(site, device, measurement, instance, time_ms, json.loads(fields))
            for site, device, measurement, instance, time_ms, fields in rows
        ]

    def series(self, query: SeriesQuery) -> list[Series]:
        """Return numbers over time, from raw rows and, where those are gone, from 5-minute means."""
        found: dict[tuple[str, str | None, str], Series] = {}
        with self._database() as database:
            for name in query.fields:
                for device, instance, time_ms, value in database.execute(*_series_query(query, name)):
                    key = (device, instance, name)
                    if key not in found:
                        found[key] = Series(device, query.measurement, instance, name)
                    if len(found[key].points) < SERIES_MAX:
                        found[key].points.append((time_ms, float(value)))
        return [found[key] for key in sorted(found, key=lambda key: (key[0], key[1] or "", key[2]))]

    # --- connections ------------------------------------------------------------------------------------

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """Yield this thread's connection; SQLite's troubles come out as ``StoreUnavailableError``."""
        try:
            connection = getattr(self._local, "connection", None)
            if connection is None:
                connection = self._local.connection = self._open()
            yield connection
        except sqlite3.OperationalError as error:
            raise StoreUnavailableError(f"{self._path}: {error}") from error

    def _open(self) -> sqlite3.Connection:
        # transactions begin where we say so; close() may run in another thread
        connection = sqlite3.connect(
            self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        with self._lock:
            self._opened.append(connection)
        for statement in sql.SCHEMA:
            connection.execute(statement)
        return connection


def _series_query(query: SeriesQuery, name: str) -> tuple[str, dict[str, Any]]:
    values = {
        "site": query.site, "measurement": query.measurement, "device": query.device,
        "instance": query.instance, "start": query.start_ms, "stop": query.stop_ms,
        "field": f'$."{name}"', "mean": f'$."{name}_mean"', "every": query.every_ms,
    }  # fmt: skip
    return (sql.SERIES_RAW if query.every_ms is None else sql.SERIES_MEAN), values


def _condense(database: sqlite3.Connection, raw_before_ms: int, long_before_ms: int) -> bool:
    """Replace rows before ``raw_before_ms`` by 5-minute rows; say whether there are more of them."""
    database.execute(sql.DROP_OLD, (long_before_ms,))
    windows = database.execute(sql.OLD_WINDOWS, {"before": raw_before_ms}).fetchall()
    for series, start_ms in windows:
        window = (series, start_ms, start_ms + sql.WINDOW_MS)
        rows = [json.loads(row[0]) for row in database.execute(sql.WINDOW, window)]
        before = database.execute(sql.GET_LONG, (series, start_ms)).fetchone()
        means = _means(rows, json.loads(before[0]) if before else {})
        database.execute(sql.DROP_WINDOW, window)
        database.execute(sql.PUT_LONG, (series, start_ms, json.dumps(means)))
    return len(windows) == sql.WINDOWS_AT_ONCE


def _means(rows: list[dict[str, Any]], before: dict[str, float]) -> dict[str, float]:
    """Mean, minimum, maximum and count of every numeric field, with those of rows that came before."""
    numbers: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.items():
            if type(value) in {int, float}:
                numbers.setdefault(name, []).append(float(value))
    found = dict(before)
    for name, values in numbers.items():
        counted = before.get(f"{name}_n", 0)
        total = before.get(f"{name}_mean", 0.0) * counted + sum(values)
        found[f"{name}_n"] = counted + len(values)
        found[f"{name}_mean"] = total / found[f"{name}_n"]
        found[f"{name}_min"] = min([*values, before.get(f"{name}_min", values[0])])
        found[f"{name}_max"] = max([*values, before.get(f"{name}_max", values[0])])
    return found
