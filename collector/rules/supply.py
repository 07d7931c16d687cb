"""Who proves that a building has mains although a UPS has none.

A UPS without input says nothing of the building: a meter with voltage, a device that the mains feed and that
speaks on, or a modem on the mains that holds its link show that its plug, its socket or its breaker is what
failed. Then it is a UPS on battery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collector.rules.board import Finding, Phase, Shows
from collector.rules.network import path

if TYPE_CHECKING:
    from collector.model import Readings
    from collector.rules.board import Board, Memory

CONDITION: Final = "supply_lost"


def observe(board: Board, readings: Readings) -> None:
    """Remember when somebody last proved that the building has mains."""
    if readings.current and _proves(board, readings):
        at_ms = min(readings.time_ms, board.now_ms)
        board.memory["mains_ms"] = max(board.memory.get("mains_ms", 0), at_ms)


def _proves(board: Board, readings: Readings) -> bool:
    if readings.measurement == "mains":
        volts = readings.fields.get("voltage")
        usable = board.thresholds["supply_back_above_pu"] * board.site.nominal_v
        return isinstance(volts, int | float) and volts >= usable
    site, device = board.site, board.site.device(readings.device)
    if device is None:
        return False
    if site.carried(device.feed) is False:
        return True
    # a modem on the mains holds the link of its port
    beside = not site.way_out(device.id) and site.carried(device.modem_feed) is False
    return beside and readings.measurement == "wan" and bool(path.reports_up(readings))


def has_mains(board: Board, ups: Memory) -> bool:
    """Tell whether the building had mains while this UPS had left the line."""
    since_ms = ups.get("ob_since_ms")
    if since_ms is None or ups.get("line") != "ob":
        return False
    return bool(board.memory.get("mains_ms", 0) >= since_ms + board.thresholds["input_refresh_grace_ms"])


def tick(board: Board) -> None:
    """Take back what others have disproved: a loss of supply becomes a UPS on battery."""
    for condition, subject, phase in list(board.known()):
        ups = board.memory["ups"].get(subject)
        if condition == CONDITION and phase == Phase.RAISED and ups is not None and has_mains(board, ups):
            board.apply(Finding(CONDITION, subject, Shows.NO, board.now_ms, reason="mains_proved"))
