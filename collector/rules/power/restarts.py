"""Machines that start anew although there are mains: a failing adapter, a machine that hangs, a loose plug.

Counted is a new kernel boot while a UPS of the site was on line and carries the machine, or is read by
another one that went on speaking; or one of which the machine itself says that it kept its power. A UPS that
was not seen lately, whose battery is spent or was empty, or that somebody saw off the line, tells nothing:
what nobody knows is not counted. Who said that it stops is not counted. A device's memory holds ``booted``
(the boot that was counted or not) and ``restarts`` (when it was).
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
    window_ms = board.thresholds["restarts_boot_ms"]
    views = board.memory["ups"]
    off = {_unit(subject) for subject, ups in views.items() if _off_lately(ups, at_ms - window_ms)}
    for subject, ups in views.items():
        reader = subject.partition("/")[0]
        apart = reader != name and silence.voice(board.memory, reader) == Voice.LIVE
        sound = _unit(subject) not in off and _on_line(board, ups, at_ms)
        if sound and (apart or (carried and _would_hold(board, ups))):
            return True
    return False


def _unit(subject: str) -> str:
    """Return which UPS a view is of: two machines may read one."""
    return subject.partition("/")[2]


def _on_line(board: Board, ups: Memory, at_ms: int) -> bool:
    """Say whether a UPS was seen on line shortly before: an older view knows nothing of a boot."""
    fresh = at_ms - ups["seen_ms"] <= board.thresholds["restarts_boot_ms"]
    return bool(ups["contact"] and ups.get("line") == "ol" and fresh)


def _would_hold(board: Board, ups: Memory) -> bool:
    """Say whether its battery was such that a loss of the mains would have shown before the machine fell."""
    charge = ups.get("charge")
    return not ups.get("rb") and (charge is None or charge >= board.thresholds["restarts_charge_percent"])


def _off_lately(ups: Memory, since_ms: float) -> bool:
    """Say whether it is off the line or came back to it since: then the mains were what failed."""
    return ups.get("line") == "ob" or bool(ups.get("back_ms", 0) >= since_ms)


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
