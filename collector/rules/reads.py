"""Which rows the rules read the values of. Of all others they only ask when they were taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collector.model import Instance

READ: Final = frozenset({"upsd", "wan", "net", "ping", "mains", "tamper", "pi_power", "restart"})


def reads(measurement: str, instance: Instance) -> bool:
    """Say whether power, tamper or network/path look into a row of this measurement."""
    return measurement in READ or (measurement == "agent" and instance == "ups")
