"""What a device that came back tells of its silence: its backlog at its true times.

The story is kept with the device while it returns::

    heard_ms    when something of it came last
    runs        [[from, to], ...]: when it measured; a pause of up to two frames is none
    line        [rows on line, rows on battery] of its UPS
    battery     [from, to]: first and last row on battery
    supply_lost whether such a row measured no input
    link        [rows up, rows down] of the link towards the provider
    down        [from, to]: first and last row with the link down
    modem       [probes answered, unanswered] of the modem
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collector.rules import power
from collector.rules.network import path, silence
from collector.rules.network.silence import Voice

if TYPE_CHECKING:
    from collector.model import Readings
    from collector.rules.board import Board, Memory

_AWAY: Final = frozenset({Voice.SILENT, Voice.RETURNING})
PAUSE_FRAMES: Final = 2  # a full spool thins its oldest frames; a restart takes longer than that
_MOST_RUNS: Final = 32


def observe(board: Board, readings: Readings) -> None:
    """Take a row that was read in a silence; what came before or after is no part of it."""
    if not is_told(board, readings.device):
        return
    entry = board.memory["devices"][readings.device]
    end_ms = entry.get("returned_ms")
    if readings.time_ms < entry["silent_ms"] or (end_ms is not None and readings.time_ms > end_ms):
        return
    _tell(board, entry, readings)


def is_told(board: Board, device: str) -> bool:
    """Say whether a device is away, or back and not done with its story."""
    entry = board.memory["devices"].get(device)
    return entry is not None and entry["voice"] in _AWAY


def _tell(board: Board, entry: Memory, readings: Readings) -> None:
    story = entry["story"]
    story["heard_ms"] = board.now_ms
    _ran(story, readings.time_ms, round(PAUSE_FRAMES * silence.frame_ms(board, entry)))
    if readings.measurement == "upsd":
        _tell_power(board, story, readings)
    elif (up := path.link(entry, readings)) is not None:
        story.setdefault("link", [0, 0])[0 if up else 1] += 1
        if not up:
            span = story.setdefault("down", [readings.time_ms, readings.time_ms])
            span[0], span[1] = min(span[0], readings.time_ms), max(span[1], readings.time_ms)
    elif (answers := path.modem(readings)) is not None:
        story.setdefault("modem", [0, 0])[0 if answers else 1] += 1


def _ran(story: Memory, at_ms: int, pause_ms: int) -> None:
    """Add a moment to the stretches in which it measured; newest rows may come first."""
    runs: list[list[int]] = story.setdefault("runs", [])
    for run in runs:
        if run[0] - pause_ms <= at_ms <= run[1] + pause_ms:
            run[0], run[1] = min(run[0], at_ms), max(run[1], at_ms)
            break
    else:
        runs.append([at_ms, at_ms])
    if len(runs) > 1:
        story["runs"] = _joined(runs, pause_ms)


def _joined(runs: list[list[int]], pause_ms: int) -> list[list[int]]:
    """Join stretches that have come near each other; of too many the first two."""
    found: list[list[int]] = []
    for start_ms, end_ms in sorted(runs):
        if found and start_ms <= found[-1][1] + pause_ms:
            found[-1][1] = max(found[-1][1], end_ms)
        else:
            found.append([start_ms, end_ms])
    return found if len(found) <= _MOST_RUNS else [[found[0][0], found[1][1]], *found[2:]]


def _tell_power(board: Board, story: Memory, readings: Readings) -> None:
    """Note line or battery; without contact the flags say nothing, and a calibration is no loss."""
    fields = readings.fields
    if any(fields.get(name) for name in power.CONTACT) or fields.get("cal"):
        return
    line: list[int] = story.setdefault("line", [0, 0])
    if fields.get("ol") and not fields.get("ob"):
        line[0] += 1
    elif fields.get("ob") and not fields.get("ol"):
        line[1] += 1
        span = story.setdefault("battery", [readings.time_ms, readings.time_ms])
        span[0], span[1] = min(span[0], readings.time_ms), max(span[1], readings.time_ms)
        if _input_is_gone(board, readings, span[0]):
            story["supply_lost"] = True


def _input_is_gone(board: Board, readings: Readings, battery_ms: int) -> bool:
    volts, age_ms = readings.fields.get("input_voltage"), readings.fields.get("age_input_ms")
    if not isinstance(volts, int | float) or not isinstance(age_ms, int | float):
        return False
    fresh = readings.time_ms - age_ms >= battery_ms - board.thresholds["input_refresh_grace_ms"]
    return fresh and volts < board.thresholds["supply_lost_below_pu"] * board.site.nominal_v
