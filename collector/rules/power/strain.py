"""What strains a UPS: more load than it is built for, and heat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.model import Fact
from collector.rules.board import Finding, Memory, Shows
from collector.rules.power.numbers import fresh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.rules.board import Board


def findings(
    board: Board, subject: str, ups: Memory, fields: dict[str, Any], at_ms: int
) -> Iterator[Finding]:
    """Give load and temperature; of a UPS that cannot be heard neither is known."""
    known = ups["contact"]
    limits = board.thresholds
    load = fresh(fields, "load_percent", "age_output_ms", limits)
    celsius = fresh(fields, "internal_temp", "age_output_ms", limits)
    yield Finding(
        "overload",
        subject,
        _overload(board, load, over=bool(fields.get("over"))) if known else Shows.UNKNOWN,
        at_ms,
        () if load is None else (Fact("ups_load", {"percent": round(load)}),),
        raise_ms=limits["overload_raise_ms"],
        clear_ms=limits["overload_clear_ms"],
    )
    yield Finding(
        "ups_hot",
        subject,
        _heat(board, celsius),
        at_ms,
        () if celsius is None else (Fact("ups_temperature", {"degrees": round(celsius)}),),
        raise_ms=limits["ups_hot_raise_ms"],
    )


def _overload(board: Board, load: float | None, *, over: bool) -> Shows:
    limits = board.thresholds
    if over or (load is not None and load > limits["overload_percent"]):
        return Shows.YES
    return Shows.NO if load is None or load < limits["overload_clear_percent"] else Shows.UNKNOWN


def _heat(board: Board, celsius: float | None) -> Shows:
    limits = board.thresholds
    if celsius is None:
        return Shows.UNKNOWN
    if celsius >= limits["ups_hot_above_c"]:
        return Shows.YES
    return Shows.NO if celsius < limits["ups_hot_clear_c"] else Shows.UNKNOWN
