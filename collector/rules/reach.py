"""How far a loss of supply reaches: the site's own, the area's, or announced work.

A UPS tells that the supply went; who else lost it is known around. The verdict of an open loss is revised as
the neighbours tell. A UPS that left the line and cannot measure its input is believed to have lost the supply
when its neighbours have: without them its cause is not measured and stays unsaid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from collector.model import Cause, Fact
from collector.rules import evidence_around
from collector.rules.board import OPEN, Finding, Phase, Shows
from collector.rules.verdict import weigh

if TYPE_CHECKING:
    from collector.rules.board import Board

# what the condition itself is worth, by its name
TOLD: Final = {"supply_lost": Fact("no_input"), "on_battery": Fact("on_battery_before")}
SUPPLY: Final = frozenset({Cause.MAINS_AREA, Cause.MAINS_SITE, Cause.PLANNED})


class Judged(NamedTuple):
    """The facts of a loss of supply and what they come to."""

    facts: tuple[Fact, ...]
    cause: Cause
    confidence: float


def judged(
    board: Board, condition: str, own: tuple[Fact, ...], begun_ms: int, *, over: bool = False
) -> Judged:
    """Weigh what the UPS tells with what lies beyond the site. ``over``: the supply is back."""
    facts = (*own, *_beyond(board, begun_ms, over=over))
    verdict = weigh([TOLD[condition], *facts])
    return Judged(facts, verdict.cause, verdict.confidence)


def tick(board: Board) -> None:
    """Revise every open loss of supply."""
    for condition, subject, phase in board.known():
        if condition in TOLD and phase in OPEN:
            _revise(board, condition, subject, over=phase == Phase.FALLING)


def _revise(board: Board, condition: str, subject: str, *, over: bool) -> None:
    own = tuple(fact for fact in board.facts(condition, subject) if fact.code not in CODES)
    found = judged(board, condition, own, board.began_ms(condition, subject), over=over)
    if condition == "on_battery" and not {fact.code for fact in found.facts} & ENOUGH:
        return
    if found.cause in SUPPLY:
        facts, cause, confidence = found
        board.revise(
            Finding(condition, subject, Shows.YES, board.now_ms, facts, cause, confidence, reason="around")
        )


def _beyond(board: Board, begun_ms: int, *, over: bool) -> list[Fact]:
    around, limits = board.site.neighbours, board.thresholds
    return [
        *evidence_around.near(around, limits),
        *evidence_around.region(around, limits),
        *evidence_around.circuit(around, limits),
        *evidence_around.premises(around),
        *evidence_around.cofailure(around, limits),
        *evidence_around.left_behind(around, limits, begun_ms, board.now_ms, over=over),
        *evidence_around.announced(board.site.planned, begun_ms, board.now_ms, limits),
    ]


# who else has to tell so that a UPS that measures nothing is believed
ENOUGH: Final = frozenset(
    {"neighbours_without_supply", "neighbours_dark", "region_dark", "circuit_dark", "planned_window"}
)
CODES: Final = ENOUGH | {
    "neighbour_dark", "neighbours_fine", "dark_with_other_providers", "dark_with_one_provider",
    "dark_with_same_provider", "circuit_fine", "premises_dark", "premises_fine",
    "fell_together_before", "did_not_come_back", "window_overrun",
}  # fmt: skip
