"""Which devices of a facility are on the air, as the radios of the others hear it.

Scans are minutes apart (``agent/readers/wifi_ears``), so that what was heard counts from the moment it was
heard only. Kept with who heard it: ``ears``, device -> [heard, when].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.rules.network import silence

if TYPE_CHECKING:
    from collector.model import Readings
    from collector.rules.board import Board


def observe(board: Board, readings: Readings) -> None:
    """Take what a radio heard of another device of this facility; names of others say nothing."""
    if readings.measurement != "wifi_neighbour" or readings.instance is None:
        return
    entry, heard = board.memory["devices"].get(readings.device), readings.fields.get("heard")
    if entry is None or heard is None or board.site.device(readings.instance) is None:
        return
    ears = entry.setdefault("ears", {})
    if readings.time_ms >= ears.get(readings.instance, (0, 0))[1]:
        ears[readings.instance] = [int(bool(heard)), readings.time_ms]


def on_air(board: Board, name: str, since_ms: float) -> bool | None:
    """Say whether anybody who speaks heard a device after that moment; None: nobody listened since."""
    told = [
        entry["ears"][name]
        for other, entry in board.memory["devices"].items()
        if name in entry.get("ears", ()) and silence.is_live(board.memory, other)
    ]
    since = [heard for heard, at_ms in told if at_ms >= since_ms]
    return bool(max(since)) if since else None
