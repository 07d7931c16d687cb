"""A battery that ages: its runtime at like load against its own history, once a day.

What the UPS estimates of its full battery is kept per tenth of the load, the first days and the last ones.
A runtime that rises by a third belongs to a new battery, whose history begins anew. Half an hour is much or
little: the median of the site's own outages says which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from collector.model import Fact
from collector.rules.board import Finding, Memory, Shows
from collector.rules.power.battery import full_runtime_s
from collector.rules.power.numbers import fresh, median
from collector.rules.power.quiet import HOUR_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.rules.board import Board

CONDITION: Final = "battery_aged"
_DAY_MS: Final = 86_400_000
_BAND_PERCENT: Final = 10
_BANDS: Final = 4
_FIRST, _LAST = 3, 3  # days whose medians are compared
_KEPT: Final = 8
_LEAST_LOAD: Final = 3.0  # below, the load may be rounding and the estimate with it
_RENEWED: Final = 1.3  # of its reference


def findings(
    board: Board, subject: str, ups: Memory, fields: dict[str, Any], at_ms: int
) -> Iterator[Finding]:
    """Give whether the battery lost too much of its runtime; looked at once an hour."""
    hour = at_ms // HOUR_MS
    if ups.get("aged_h") == hour or not ups["contact"]:
        return
    ups["aged_h"] = hour
    runtime_s = full_runtime_s(board, ups, fields)
    load = fresh(fields, "load_percent", "age_output_ms", board.thresholds)
    if not runtime_s or load is None or load < _LEAST_LOAD:
        return
    days = _note(ups, str(int(load // _BAND_PERCENT)), at_ms // _DAY_MS, runtime_s)
    if len(days) >= _FIRST + _LAST:
        yield _judge(board, subject, ups, days, at_ms)


def _note(ups: Memory, band: str, day: int, runtime_s: float) -> list[list[int]]:
    """Add a day's runtime to its band's history; return the history, oldest first."""
    bands = ups.setdefault("runtimes", {})
    days: list[list[int]] = bands.setdefault(band, [])
    if not days or days[-1][0] < day:
        days.append([day, round(runtime_s)])
    if len(days) > _KEPT:
        del days[_FIRST]
    if len(days) >= _FIRST + _LAST and _recent(days) > _RENEWED * _reference(days):
        del days[:-_LAST]
    if len(bands) > _BANDS:
        del bands[min(bands, key=lambda name: bands[name][-1][0])]
    return days


def _judge(board: Board, subject: str, ups: Memory, days: list[list[int]], at_ms: int) -> Finding:
    limits, before_s, now_s = board.thresholds, _reference(days), _recent(days)
    outage_s = _median_outage_s(board, ups)
    outlasted = outage_s is not None and outage_s > now_s
    limit = limits["battery_weak_share"] if outlasted else limits["battery_aged_share"]
    share = now_s / before_s
    shows = Shows.YES if share <= limit else Shows.NO
    percent, minutes = round(100 * (1 - share)), round(now_s / 60)
    facts = [Fact("runtime_lost", {"percent": percent, "minutes": minutes, "before": round(before_s / 60)})]
    if outage_s is not None:
        code = "outage_outlasts" if outlasted else "outage_carried"
        facts.append(Fact(code, {"minutes": round(outage_s / 60)}))
    return Finding(CONDITION, subject, shows, at_ms, tuple(facts))


def _reference(days: list[list[int]]) -> float:
    return max(1.0, median([seconds for _, seconds in days[:_FIRST]]))


def _recent(days: list[list[int]]) -> float:
    return median([seconds for _, seconds in days[-_LAST:]])


def _median_outage_s(board: Board, ups: Memory) -> float | None:
    """Return how long half of the site's outages were, at least; None while there were too few."""
    lengths = ups.get("outages", ())
    return median(lengths) if len(lengths) >= board.thresholds["battery_outages"] else None
