"""Power: what UPSes, meters and boards tell of the mains, of batteries and of a building's wiring.

One subject per file. ``ups`` and ``meters`` take the rows and keep what was seen last; the other files say
what it shows, of their subject alone. Values are per unit of the site's nominal voltage, never of what a UPS
claims; what was not refreshed shows nothing. What cannot change anything is not evaluated.

History opens nothing, but for a battery that its UPS gave up while nobody could hear it (``battery``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collector.rules.power import battery, meters, pi, restarts, ups
from collector.rules.power.ups import CONTACT

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.model import Readings
    from collector.rules.board import Board

__all__ = ["CONTACT", "observe", "tick"]

# who is given the rows of a measurement
_NEWS: Final[dict[str, Callable[[Board, Readings], None]]] = {
    "upsd": ups.observe,
    "agent": ups.reader,
    "mains": meters.observe,
    "pi_power": pi.observe,
    "restart": restarts.observe,
}


def observe(board: Board, readings: Readings) -> None:
    """Take a row of a UPS, a meter or a board, or the report that a UPS's reader fails."""
    take = _NEWS.get(readings.measurement)
    if take is None:
        return
    if readings.current:
        take(board, readings)
    elif readings.measurement == "upsd":
        battery.observe_past(board, readings)


def tick(board: Board) -> None:
    """Let clear what time alone clears, and count the machines that started anew."""
    ups.tick(board)
    restarts.tick(board)
