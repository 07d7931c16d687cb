"""An open neutral: the legs of a building move apart, one up and one down, as their loads divide the voltage.

Two legs of meters at the same moment tell it. A leg that stays at danger while another one is not as high, or
whose meter died with it, tells it too; all legs high together are the utility's. Once open it stays open
while the legs are low together: equal loads share what is left between two legs, 0.87 pu each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.model import Fact
from collector.rules.board import Finding, Memory, Shows
from collector.rules.power.voltage import NEUTRAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.model import Value
    from collector.rules.board import Board


def findings(board: Board, meter: Memory) -> Iterator[Finding]:
    """Give what the legs show together, at the time of this meter's row."""
    if len(board.memory["meters"]) < 2 or meter["leg"] is None:  # noqa: PLR2004 - two legs
        return
    legs = _legs(board, meter)
    if len(legs) < 2:  # noqa: PLR2004 - same
        return
    limits = board.thresholds
    low, high = min(legs.values()), max(legs.values())
    apart = high - low
    moved = apart >= limits["neutral_apart_pu"] and low <= limits["neutral_low_pu"]
    shows = Shows.UNKNOWN
    if moved and high >= limits["neutral_high_pu"]:
        shows = Shows.YES
    elif apart < limits["neutral_clear_pu"] and low >= limits["undervoltage_clear_pu"]:
        shows = Shows.NO
    params: dict[str, Value] = {
        "low": round(low * board.site.nominal_v),
        "high": round(high * board.site.nominal_v),
    }
    yield Finding(
        NEUTRAL,
        "",
        shows,
        meter["seen_ms"],
        (Fact("legs_apart", params),),
        raise_ms=limits["neutral_raise_ms"],
        clear_ms=limits["neutral_clear_ms"],
    )


def _legs(board: Board, meter: Memory) -> dict[int, float]:
    """Return per unit of every leg that was measured together with this row.

    A leg whose meter fell silent since this one has spoken counts as gone: it lives on what it measures.
    """
    limits, at_ms, nominal_v = board.thresholds, meter["seen_ms"], board.site.nominal_v
    found: dict[int, float] = {}
    for other in board.memory["meters"].values():
        if other["leg"] is None:
            continue
        behind_ms = abs(at_ms - other["seen_ms"])
        if behind_ms <= limits["meter_together_ms"]:
            found[other["leg"]] = other["v"] / nominal_v
        elif meter["since_ms"] < other["seen_ms"] <= at_ms - limits["meter_silent_ms"]:
            found.setdefault(other["leg"], 0.0)
    return found
