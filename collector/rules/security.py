"""Doubts about a device's identity: one incident per device, however many messages raise them.

What counts is a message under an enrolled key: a signature that is not that key's, a key of another device,
a revoked key, a seq used twice, or two units that seal under one key. The incident is revised when another
kind of doubt comes up and each time the number of messages has doubled, so that a flood leaves a few dozen
steps and not one per message. It ends after ``security_quiet_ms`` without any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collector.model import Fact
from collector.rules.board import Finding, Memory, Shows

if TYPE_CHECKING:
    from collector.model import Suspect
    from collector.rules.board import Board

CONDITION: Final = "security"
CODES: Final = {
    "bad_signature": "security_bad_signature",
    "wrong_device": "security_wrong_device",
    "revoked_key": "security_revoked_key",
    "seq_reused": "security_seq_reused",
    "clone": "security_clone",
}


def observe(board: Board, item: Suspect) -> None:
    """Take messages of one kind; kinds that are not known are left out."""
    if item.reason not in CODES:
        return
    blank: Memory = {"first_ms": item.at_ms, "last_ms": item.at_ms, "counts": {}, "told": 0}
    entry = board.memory["suspects"].setdefault(item.device, blank)
    counts = entry["counts"]
    counts[item.reason] = counts.get(item.reason, 0) + item.count
    entry["last_ms"] = max(entry["last_ms"], item.at_ms)
    finding = _finding(item.device, entry, Shows.YES, item.at_ms)
    was_open = board.is_open(CONDITION, item.device)
    board.apply(finding)
    total = sum(counts.values())
    doubled = total >= 2 * entry["told"]
    if not was_open or board.revise(finding, again=doubled):
        entry["told"] = total


def tick(board: Board) -> None:
    """End what has been quiet for long enough."""
    quiet_ms = board.thresholds["security_quiet_ms"]
    for name, entry in sorted(board.memory["suspects"].items()):
        if board.now_ms - entry["last_ms"] >= quiet_ms:
            board.apply(_finding(name, entry, Shows.NO, board.now_ms, reason="quiet"))
            del board.memory["suspects"][name]


def _finding(device: str, entry: Memory, shows: Shows, at_ms: int, *, reason: str = "") -> Finding:
    counts = entry["counts"]
    facts = tuple(Fact(CODES[kind], {"count": counts[kind]}) for kind in CODES if kind in counts)
    return Finding(CONDITION, device, shows, at_ms, facts, reason=reason, started_ms=entry["first_ms"])
