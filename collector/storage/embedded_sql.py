"""The embedded store's SQL. Times in ms; ``fields`` is a JSON object without nulls."""

from __future__ import annotations

WINDOW_MS = 300_000
WINDOWS_AT_ONCE = 2_000

SCHEMA = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    """CREATE TABLE IF NOT EXISTS series (
        id INTEGER PRIMARY KEY, site TEXT NOT NULL, device TEXT NOT NULL,
        measurement TEXT NOT NULL, instance TEXT)""",
    """CREATE UNIQUE INDEX IF NOT EXISTS series_key
        ON series (site, measurement, device, coalesce(instance, ''))""",
    """CREATE TABLE IF NOT EXISTS type (
        measurement TEXT, field TEXT, type TEXT NOT NULL,
        PRIMARY KEY (measurement, field)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS point (
        series INTEGER, time_ms INTEGER, fields TEXT NOT NULL,
        PRIMARY KEY (series, time_ms)) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS point_time ON point (time_ms)",
    """CREATE TABLE IF NOT EXISTS long (
        series INTEGER, time_ms INTEGER, fields TEXT NOT NULL,
        PRIMARY KEY (series, time_ms)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS latest (
        series INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, fields TEXT NOT NULL)""",
)

TYPES = "SELECT measurement, field, type FROM type"
PUT_TYPE = "INSERT INTO type VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
FIND_SERIES = "SELECT id FROM series WHERE site = ? AND device = ? AND measurement = ? AND instance IS ?"
PUT_SERIES = "INSERT INTO series (site, device, measurement, instance) VALUES (?, ?, ?, ?) RETURNING id"

PUT_POINT = """INSERT INTO point VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET fields = json_patch(fields, excluded.fields)"""
PUT_LATEST = """INSERT INTO latest SELECT series, time_ms, fields FROM point WHERE series = ? AND time_ms = ?
    ON CONFLICT DO UPDATE SET time_ms = excluded.time_ms, fields = excluded.fields
    WHERE excluded.time_ms >= latest.time_ms"""

LATEST = """SELECT site, device, measurement, instance, time_ms, fields
    FROM series JOIN latest ON latest.series = series.id
    WHERE device <> '' AND (:site IS NULL OR site = :site) AND time_ms >= :since
    ORDER BY site, device, measurement, instance"""

_CHOSEN = """site = :site AND measurement = :measurement
    AND (:device IS NULL OR device = :device) AND (:instance IS NULL OR instance = :instance)"""
_NUMBERS = f"""
    SELECT device, instance, time_ms, json_extract(fields, :field) AS value
    FROM series JOIN point ON point.series = series.id
    WHERE {_CHOSEN} AND time_ms >= :start AND time_ms < :stop
        AND json_type(fields, :field) IN ('integer', 'real')
    UNION ALL
    SELECT device, instance, time_ms, json_extract(fields, :mean)
    FROM series JOIN long ON long.series = series.id
    WHERE {_CHOSEN} AND time_ms >= :start AND time_ms < :stop
        AND json_type(fields, :mean) IN ('integer', 'real')"""  # noqa: S608 - constants of this file
SERIES_RAW = f"SELECT * FROM ({_NUMBERS}) ORDER BY device, instance, time_ms"  # noqa: S608 - same
SERIES_MEAN = f"""SELECT device, instance, time_ms / :every * :every AS start, avg(value)
    FROM ({_NUMBERS}) GROUP BY device, instance, start ORDER BY device, instance, start"""  # noqa: S608 - same

DROP_OLD = "DELETE FROM long WHERE time_ms < ?"
OLD_WINDOWS = f"""SELECT DISTINCT series, time_ms / {WINDOW_MS} * {WINDOW_MS} AS start
    FROM point WHERE time_ms / {WINDOW_MS} * {WINDOW_MS} + {WINDOW_MS} <= :before
    AND time_ms < :before LIMIT {WINDOWS_AT_ONCE}"""  # noqa: S608 - same
WINDOW = "SELECT fields FROM point WHERE series = ? AND time_ms >= ? AND time_ms < ?"
DROP_WINDOW = "DELETE FROM point WHERE series = ? AND time_ms >= ? AND time_ms < ?"
GET_LONG = "SELECT fields FROM long WHERE series = ? AND time_ms = ?"
PUT_LONG = "INSERT OR REPLACE INTO long VALUES (?, ?, ?)"
