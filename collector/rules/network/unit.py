"""The unit that fills a position: whether its box was opened, how it started, whether it is another now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collector.model import Readings
    from collector.rules.board import Board, Memory


MEASUREMENTS: Final = frozenset({"tamper", "restart"})


def observe(board: Board, readings: Readings) -> None:
    """Take a row of the tamper input, or of what the platform knows of the last restart."""
    if readings.measurement not in MEASUREMENTS:
        return
    entry = board.memory["devices"].get(readings.device)
    if entry is None:
        return
    if readings.measurement == "restart":
        if readings.current:
            entry["restart"] = {name: value for name, value in readings.fields.items() if value is not None}
    elif readings.fields.get("open"):
        entry["opened_ms"] = max(entry.get("opened_ms", 0), readings.time_ms)


def is_another(entry: Memory) -> bool:
    """Tell whether what came back is another unit: another key, or another machine with the same key.

    A key that is rotated changes on a machine that goes on running.
    """
    before, now = entry.get("unit_before"), entry.get("unit")
    if not before or not now or entry.get("kernel_boot") == entry.get("boot_before"):
        return False
    return bool((before[0] and now[0] and before[0] != now[0]) or (before[1] and before[1] != now[1]))


def was_upgraded(entry: Memory) -> bool:
    """Tell whether agent or system came back in another version."""
    before, now = entry.get("software_before"), entry.get("software")
    return bool(before and now and any(before) and before != now)
