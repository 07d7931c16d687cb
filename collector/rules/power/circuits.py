"""A circuit that is dead while another one of the building lives: its breaker or residual-current device.

A meter lives on what it measures, so a dead circuit is a meter that measures nothing or that fell silent
while another meter of the same device goes on. Rows of a frame come meter by meter: the one that speaks must
have spoken for longer than the other may be late.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from collector.model import Fact
from collector.rules.board import Finding, Memory, Shows
from collector.rules.network import silence
from collector.rules.power.voltage import NEUTRAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.rules.board import Board

CONDITION: Final = "circuit_dead"


def findings(board: Board, subject: str, meter: Memory) -> Iterator[Finding]:
    """Give what this meter's row shows of its own circuit and of the others that its device reads."""
    limits, pu = board.thresholds, meter["v"] / board.site.nominal_v
    if pu >= limits["meter_live_pu"]:
        yield _finding(board, subject, meter, Shows.NO, meter["seen_ms"])
    meters = board.memory["meters"]
    sound = limits["undervoltage_below_pu"] <= pu <= limits["overvoltage_above_pu"]
    if len(meters) < 2 or not sound or board.is_open(NEUTRAL, ""):  # noqa: PLR2004 - another one
        return
    device = subject.partition("/")[0]
    for name, other in list(meters.items()):
        if name == subject or name.partition("/")[0] != device:
            continue
        if meter["seen_ms"] - other["seen_ms"] > limits["meter_forget_ms"]:
            yield replace(_finding(board, name, other, Shows.NO, meter["seen_ms"]), clear_ms=0)
            del meters[name]
        elif _is_dead(board, device, meter, other):
            yield _finding(board, name, other, Shows.YES, meter["seen_ms"])


def _is_dead(board: Board, device: str, meter: Memory, other: Memory) -> bool:
    limits = board.thresholds
    entry = board.memory["devices"].get(device)
    frame_ms = silence.frame_ms(board, entry) if entry else limits["default_frame_ms"]
    late_ms = max(limits["meter_silent_ms"], 2 * frame_ms)
    reach_ms = meter["seen_ms"] - late_ms
    if meter["since_ms"] > reach_ms:
        return False
    measured = other["v"] / board.site.nominal_v < limits["supply_lost_below_pu"]
    return bool(measured or other["seen_ms"] < reach_ms)


def _finding(board: Board, subject: str, meter: Memory, shows: Shows, at_ms: int) -> Finding:
    name, place = subject.partition("/")[2], meter.get("place")
    facts = [Fact("circuit_without_voltage", {"meter": name})]
    if place == "outdoor":
        facts.append(Fact("outdoor_circuit"))
    started_ms = min(meter["seen_ms"], at_ms) if shows == Shows.YES else None
    clear_ms = board.thresholds["circuit_clear_ms"]
    return Finding(CONDITION, subject, shows, at_ms, tuple(facts), clear_ms=clear_ms, started_ms=started_ms)
