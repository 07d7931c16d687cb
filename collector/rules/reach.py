"""How far a loss of supply reaches: the site's own, the area's, or announced work.

A UPS tells that the supply went; who else lost it is known around. The verdict of an open loss is revised as
the neighbours tell. A UPS that left the line and cannot measure its input is believed to have lost the supply
when its neighbours have: without them its cause is not measured and stays unsaid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collector.model import Cause, Fact
from collector.rules import evidence_around, power
from collector.rules.board import Finding, Shows
from collector.rules.verdict import weigh

if TYPE_CHECKING:
    from collector.rules.board import Board

# what the condition itself is worth, by its name
TOLD: Final = {"supply_lost": Fact("supply_lost_before"), "on_battery": Fact("on_battery_before")}
SUPPLY: Final = frozenset({Cause.MAINS_AREA, Cause.MAINS_SITE, Cause.PLANNED})


def tick(board: Board) -> None:
    """Revise every open loss of supply."""
    for condition, subject, _ in board.known():
        if condition in TOLD and board.is_open(condition, subject):
            _revise(board, condition, subject)


def _revise(board: Board, condition: str, subject: str) -> None:
    beyond = _beyond(board, condition, subject)
    codes = {fact.code for fact in beyond}
    own = [fact for fact in board.facts(condition, subject) if fact.code not in CODES]
    verdict = weigh([TOLD[condition], *beyond])
    cause, confidence = verdict.cause, verdict.confidence
    if condition == "supply_lost" and cause not in {Cause.MAINS_AREA, Cause.PLANNED}:
        cause, confidence = Cause.MAINS_SITE, power.SUPPLY_CONFIDENCE
    if condition == "on_battery" and not codes & ENOUGH:
        return
    if cause in SUPPLY:
        finding = Finding(
            condition, subject, Shows.YES, board.now_ms, (*own, *beyond), cause, confidence, reason="around"
        )
        board.revise(finding)


def _beyond(board: Board, condition: str, subject: str) -> list[Fact]:
    around, limits = board.site.neighbours, board.thresholds
    begun_ms = board.began_ms(condition, subject)
    return [
        *evidence_around.near(around, limits),
        *evidence_around.circuit(around, limits),
        *evidence_around.premises(around),
        *evidence_around.cofailure(around, limits),
        *evidence_around.left_behind(around, limits, board.now_ms),
        *evidence_around.announced(board.site.planned, begun_ms, board.now_ms, limits),
    ]


# who else has to tell so that a UPS that measures nothing is believed
ENOUGH: Final = frozenset({"neighbours_without_supply", "neighbours_dark", "circuit_dark", "planned_window"})
CODES: Final = ENOUGH | {
    "neighbour_dark", "neighbours_fine", "circuit_fine", "premises_dark", "premises_fine",
    "fell_together_before", "did_not_come_back", "window_overrun",
}  # fmt: skip
