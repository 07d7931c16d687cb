"""What was seen last of each meter of the mains, and what it shows, alone and beside the others.

A meter is known by ``leg`` and ``place``, as it says or as its name does (``outdoor-2``). Memory of one meter
(``board.memory["meters"]``, JSON)::

    seen_ms, since_ms   the newest sample; since when it has spoken without a gap
    v, i                volts, amperes
    leg, place          what it measures, None where not known
    steps, usual, learned   resistance: the newest steps, the connection's own history (milliohm), of how many
    volt_ms             voltage: the newest odd measurement
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collector.model import Fact
from collector.rules import reach
from collector.rules.board import Finding, Memory, Shows
from collector.rules.power import circuits, neutral, resistance, voltage
from collector.rules.power.numbers import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.model import Readings, Value
    from collector.rules.board import Board

_LEGS: Final = frozenset({"1", "2", "3"})


def observe(board: Board, readings: Readings) -> None:
    """Take a row of a meter. One whose line is gone is nobody's witness until it speaks again."""
    if readings.fields.get("line_lost"):
        board.memory["meters"].pop(f"{readings.device}/{readings.instance or ''}", None)
        return
    limits, at_ms = board.thresholds, readings.time_ms
    volts, amperes = number(readings.fields.get("voltage")), number(readings.fields.get("current"))
    if volts is None or not 0 <= volts <= limits["voltage_beyond_pu"] * board.site.nominal_v:
        return
    subject = f"{readings.device}/{readings.instance or ''}"
    meters = board.memory["meters"]
    before: Memory = meters.get(subject, {})
    late_ms = before.get("seen_ms", at_ms) - at_ms
    if 0 < late_ms < limits["clock_step_ms"]:
        return
    leg, place = _where(readings)
    meter = meters[subject] = before | {
        "seen_ms": at_ms,
        "v": volts,
        "i": amperes,
        "leg": leg,
        "place": place,
    }
    if late_ms > 0:
        meter.pop("volt_ms", None)
    gap = late_ms > 0 or at_ms - before.get("seen_ms", at_ms) > limits["meter_silent_ms"]
    meter["since_ms"] = at_ms if gap else before.get("since_ms", at_ms)
    _evaluate(board, subject, before, meter, number(readings.fields.get("frequency")))


def _evaluate(board: Board, subject: str, before: Memory, meter: Memory, hertz: float | None) -> None:
    """Voltage last: what the neutral explains is not said of each leg as well."""
    params: dict[str, Value] = {
        "meter": subject.partition("/")[2],
        "volts": round(meter["v"], 1),
        "pu": round(meter["v"] / board.site.nominal_v, 2),
    }
    reading = voltage.Reading(meter["v"], hertz, meter["seen_ms"], Fact("meter_measured", params))
    if before:
        for finding in resistance.findings(board, subject, before, meter):
            board.show(finding)
    for finding in (*circuits.findings(board, subject, meter), *neutral.findings(board, meter)):
        board.show(finding)
    for finding in (*_supply(board, subject, meter), *voltage.judge(board, subject, meter, reading)):
        board.show(finding)


def _supply(board: Board, subject: str, meter: Memory) -> Iterator[Finding]:
    """Give the loss of the supply where meters are all there is: every one of them measures nothing."""
    if board.memory["ups"]:
        return
    limits, nominal_v, at_ms = board.thresholds, board.site.nominal_v, meter["seen_ms"]
    together = [
        other["v"] / nominal_v
        for other in board.memory["meters"].values()
        if abs(at_ms - other["seen_ms"]) <= limits["meter_silent_ms"]
    ]
    none = max(together) < limits["supply_lost_below_pu"]
    back = meter["v"] / nominal_v >= limits["supply_back_above_pu"]
    shows = Shows.YES if none else Shows.NO if back else Shows.UNKNOWN
    facts = (Fact("meter_zero", {"meter": subject.partition("/")[2]}),)
    lost = reach.judged(board, "supply_lost", facts, at_ms)
    yield Finding(
        "supply_lost",
        subject,
        shows,
        at_ms,
        lost.facts,
        lost.cause,
        lost.confidence,
        raise_ms=limits["input_refresh_grace_ms"],
        clear_ms=limits["power_clear_ms"],
        final=back,
    )


def _where(readings: Readings) -> tuple[int | None, str | None]:
    """Return leg and place: the row's own, else from a name such as ``outdoor-2``."""
    leg, place = readings.fields.get("leg"), readings.fields.get("place")
    head, _, tail = (readings.instance or "").rpartition("-")
    named = tail in _LEGS and bool(head)
    if not isinstance(leg, int):
        leg = int(tail) if named else None
    if not isinstance(place, str):
        place = head if named else None
    return leg, place
