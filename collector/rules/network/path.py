"""The way from a device to the Internet as its readings tell it, and what its backlog says of its silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collector.rules import power
from collector.rules.network import silence
from collector.rules.network.silence import Voice

if TYPE_CHECKING:
    from collector.model import Readings
    from collector.rules.board import Board, Memory


_AWAY: Final = frozenset({Voice.SILENT, Voice.RETURNING})


def observe(board: Board, readings: Readings) -> None:
    """Take a row: into the state of the link when current, into the story when from a silence."""
    devices = board.memory["devices"]
    entry = devices.get(readings.device) or devices.setdefault(readings.device, silence.blank())
    if readings.current:
        _remember(entry, readings)
    if entry["voice"] in _AWAY and _from_silence(board, entry, readings):
        _tell(board, entry, readings)


def _remember(entry: Memory, readings: Readings) -> None:
    if readings.measurement == "wan":
        entry["wan"] = _reports_up(readings)
        entry["wan_name"] = readings.instance
    elif readings.measurement == "net" and readings.instance == entry.get("wan_name"):
        entry["carrier"] = readings.fields.get("carrier", entry.get("carrier"))
    elif readings.measurement == "ping":
        probes = entry.setdefault("probes", {})
        probes[readings.instance or ""] = _answered(readings)


def _reports_up(readings: Readings) -> bool | None:
    up = readings.fields.get("up")
    return None if up is None else bool(up)


def _answered(readings: Readings) -> bool:
    lost_all = readings.fields.get("percent_packet_loss") == 100  # noqa: PLR2004 - per cent
    return not (readings.fields.get("result_code") or lost_all)


def _from_silence(board: Board, entry: Memory, readings: Readings) -> bool:
    """Say whether a row was read between the last frame that came and the return."""
    begin = entry["silent_ms"] - silence.frame_ms(board, entry)
    end = entry.get("returned_ms")
    return bool(begin <= readings.time_ms and (end is None or readings.time_ms <= end))


def _tell(board: Board, entry: Memory, readings: Readings) -> None:
    story = entry["story"]
    story["heard_ms"] = board.now_ms
    story["first_ms"] = min(story.get("first_ms", readings.time_ms), readings.time_ms)
    if readings.measurement == "upsd":
        _tell_power(board, story, readings)
    elif readings.measurement == "wan" and (up := _reports_up(readings)) is not None:
        story["wan_up" if up else "wan_down"] = True
    elif readings.instance == entry.get("wan_name") and readings.fields.get("carrier") == 0:
        story["wan_down"] = True


def _tell_power(board: Board, story: Memory, readings: Readings) -> None:
    """Note line or battery; without contact the flags say nothing, and a calibration is no loss."""
    fields = readings.fields
    if any(fields.get(name) for name in power.CONTACT) or fields.get("cal"):
        return
    if fields.get("ol") and not fields.get("ob"):
        story["on_line"] = True
    elif fields.get("ob") and not fields.get("ol"):
        since_ms = story.setdefault("battery_ms", readings.time_ms)
        story["battery_ms"] = min(since_ms, readings.time_ms)
        if _input_is_gone(board, readings, story["battery_ms"]):
            story["supply_lost"] = True


def _input_is_gone(board: Board, readings: Readings, battery_ms: int) -> bool:
    volts, age_ms = readings.fields.get("input_voltage"), readings.fields.get("age_input_ms")
    if not isinstance(volts, int | float) or not isinstance(age_ms, int | float):
        return False
    fresh = readings.time_ms - age_ms >= battery_ms - board.thresholds["input_refresh_grace_ms"]
    return fresh and volts < board.thresholds["supply_lost_below_pu"] * board.site.nominal_v
