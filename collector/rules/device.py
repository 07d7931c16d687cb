"""One device is silent while others of its site speak. When all are silent, that is an outage instead."""

from __future__ import annotations

from dataclasses import replace
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

CONDITION = "device_silent"


def lapsed(board: Board, devices: list[str]) -> None:
    """Take down what held when these devices fell silent."""
    for name in devices:
        entry = board.memory["devices"][name]
        scene = Scene(board, (name,), entry["silent_ms"], whole_site=False)
        entry["before"] = [[fact.code, fact.params] for fact in evidence.before(scene)]


def tick(board: Board) -> None:
    """Raise, revise or clear the silence of each device."""
    outage = board.memory.get("outage") is not None
    for name, entry in sorted(board.memory["devices"].items()):
        voice = silence.voice(board.memory, name)
        if voice == Voice.SILENT and not outage and not _falls_with_others(board, name, entry):
            finding = _finding(board, name, entry, Shows.YES)
            board.apply(finding)
            board.revise(finding)
        elif board.is_open(CONDITION, name) and (outage or voice != Voice.RETURNING):
            _clear(board, name, entry, outage=outage)
        elif voice == Voice.RETURNING and board.is_open(CONDITION, name):
            board.revise(_speaking_again(board, name, entry))


def _speaking_again(board: Board, name: str, entry: Memory) -> Finding:
    """Say what was said last, and that it is back: half a story misleads."""
    said = board.verdict(CONDITION, name)
    facts = (*(fact for fact in said["facts"] if fact != silence.SPEAKS_AGAIN), silence.SPEAKS_AGAIN)
    return replace(_finding(board, name, entry, Shows.YES, reason="facts"), **said | {"facts": facts})


def _falls_with_others(board: Board, name: str, entry: Memory) -> bool:
    """Tell whether those who still count as speaking had their last word with this device's.

    They fall silent in the same moment, then, and are only about to be noticed: an outage, not one device.
    """
    if board.is_open(CONDITION, name):
        return False
    memory = board.memory
    others = [memory["devices"][other] for other in memory["devices"] if other != name]
    speaking = [other for other in others if Voice(other["voice"]) in silence.SPEAKING]
    return bool(speaking) and all(
        other["last_ms"] <= entry["silent_ms"] + silence.frame_ms(board, other) for other in speaking
    )


def _clear(board: Board, name: str, entry: Memory, *, outage: bool) -> None:
    """End the silence: an outage takes it over, or the device is back and gets a final verdict."""
    if outage:
        board.apply(_finding(board, name, entry, Shows.NO, reason="outage"))
        return
    board.revise(_finding(board, name, entry, Shows.YES, reason="story_told"), final=True)
    board.apply(_finding(board, name, entry, Shows.NO, reason="speaks_again"))


def _finding(board: Board, name: str, entry: Memory, shows: Shows, *, reason: str = "") -> Finding:
    scene = Scene(board, (name,), entry["silent_ms"], whole_site=False)
    kept = (Fact(code, dict(params)) for code, params in entry.get("before", ()))
    facts = (*kept, *evidence.now(scene))
    verdict = weigh(facts)
    ended_ms = entry.get("returned_ms") if shows == Shows.NO else None
    return Finding(
        CONDITION,
        name,
        shows,
        ended_ms or board.now_ms,
        facts,
        verdict.cause,
        verdict.confidence,
        reason=reason,
        started_ms=entry["silent_ms"],
    )
