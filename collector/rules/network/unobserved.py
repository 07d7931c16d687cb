"""What went dark while nobody listened, settled from what the devices tell afterwards (design, section 5).

A device that is heard again after a gap that nobody could judge tells its story as one that fell silent does.
When every device of the site was off in one stretch of it, by its own account, that stretch was an outage: it
is written with its own times, and nobody is called for what is over.

Only a stretch that a machine's restart vouches for counts: a full spool thins what it keeps, and who ran on
without being heard was not dark by its own account. A link that was down is one, by the rows that say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collector.rules.network import silence
from collector.rules.network.silence import Voice

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collector.rules.board import Board, Memory

Span = tuple[int, int]
_SPEAKS: Final = (Voice.LIVE, Voice.STOPPING, Voice.DYING)


def tick(board: Board) -> Memory | None:
    """Return the outage that a finished story shows, as ``outage`` keeps it; None while there is none."""
    devices = board.memory["devices"]
    missed = {name: entry for name, entry in devices.items() if entry.get("missed")}
    if not missed or any(entry["voice"] == Voice.RETURNING for entry in missed.values()):
        return None
    for entry in missed.values():
        del entry["missed"]
    others = [entry for entry in devices.values() if entry["voice"] != Voice.NEW]
    told = len(missed) == len(others) and all(entry["voice"] in _SPEAKS for entry in missed.values())
    span = _common([_away(entry) for entry in missed.values()]) if told else None
    if span is None or span[1] - span[0] < _least_ms(board, missed.values()):
        return None
    for entry in missed.values():
        if _away(entry) == _down(entry):
            entry["story"]["link"][0] = 0  # that it was up before and after says nothing of it
        entry["silent_ms"], entry["returned_ms"] = span
    return {
        "started_ms": span[0],
        "end_ms": span[1],
        "members": sorted(missed),
        "before": [],
        "unobserved_ms": board.now_ms,
    }


def _away(entry: Memory) -> Span | None:
    """Return the stretch in which a device was off, or its link was down: the longer one."""
    spans = [span for span in (_off(entry), _down(entry)) if span is not None]
    return max(spans, key=lambda span: span[1] - span[0], default=None)


def _down(entry: Memory) -> Span | None:
    first_ms, last_ms = entry["story"].get("down", (0, 0))
    return (first_ms, last_ms) if last_ms else None


def _off(entry: Memory) -> Span | None:
    """Return the longest time without a measurement, of a machine or an agent that started anew in it."""
    anew = entry["kernel_boot"] != entry["boot_before"]
    anew = anew or entry.get("incarnation") != entry.get("incarnation_before")
    edges = [entry["silent_ms"]]
    for start_ms, end_ms in entry["story"].get("runs", ()):
        edges += [start_ms, end_ms]
    edges.append(entry["returned_ms"])
    gaps = [(edges[i + 1] - edges[i], edges[i]) for i in range(0, len(edges), 2)]
    length_ms, start_ms = max(gaps)
    return (start_ms, start_ms + length_ms) if anew else None


def _common(spans: list[Span | None]) -> Span | None:
    """Return what all of them share; None when one of them knows of none."""
    known = [span for span in spans if span is not None]
    if len(known) < len(spans):
        return None
    return max(start_ms for start_ms, _ in known), min(end_ms for _, end_ms in known)


def _least_ms(board: Board, entries: Iterable[Memory]) -> float:
    """Return what would have been noticed, had somebody listened."""
    slowest = max(silence.frame_ms(board, entry) for entry in entries)
    return board.thresholds["silence_intervals"] * slowest
