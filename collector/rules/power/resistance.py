"""The resistance of a connection: how much the voltage gives way when the current of the same leg steps.

Each step of current gives one value, dV/dI; five of the newest seven have to be beyond a limit, or beyond the
connection's own history. Other things move the voltage as well, so a single step says nothing, and without
enough of them nothing is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collector.model import Fact
from collector.rules.board import Finding, Memory, Shows
from collector.rules.power.numbers import median

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.rules.board import Board

CONDITION: Final = "bad_connection"
_APART_MS: Final = 30_000  # further apart the mains themselves have moved
_LEARN: Final = 64  # steps: how slowly the history follows
_LEARNED: Final = 1000  # counted no further
_CLEAR: Final = 0.7  # of the limit


def findings(board: Board, subject: str, before: Memory, meter: Memory) -> Iterator[Finding]:
    """Give what the newest step adds; most rows hold none."""
    limits = board.thresholds
    i0, i1 = before.get("i"), meter["i"]
    if i0 is None or i1 is None or abs(i1 - i0) < limits["resistance_step_a"]:
        return
    live_v = limits["meter_live_pu"] * board.site.nominal_v
    if meter["seen_ms"] - before["seen_ms"] > _APART_MS or min(before["v"], meter["v"]) < live_v:
        return
    count = int(limits["resistance_steps"])
    steps = [*meter.get("steps", ()), round(1000 * (before["v"] - meter["v"]) / (i1 - i0))][-count:]
    meter["steps"] = steps
    if len(steps) < count:
        return
    yield _judge(board, subject, meter, steps)
    _learn(board, subject, meter, median(steps))


def _judge(board: Board, subject: str, meter: Memory, steps: list[int]) -> Finding:
    limits, found = board.thresholds, median(steps)
    usual = meter["usual"] if meter.get("learned", 0) >= limits["resistance_history"] else None
    limit = 1000 * limits["resistance_high_ohm"]
    if usual is not None:
        risen = max(limits["resistance_rise"] * usual, 1000 * limits["resistance_floor_ohm"])
        limit = min(limit, risen)
    shows = Shows.UNKNOWN
    if sorted(steps)[len(steps) * 2 // 7] >= limit:  # five of seven
        shows = Shows.YES
    elif found < _CLEAR * limit:
        shows = Shows.NO
    facts = [Fact("resistance_measured", {"meter": subject.partition("/")[2], "ohm": round(found / 1000, 2)})]
    if usual is not None:
        facts.append(Fact("resistance_usual", {"ohm": round(usual / 1000, 2)}))
    raise_ms = limits["resistance_raise_ms"]
    return Finding(CONDITION, subject, shows, meter["seen_ms"], tuple(facts), raise_ms=raise_ms)


def _learn(board: Board, subject: str, meter: Memory, found: float) -> None:
    """Follow slowly while all is well: a connection must not learn its own decay as usual."""
    if board.is_open(CONDITION, subject) or found < 0:
        return
    high = 1000 * board.thresholds["resistance_high_ohm"]
    usual = meter.get("usual", min(found, high))
    meter["usual"] = round(usual + (min(found, high) - usual) / _LEARN, 1)
    meter["learned"] = min(meter.get("learned", 0) + 1, _LEARNED)
