"""Transfers to battery: each is counted, and many in a day are a condition of their own.

Those shorter than the watch are known from the UPS's own counter, where it has one (apcupsd). What the UPS
itself calls a test is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from collector.model import Fact
from collector.rules.board import Finding, Memory, Shows
from collector.rules.power.numbers import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.model import Value
    from collector.rules.board import Board

CONDITION: Final = "repeated_transfers"
_KEPT: Final = 24
_OUTAGES_KEPT: Final = 15
_OUTAGE_MS: Final = 60_000
_REASON_CHARS: Final = 40


def left(board: Board, ups: Memory, fields: dict[str, Any], at_ms: int) -> None:
    """Note that the UPS left the line."""
    if not ups.get("cal") and not _is_test(fields):
        _add(board, ups, at_ms)


def back(ups: Memory, lasted_ms: int) -> None:
    """Note how long it was off the line: the battery's job at this site."""
    if lasted_ms >= _OUTAGE_MS:
        ups["outages"] = [*ups.get("outages", ()), lasted_ms // 1000][-_OUTAGES_KEPT:]


def counted(board: Board, ups: Memory, fields: dict[str, Any], at_ms: int) -> None:
    """Take the UPS's own counter: what it counted beyond what was seen was too short to be seen."""
    count = number(fields.get("number_transfers"))
    before = ups.get("transfers_told")
    if count is None or count == before:
        return
    ups["transfers_told"] = count
    if before is None or count < before:  # apcupsd started anew
        return
    since_ms = ups.get("transfers_ms", 0)
    seen = sum(1 for at in ups.get("transfers", ()) if at > since_ms)
    if not _is_test(fields):
        for _ in range(min(_KEPT, int(count - before) - seen)):
            _add(board, ups, at_ms)
    ups["transfers_ms"] = at_ms


def findings(
    board: Board, subject: str, ups: Memory, fields: dict[str, Any], at_ms: int
) -> Iterator[Finding]:
    """Give whether there were too many within the window."""
    times = ups.get("transfers")
    if times is None:
        return
    limits = board.thresholds
    recent = [at for at in times if at > at_ms - limits["transfers_window_ms"]]
    if len(recent) < len(times):
        ups["transfers"] = recent
    if not recent:
        del ups["transfers"]
    shows = Shows.YES if len(recent) >= limits["transfers_count"] else Shows.NO
    params: dict[str, Value] = {
        "count": len(recent),
        "hours": round(limits["transfers_window_ms"] / 3_600_000),
    }
    facts = [Fact("transfers_counted", params)]
    reason = fields.get("last_transfer")
    if isinstance(reason, str) and reason:
        facts.append(Fact("transfer_reason", {"reason": reason[:_REASON_CHARS]}))
    yield Finding(CONDITION, subject, shows, at_ms, tuple(facts))


def _is_test(fields: dict[str, Any]) -> bool:
    """Say whether the UPS calls it a test (``selfTest``, ``Automatic or explicit self test``)."""
    reason = fields.get("last_transfer")
    return isinstance(reason, str) and "test" in reason.lower()


def _add(board: Board, ups: Memory, at_ms: int) -> None:
    oldest_ms = at_ms - board.thresholds["transfers_window_ms"]
    ups["transfers"] = [at for at in (*ups.get("transfers", ()), at_ms) if at > oldest_ms][-_KEPT:]
