"""The whole site is silent: an outage with a verdict, provisional at once, final when the story is told.

The outage ends when the first device has come back and told its story. What held before the silence is kept
with the outage; the rest of the evidence is looked at anew in every step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.model import Fact
from collector.rules import evidence
from collector.rules.board import Finding, Memory, Shows
from collector.rules.evidence import Scene
from collector.rules.network import silence
from collector.rules.network.silence import Voice
from collector.rules.verdict import weigh

if TYPE_CHECKING:
    from collector.rules.board import Board


def tick(board: Board) -> None:
    """Open, revise or close the outage of the site."""
    memory = board.memory
    heard = [name for name in memory["devices"] if silence.voice(memory, name) != Voice.NEW]
    silent = [name for name in heard if silence.voice(memory, name) == Voice.SILENT]
    outage = memory.get("outage")
    if outage is None:
        if heard and len(silent) == len(heard):
            _open(board, sorted(silent))
    elif silent and len(silent) == len(heard):
        _revise(board, outage)
    elif not heard or any(
        silence.voice(memory, name) not in {Voice.SILENT, Voice.RETURNING} for name in heard
    ):
        _close(board, outage)


def _open(board: Board, members: list[str]) -> None:
    started_ms = max(board.memory["devices"][name]["silent_ms"] for name in members)
    scene = Scene(board, tuple(members), started_ms, whole_site=True)
    kept = [[fact.code, fact.params] for fact in evidence.before(scene)]
    outage = {"started_ms": started_ms, "members": members, "before": kept}
    board.memory["outage"] = outage
    board.apply(_finding(board, outage, Shows.YES, board.now_ms))


def _revise(board: Board, outage: Memory) -> None:
    board.revise(_finding(board, outage, Shows.YES, board.now_ms))


def _close(board: Board, outage: Memory) -> None:
    """Say the final verdict, then the end: at the first word that came."""
    board.revise(_finding(board, outage, Shows.YES, board.now_ms, reason="story_told"), final=True)
    entries = board.memory["devices"].values()
    words = [
        entry.get("returned_ms") or entry["last_ms"] for entry in entries if entry["voice"] != Voice.SILENT
    ]
    end_ms = min((at_ms for at_ms in words if at_ms > outage["started_ms"]), default=board.now_ms)
    board.apply(_finding(board, outage, Shows.NO, end_ms, reason="speaks_again"))
    board.memory["outage"] = None


def _finding(board: Board, outage: Memory, shows: Shows, at_ms: int, *, reason: str = "") -> Finding:
    members = tuple(name for name in outage["members"] if name in board.memory["devices"])
    scene = Scene(board, members, outage["started_ms"], whole_site=True)
    facts = (*(Fact(code, dict(params)) for code, params in outage["before"]), *evidence.now(scene))
    verdict = weigh(facts)
    return Finding(
        "outage",
        "",
        shows,
        at_ms,
        facts,
        verdict.cause,
        verdict.confidence,
        reason=reason,
        started_ms=outage["started_ms"],
    )
