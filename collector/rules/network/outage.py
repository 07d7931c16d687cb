"""The whole site is silent: an outage with a verdict, provisional at once, final when the story is told.

The outage ends with the first word of the first device that came back and told its story; it is judged when
the others have told theirs, or were given the time to. What held before the silence is kept with the outage;
the rest of the evidence is looked at anew in every step. What went dark while nobody listened is opened when
its story is told (``unobserved``), stays open until its neighbours have told theirs, and calls nobody.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from collector.model import Fact
from collector.rules import evidence
from collector.rules.board import Finding, Memory, Shows
from collector.rules.evidence import Scene
from collector.rules.network import silence, unobserved
from collector.rules.network.silence import Voice
from collector.rules.verdict import weigh

if TYPE_CHECKING:
    from collector.rules.board import Board

CONDITION: Final = "outage"
_AWAY: Final = (Voice.NEW, Voice.SILENT, Voice.RETURNING)


def tick(board: Board) -> None:
    """Open, revise or close the outage of the site."""
    memory = board.memory
    voices = {name: silence.voice(memory, name) for name in memory["devices"]}
    heard = [name for name, voice in voices.items() if voice != Voice.NEW]
    silent = sorted(name for name in heard if voices[name] == Voice.SILENT)
    outage = memory.get("outage")
    whole = bool(heard) and len(silent) == len(heard)
    if outage is not None and (not heard or (whole and outage.get("end_ms"))):
        _close(board, outage, again=whole)
        outage = None
    if outage is None:
        if whole:
            _open(board, silent)
        elif (found := unobserved.tick(board)) is not None:
            board.memory["outage"] = found
            board.apply(_finding(board, found, Shows.YES, board.now_ms, reason="unobserved"))
    elif whole or not _somebody_is_back(board, outage, voices):
        _revise(board, outage, returning=Voice.RETURNING in voices.values())
    elif _story_is_whole(board, outage, voices):
        _close(board, outage)
    else:
        _revise(board, outage)


def _open(board: Board, members: list[str]) -> None:
    started_ms = max(board.memory["devices"][name]["silent_ms"] for name in members)
    scene = Scene(board, tuple(members), started_ms, whole_site=True)
    kept = [[fact.code, fact.params] for fact in evidence.before(scene)]
    for ups in board.memory["ups"].values():
        ups["charge_before"] = ups.get("charge")
    outage = {"started_ms": started_ms, "members": members, "before": kept}
    board.memory["outage"] = outage
    board.apply(_finding(board, outage, Shows.YES, board.now_ms))


def _revise(board: Board, outage: Memory, *, returning: bool = False) -> None:
    finding = _finding(board, outage, Shows.YES, board.now_ms, reason="facts")
    if returning and "unobserved_ms" not in outage:
        finding = replace(finding, facts=(*finding.facts, silence.SPEAKS_AGAIN))
    board.revise(finding)


def _somebody_is_back(board: Board, outage: Memory, voices: dict[str, Voice]) -> bool:
    """Tell whether a device has come back and told its story; note when the outage ended."""
    if all(voice in _AWAY for voice in voices.values()):
        return False
    if not outage.get("end_ms"):
        outage["end_ms"] = _first_word_ms(board, outage)
    return True


def _first_word_ms(board: Board, outage: Memory) -> int:
    entries = board.memory["devices"].values()
    words = [
        entry.get("returned_ms") or entry["last_ms"] for entry in entries if entry["voice"] != Voice.SILENT
    ]
    return min((at_ms for at_ms in words if at_ms > outage["started_ms"]), default=board.now_ms)


def _story_is_whole(board: Board, outage: Memory, voices: dict[str, Voice]) -> bool:
    """Tell whether the others have told theirs as well; who stays away is not waited for for long."""
    if Voice.RETURNING in voices.values():
        return False
    if "unobserved_ms" in outage:  # its neighbours are still telling theirs
        return bool(board.now_ms - outage["unobserved_ms"] >= board.thresholds["story_others_ms"])
    waited_ms = board.now_ms - outage["end_ms"]
    return Voice.SILENT not in voices.values() or waited_ms >= board.thresholds["story_others_ms"]


def _close(board: Board, outage: Memory, *, again: bool = False) -> None:
    """Say the final verdict, then the end. ``again``: silent anew, what was known before is what counts."""
    finding = _finding(board, outage, Shows.YES, board.now_ms, reason="story_told")
    if again:
        finding = replace(finding, **board.verdict(CONDITION, ""))
    board.revise(finding, final=True)
    end_ms = outage.get("end_ms") or board.now_ms
    board.apply(replace(finding, shows=Shows.NO, at_ms=end_ms, reason="speaks_again"))
    board.memory["outage"] = None


def _finding(board: Board, outage: Memory, shows: Shows, at_ms: int, *, reason: str = "") -> Finding:
    members = tuple(name for name in outage["members"] if name in board.memory["devices"])
    scene = Scene(board, members, outage["started_ms"], whole_site=True)
    look = evidence.afterwards if "unobserved_ms" in outage else evidence.now
    facts = (*(Fact(code, dict(params)) for code, params in outage["before"]), *look(scene))
    verdict = weigh(facts)
    return Finding(
        CONDITION,
        "",
        shows,
        at_ms,
        facts,
        verdict.cause,
        verdict.confidence,
        reason=reason,
        started_ms=outage["started_ms"],
        on_return="unobserved_ms" in outage,
    )
