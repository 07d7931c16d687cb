"""A box that was opened: latched, so that a moment is enough, seen now or found on the device's return.

The incident ends when the contact has been closed for ``tamper_clear_ms``. What was told once is not told
again: ``told_ms`` is the newest opening that belongs to an incident.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collector.model import Fact
from collector.rules.board import Finding, Shows

if TYPE_CHECKING:
    from collector.model import Readings
    from collector.rules.board import Board

CONDITION: Final = "tamper"


def observe(board: Board, readings: Readings) -> None:
    """Take a row of a tamper input; an opening in history counts, a closing there does not."""
    if readings.measurement != "tamper":
        return
    is_open = readings.fields.get("open")
    if is_open is None:
        return
    subject, at_ms = f"{readings.device}/{readings.instance or ''}", readings.time_ms
    inputs = board.memory["tamper"]
    told_ms = inputs.get(subject, 0)
    if is_open and (readings.current or at_ms > told_ms):
        board.show(_finding(board, subject, Shows.YES, at_ms, on_return=not readings.current))
        inputs[subject] = max(told_ms, at_ms)
    elif readings.current and not is_open and at_ms > told_ms:
        board.show(_finding(board, subject, Shows.NO, at_ms))


def _finding(board: Board, subject: str, shows: Shows, at_ms: int, *, on_return: bool = False) -> Finding:
    clear_ms = board.thresholds["tamper_clear_ms"]
    facts = (Fact("tamper_open", {"input": subject.partition("/")[2] or "-"}),)
    return Finding(CONDITION, subject, shows, at_ms, facts, clear_ms=clear_ms, on_return=on_return)
