"""A UPS that says that its socket or the building is wired wrongly: live and neutral swapped, no earth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.model import Fact
from collector.rules.board import Finding, Memory, Shows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.rules.board import Board


def findings(
    board: Board, subject: str, ups: Memory, fields: dict[str, Any], at_ms: int
) -> Iterator[Finding]:
    """Give what the UPS says; while it is off the line it cannot know."""
    limits = board.thresholds
    known = ups["contact"] and ups.get("line") == "ol"
    shows = Shows.YES if fields.get("wiring_fault") else Shows.NO
    yield Finding(
        "wiring_fault",
        subject,
        shows if known else Shows.UNKNOWN,
        at_ms,
        (Fact("wiring_reported"),),
        raise_ms=limits["wiring_raise_ms"],
        clear_ms=limits["wiring_clear_ms"],
    )
