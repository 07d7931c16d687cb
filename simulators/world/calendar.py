"""Local time of the facilities: Mexico City has been UTC-6 all year since 2022 (no daylight saving)."""

from __future__ import annotations

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_OFFSET_MS = -6 * HOUR_MS
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0
SATURDAY = 5


def hour(t_ms: int) -> float:
    """Hour of the local day, in [0, 24)."""
    return ((t_ms + _OFFSET_MS) % DAY_MS) / HOUR_MS


def weekday(t_ms: int) -> int:
    """Return the local day of the week, Monday 0 to Sunday 6."""
    return ((t_ms + _OFFSET_MS) // DAY_MS + _EPOCH_WEEKDAY) % 7


def profile(values: tuple[float, ...], t_ms: int) -> float:
    """Return the value of a daily profile of 24 hourly values, linear in between."""
    at = hour(t_ms)
    low = int(at)
    share = at - low
    return values[low] * (1.0 - share) + values[(low + 1) % 24] * share
