"""Machines that start anew although there are mains: a failing adapter, a machine that hangs, a loose plug.

Counted is a new kernel boot while a UPS of the site was on line and carries the machine, or is read by
another one that went on speaking; or one of which the machine itself says that it kept its power. Who said
that it stops is not counted. A device's memory holds ``booted`` (the boot that was counted or not) and
``restarts`` (when it was).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collector.model import Fact
from collector.rules.board import Finding, Memory, Shows
from collector.rules.network import silence
from collector.rules.network.silence import Voice

if TYPE_CHECKING:
    from collector.model import Readings
    from collector.rules.board import Board

CONDITION: Final = "restarts"
_KEPT: Final = 8


def tick(board: Board) -> None:
    """Count the boots since the last look, and end what has been quiet for long enough."""
    for name, entry in board.memory["devices"].items():
        boot = entry["kernel_boot"]
        if boot != entry.get("booted"):
            _started(board, name, entry, boot)
        elif "restarts" in entry and _recent(board, entry) != entry["restarts"]:
            _judge(board, name, entry)


def observe(board: Board, readings: Readings) -> None:
    """Take what a machine knows of its last start: kept power says that there were mains."""
    entry = board.memory["devices"].get(readings.device)
    if entry is None or "booted_ms" not in entry:
        return
    fields = readings.fields
    if fields.get("cold") == 0 or fields.get("watchdog_reset") or fields.get("crash_dump"):
        _count(board, readings.device, entry, entry["booted_ms"])


def _started(board: Board, name: str, entry: Memory, boot: str | None) -> None:
    known = entry.get("booted") is not None
    entry["booted"] = boot
    entry.pop("booted_ms", None)
    if not known or boot is None or entry.get("planned_ms") is not None:
        return
    at_ms = entry["last_ms"]
    if _has_mains(board, name, at_ms):
        _count(board, name, entry, at_ms)
    else:
        entry["booted_ms"] = at_ms  # until the machine itself says whether it kept its power


def _has_mains(board: Board, name: str, at_ms: int) -> bool:
    """Say whether a UPS was on line all the while that carries the machine or is read by another one."""
    device = board.site.device(name)
    carried = device is not None and board.site.carried(device.feed) is True
    window_ms = board.thresholds["reading_gap_ms"]
    for subject, ups in board.memory["ups"].items():
        reader = subject.partition("/")[0]
        on_line = ups["contact"] and ups.get("line") == "ol"
        apart = reader != name and silence.voice(board.memory, reader) == Voice.LIVE
        if on_line and (carried or apart) and not _off_lately(ups, at_ms - window_ms):
            return True
    return False


def _off_lately(ups: Memory, since_ms: float) -> bool:
    """Say whether it was on battery since: then the mains may have been what failed."""
    times: list[int] = ups.get("transfers", [])
    return bool(times) and times[-1] >= since_ms


def _count(board: Board, name: str, entry: Memory, at_ms: int) -> None:
    entry.pop("booted_ms", None)
    entry["restarts"] = [*entry.get("restarts", ()), at_ms][-_KEPT:]
    _judge(board, name, entry)


def _judge(board: Board, name: str, entry: Memory) -> None:
    limits, recent = board.thresholds, _recent(board, entry)
    if recent:
        entry["restarts"] = recent
    else:
        entry.pop("restarts", None)
    shows = Shows.YES if len(recent) >= limits["restarts_count"] else Shows.NO
    hours = round(limits["restarts_window_ms"] / 3_600_000)
    facts = (Fact("restarts_counted", {"count": len(recent), "hours": hours}),)
    board.show(Finding(CONDITION, name, shows, board.now_ms, facts))


def _recent(board: Board, entry: Memory) -> list[int]:
    oldest_ms = board.now_ms - board.thresholds["restarts_window_ms"]
    return [at for at in entry["restarts"] if at > oldest_ms]
