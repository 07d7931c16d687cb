"""A device whose clock claims to be set and is not: its times are corrected here, and somebody must look.

The ingest disbelieves such a clock and says by how much it is off; what is unset claims nothing and is no
fault. It ends when the clock has not been off for ``clock_clear_ms``. A device's memory holds ``clock_ms``,
when its clock was off last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collector.model import Fact
from collector.rules.board import Finding, Shows

if TYPE_CHECKING:
    from collector.model import ClockFault
    from collector.rules.board import Board

CONDITION: Final = "clock_wrong"


def observe(board: Board, item: ClockFault) -> None:
    """Take a frame whose time was not believed."""
    entry = board.memory["devices"].get(item.device)
    if entry is None or abs(item.off_ms) < board.thresholds["clock_off_ms"]:
        return
    entry["clock_ms"] = max(entry.get("clock_ms", 0), item.at_ms)
    code = "clock_ahead" if item.off_ms > 0 else "clock_behind"
    facts = (Fact(code, {"age_s": abs(item.off_ms) // 1000}),)
    board.show(Finding(CONDITION, item.device, Shows.YES, item.at_ms, facts))


def tick(board: Board) -> None:
    """End what has been right for long enough, while its device speaks."""
    clear_ms = board.thresholds["clock_clear_ms"]
    for name, entry in board.memory["devices"].items():
        if "clock_ms" in entry and entry["last_ms"] - entry["clock_ms"] >= clear_ms:
            board.show(Finding(CONDITION, name, Shows.NO, board.now_ms))
            del entry["clock_ms"]
