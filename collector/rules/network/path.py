"""The way from a device to the Internet as its readings tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collector.rules.network import silence

if TYPE_CHECKING:
    from collector.model import Readings
    from collector.rules.board import Board, Memory


MODEM: Final = "modem"  # what the agent calls its probe of the modem's own address


def observe(board: Board, readings: Readings) -> None:
    """Take a current row into the state of the link."""
    if not readings.current:
        return
    devices = board.memory["devices"]
    entry = devices.get(readings.device) or devices.setdefault(readings.device, silence.blank())
    if readings.measurement == "wan":
        entry["wan"] = reports_up(readings)
        entry["wan_name"] = readings.instance
    elif readings.measurement == "net" and readings.instance == entry.get("wan_name"):
        entry["carrier"] = readings.fields.get("carrier", entry.get("carrier"))
    elif readings.measurement == "ping":
        entry.setdefault("probes", {})[readings.instance or ""] = _answered(readings)


def link(entry: Memory, readings: Readings) -> bool | None:
    """Say whether a row shows the link towards the provider up or down; None: it does not speak of it."""
    if readings.measurement == "wan":
        return reports_up(readings)
    if readings.instance == entry.get("wan_name") and readings.fields.get("carrier") == 0:
        return False
    return None


def modem(readings: Readings) -> bool | None:
    """Say whether the modem answered a probe; None: the row does not speak of it."""
    if readings.measurement != "ping" or readings.instance != MODEM:
        return None
    return _answered(readings)


def reports_up(readings: Readings) -> bool | None:
    """Read ``up``, None when it is not there."""
    up = readings.fields.get("up")
    return None if up is None else bool(up)


def _answered(readings: Readings) -> bool:
    lost_all = readings.fields.get("percent_packet_loss") == 100  # noqa: PLR2004 - per cent
    return not (readings.fields.get("result_code") or lost_all)
