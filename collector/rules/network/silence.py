"""Whether a device speaks: judged by arrivals, hurried by its will, settled after its return.

A death, or the lapse behind it, says silence and nothing more; it only starts the clock faster, so that a
takeover (the old session's will, then the new one's birth) does not flap. A device that comes back is
RETURNING until it told its story: its backlog completes the verdict on its silence.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from collector.model import Arrival, Born, Died, Fact

if TYPE_CHECKING:
    from collector.rules.board import Board, Memory


class Voice(StrEnum):
    """Where a device stands."""

    NEW = "new"  # never heard
    LIVE = "live"
    DYING = "dying"  # its will arrived
    STOPPING = "stopping"  # it said that it stops
    SILENT = "silent"
    RETURNING = "returning"  # speaks again, its story is not complete


class Heard(StrEnum):
    """What can happen to a device's voice."""

    SPOKE = "spoke"
    DIED = "died"
    STOPPED = "stopped"
    LAPSED = "lapsed"  # nothing came for too long
    SETTLED = "settled"  # the story is told


_SPEAKING: Final[dict[Heard, Voice]] = {
    Heard.SPOKE: Voice.LIVE,
    Heard.DIED: Voice.DYING,
    Heard.STOPPED: Voice.STOPPING,
    Heard.LAPSED: Voice.SILENT,
}
TABLE: Final[dict[Voice, dict[Heard, Voice]]] = {
    Voice.NEW: {Heard.SPOKE: Voice.LIVE, Heard.DIED: Voice.NEW, Heard.STOPPED: Voice.NEW},
    Voice.LIVE: _SPEAKING,
    Voice.DYING: _SPEAKING | {Heard.STOPPED: Voice.DYING},
    Voice.STOPPING: _SPEAKING | {Heard.DIED: Voice.STOPPING},
    Voice.SILENT: {Heard.SPOKE: Voice.RETURNING, Heard.DIED: Voice.SILENT, Heard.STOPPED: Voice.SILENT},
    Voice.RETURNING: {
        Heard.SPOKE: Voice.RETURNING,
        Heard.DIED: Voice.SILENT,
        Heard.STOPPED: Voice.SILENT,
        Heard.LAPSED: Voice.SILENT,
        Heard.SETTLED: Voice.LIVE,
    },
}
FRAME_MIN_MS: Final = 1_000
FRAME_MAX_MS: Final = 3_600_000
_PATIENCE: Final = 1.5
_PUNCTUAL_MS: Final = 3_000  # a last word and a will are not equally long on their way
SOFTWARE: Final = ("agent", "os")  # what an upgrade changes, as a birth names it
KEPT: Final = ("incarnation", "unit", "software")  # what a birth after the silence is compared with
# No evidence, and news all the same: nobody is to be called before the story is told (alerts/outbox).
SPEAKS_AGAIN: Final = Fact("speaks_again")
SPEAKING: Final = (Voice.LIVE, Voice.DYING, Voice.STOPPING, Voice.RETURNING)


def blank() -> Memory:
    """Return the memory of a device that was never heard."""
    return {"voice": Voice.NEW.value, "last_ms": 0, "frame_ms": None, "kernel_boot": None, "story": {}}


def voice(memory: Memory, device: str) -> Voice:
    """Say where a device stands."""
    entry = memory["devices"].get(device)
    return Voice(entry["voice"]) if entry else Voice.NEW


def is_live(memory: Memory, device: str) -> bool:
    """Say whether a device speaks and nothing hints that it stopped."""
    return voice(memory, device) in {Voice.LIVE, Voice.RETURNING}


def has_stopped(memory: Memory, device: str) -> bool:
    """Say whether a device does not speak because it was stopped in order, as it said itself."""
    stopped = voice(memory, device) in {Voice.STOPPING, Voice.SILENT}
    return stopped and "planned_ms" in memory["devices"][device]


def observe(board: Board, item: Arrival | Born | Died) -> None:
    """Take an arrival, a birth or a death of a device of this site."""
    entry = board.memory["devices"].setdefault(item.device, blank())
    if isinstance(item, Died):
        _died(entry, item)
        return
    _missed(board, entry, item.at_ms)
    if isinstance(item, Born):
        _born(entry, item)
    _spoke(entry, item.at_ms)


def _missed(board: Board, entry: Memory, at_ms: int) -> None:
    """Begin the silence of a device that is heard again after one in which nobody listened.

    Had somebody listened, it would have been declared silent: what it did meanwhile is its story to tell.
    """
    before, limits = Voice(entry["voice"]), board.thresholds
    if before not in {Voice.LIVE, Voice.DYING, Voice.STOPPING}:
        return
    if before != Voice.LIVE and at_ms <= entry["death_ms"]:
        return
    unheard = at_ms - entry["last_ms"] > limits["silence_intervals"] * frame_ms(board, entry)
    if unheard and board.site.watched_since_ms > entry["last_ms"]:
        _move(entry, Heard.LAPSED)
        _begin_silence(entry, before)
        entry["missed"] = True


def _died(entry: Memory, item: Died) -> None:
    if item.at_ms < entry["last_ms"]:
        return  # it spoke since
    before = Voice(entry["voice"])
    _move(entry, Heard.STOPPED if item.planned else Heard.DIED)
    if Voice(entry["voice"]) != before:
        entry["death_ms"] = item.at_ms
    if entry["voice"] == Voice.STOPPING:
        entry["planned_ms"] = item.at_ms


def _born(entry: Memory, item: Born) -> None:
    intervals = item.hello.get("intervals")
    frame_ms = intervals.get("frame") if isinstance(intervals, dict) else None
    # a birth is signed, yet written by a device: an absurd interval would hide its silence
    if isinstance(frame_ms, int) and FRAME_MIN_MS <= frame_ms <= FRAME_MAX_MS:
        entry["frame_ms"] = frame_ms
    keepalive_ms = intervals.get("keepalive") if isinstance(intervals, dict) else None
    if isinstance(keepalive_ms, int) and FRAME_MIN_MS <= keepalive_ms <= FRAME_MAX_MS:
        entry["keepalive_ms"] = keepalive_ms
    entry["kernel_boot"] = item.kernel_boot
    entry["incarnation"] = item.incarnation
    entry["unit"] = [item.key, str(item.hello.get("hardware", ""))]
    entry["software"] = [str(item.hello.get(name, "")) for name in SOFTWARE]


def _spoke(entry: Memory, at_ms: int) -> None:
    entry["last_ms"] = max(entry["last_ms"], at_ms)
    before = Voice(entry["voice"])
    if before == Voice.LIVE:
        return  # nearly always: who speaks goes on speaking
    if before in {Voice.DYING, Voice.STOPPING} and at_ms <= entry["death_ms"]:
        return  # the stop's own frame, or one that was on the way
    _move(entry, Heard.SPOKE)
    if before == Voice.SILENT:
        entry["returned_ms"] = at_ms
    if before in {Voice.DYING, Voice.STOPPING}:
        entry.pop("death_ms", None)
        entry.pop("planned_ms", None)


def tick(board: Board) -> list[str]:
    """Declare silences and settle returns; return the devices that fell silent just now."""
    lapsed = []
    for device, entry in sorted(board.memory["devices"].items()):
        before = Voice(entry["voice"])
        if before in SPEAKING and board.now_ms > deadline_ms(board, entry):
            _move(entry, Heard.LAPSED)
            if before != Voice.RETURNING:
                _begin_silence(entry, before)
                lapsed.append(device)
        elif before == Voice.RETURNING and _story_is_told(board, entry):
            _move(entry, Heard.SETTLED)
    return lapsed


def frame_ms(board: Board, entry: Memory) -> float:
    """Return how often a device said it would speak."""
    return float(entry["frame_ms"] or board.thresholds["default_frame_ms"])


def deadline_ms(board: Board, entry: Memory) -> float:
    """Return the moment after which a device that says nothing more is silent."""
    limits, since_ms = board.thresholds, board.site.watched_since_ms
    lapse: float = max(entry["last_ms"], since_ms) + limits["silence_intervals"] * frame_ms(board, entry)
    if entry["voice"] not in {Voice.DYING, Voice.STOPPING}:
        return lapse
    grace: float = max(entry["death_ms"], since_ms) + limits["death_grace_ms"]
    return min(lapse, grace)


def _begin_silence(entry: Memory, before: Voice) -> None:
    if before != Voice.STOPPING:
        entry.pop("planned_ms", None)
    entry["closed"] = before == Voice.DYING and _was_closed(entry)
    entry["silent_ms"] = entry["last_ms"]
    entry["boot_before"] = entry["kernel_boot"]
    for name in KEPT:
        entry[f"{name}_before"] = entry.get(name)
    entry["restart"] = None
    entry["story"] = {}
    entry.pop("missed", None)


def _was_closed(entry: Memory) -> bool:
    """Tell whether the will came before the broker can have missed a ping: then its end of the line closed.

    A broker waits one and a half keepalives after the last packet (MQTT 3.1.1, 3.1.2.10).
    """
    keepalive_ms = entry.get("keepalive_ms")
    lapse_ms = _PATIENCE * keepalive_ms if keepalive_ms else 0
    return bool(entry["death_ms"] - entry["last_ms"] < lapse_ms - _PUNCTUAL_MS)


def _story_is_told(board: Board, entry: Memory) -> bool:
    limits, returned_ms = board.thresholds, entry["returned_ms"]
    heard_ms = entry["story"].get("heard_ms", returned_ms)
    quiet_ms = limits["story_quiet_ms"]
    least_ms = limits["story_ms"]
    if entry["kernel_boot"] != entry["boot_before"]:  # its first frame tells how it started
        least_ms = max(least_ms, frame_ms(board, entry) + quiet_ms)
    if board.now_ms - heard_ms >= quiet_ms and board.now_ms - returned_ms >= least_ms:
        return True
    return bool(board.now_ms - returned_ms >= limits["story_limit_ms"])


def _move(entry: Memory, heard: Heard) -> None:
    """Take the step of the table; KeyError would be our own fault."""
    entry["voice"] = TABLE[Voice(entry["voice"])][heard].value
    if entry["voice"] == Voice.SILENT:
        entry["returned_ms"] = None
