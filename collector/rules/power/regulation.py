"""TRIM and BOOST: how much of a day the UPS has to lower or raise what arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from collector.model import Fact
from collector.rules.board import Finding, Memory, Shows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.rules.board import Board

CONDITION: Final = "regulating"
_HOUR_MS: Final = 3_600_000
_DAY_H: Final = 24


def findings(
    board: Board, subject: str, ups: Memory, fields: dict[str, Any], at_ms: int
) -> Iterator[Finding]:
    """Give whether it regulates for too much of the last 24 h; time between rows far apart is not counted."""
    on = bool(fields.get("trim") or fields.get("boost"))
    hours: list[list[int]] = ups.get("regulated", [])
    since_ms = ups.pop("regulated_ms", None)
    if on:
        ups["regulated_ms"] = at_ms
    elif not hours:
        return
    if since_ms is not None and 0 < at_ms - since_ms <= board.thresholds["reading_gap_ms"]:
        _add(hours, at_ms // _HOUR_MS, at_ms - since_ms)
    hours = [entry for entry in hours if entry[0] > at_ms // _HOUR_MS - _DAY_H]
    if hours or on:
        ups["regulated"] = hours
    else:
        ups.pop("regulated", None)
    yield _judge(board, subject, hours, at_ms)


def _add(hours: list[list[int]], hour: int, spent_ms: int) -> None:
    if hours and hours[-1][0] == hour:
        hours[-1][1] += spent_ms
    else:
        hours.append([hour, spent_ms])


def _judge(board: Board, subject: str, hours: list[list[int]], at_ms: int) -> Finding:
    limits, spent_ms = board.thresholds, sum(spent for _, spent in hours)
    share = spent_ms / (_DAY_H * _HOUR_MS)
    shows = Shows.UNKNOWN
    if share >= limits["regulating_share"]:
        shows = Shows.YES
    elif share < limits["regulating_clear_share"]:
        shows = Shows.NO
    facts = (Fact("regulated", {"hours": round(spent_ms / _HOUR_MS, 1)}),)
    return Finding(CONDITION, subject, shows, at_ms, facts)
