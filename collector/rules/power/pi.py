"""A board whose own supply sags: a weak adapter, a thin cable, too much on its USB ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.model import Fact
from collector.rules.board import Finding, Shows

if TYPE_CHECKING:
    from collector.model import Readings
    from collector.rules.board import Board


def observe(board: Board, readings: Readings) -> None:
    """Take a row of ``pi_power``."""
    low = readings.fields.get("undervoltage")
    if low is None:
        return
    limits, throttled = board.thresholds, bool(readings.fields.get("throttled"))
    board.show(
        Finding(
            "board_undervoltage",
            readings.device,
            Shows.YES if low else Shows.NO,
            readings.time_ms,
            (Fact("board_low"), *((Fact("board_throttled"),) if throttled else ())),
            raise_ms=limits["board_low_raise_ms"],
            clear_ms=limits["board_low_clear_ms"],
        )
    )
