"""Why the supply is lost: the verdict of an open ``supply_lost``, and who proves that there are mains.

A UPS without input says nothing of the building: a meter with voltage, a device that the mains feed and that
speaks on, or a modem on the mains that holds its link show that its plug, its socket or its breaker is what
failed. Then it is a UPS on battery.
The verdict stands from the opening on, is revised as facts arrive, and is final with the end of the loss,
which the UPS itself measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from collector.model import Fact
from collector.rules.board import Finding, Phase, Shows
from collector.rules.evidence_around import announced, circuit, cofailure, near, premises
from collector.rules.network import path
from collector.rules.verdict import Verdict, weigh

if TYPE_CHECKING:
    from collector.model import Readings
    from collector.rules.board import Board, Memory

CONDITION: Final = "supply_lost"
# what the UPS itself tells; the rest is looked at anew
OWN: Final = frozenset(
    {"input_measured", "input_not_measured", "battery_charge", "battery_runtime", "ups_load",
     "contact_lost_why", "last_seen_on_battery", "last_seen_on_line"}
)  # fmt: skip


def observe(board: Board, readings: Readings) -> None:
    """Remember when somebody last proved that the building has mains."""
    if readings.current and _proves(board, readings):
        at_ms = min(readings.time_ms, board.now_ms)
        board.memory["mains_ms"] = max(board.memory.get("mains_ms", 0), at_ms)


def _proves(board: Board, readings: Readings) -> bool:
    if readings.measurement == "mains":
        volts = readings.fields.get("voltage")
        usable = board.thresholds["supply_back_above_pu"] * board.site.nominal_v
        return isinstance(volts, int | float) and volts >= usable
    site, device = board.site, board.site.device(readings.device)
    if device is None:
        return False
    if site.carried(device.feed) is False:
        return True
    # a modem on the mains holds the link of its port
    beside = not site.way_out(device.id) and site.carried(device.modem_feed) is False
    return beside and readings.measurement == "wan" and bool(path.reports_up(readings))


def has_mains(board: Board, ups: Memory) -> bool:
    """Tell whether the building had mains while this UPS had left the line."""
    since_ms = ups.get("ob_since_ms")
    if since_ms is None or ups.get("line") != "ob":
        return False
    return bool(board.memory.get("mains_ms", 0) >= since_ms + board.thresholds["input_refresh_grace_ms"])


class Judged(NamedTuple):
    """The facts of a lost supply, and what they come to."""

    facts: tuple[Fact, ...]
    verdict: Verdict


def judged(board: Board, own: tuple[Fact, ...], started_ms: int) -> Judged:
    """Weigh what the UPS measures with who else lost supply, and with announced work."""
    around, limits = board.site.neighbours, board.thresholds
    facts = (
        *own,
        *near(around, limits),
        *circuit(around, limits),
        *premises(around),
        *cofailure(around, limits),
        *announced(board.site.planned, started_ms, board.now_ms, limits),
    )
    return Judged(facts, weigh((Fact("no_input"), *facts)))


def tick(board: Board) -> None:
    """Revise what is open, and take back what others have disproved."""
    for condition, subject, phase in list(board.known()):
        ups = board.memory["ups"].get(subject)
        if condition != CONDITION or phase != Phase.RAISED or ups is None:
            continue
        if has_mains(board, ups):
            board.apply(Finding(CONDITION, subject, Shows.NO, board.now_ms, reason="mains_proved"))
        else:
            _revise(board, subject, ups)


def _revise(board: Board, subject: str, ups: Memory) -> None:
    own = tuple(fact for fact in board.facts(CONDITION, subject) if fact.code in OWN)
    found = judged(board, own, ups.get("ob_since_ms", board.since_ms(CONDITION, subject)))
    board.revise(
        Finding(
            CONDITION,
            subject,
            Shows.YES,
            board.now_ms,
            found.facts,
            found.verdict.cause,
            found.verdict.confidence,
            reason="facts",
        )
    )
