"""The line of a UPS: supply lost, on battery, self-test, contact lost.

``OB`` means that the UPS left the line, not that the mains are gone: supply is lost only with ``OB`` and an
input that was measured after it and lies below 0.1 pu, or with meters that fell to nothing with it or with
the contact to it. Where a meter shows voltage, or a device that the mains feed goes on speaking, the mains
are there, whatever the UPS measures at its plug.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from collector.model import Fact
from collector.rules import reach
from collector.rules.board import Finding, Memory, Shows
from collector.rules.power import witness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.rules.board import Board

ON_BATTERY: Final = ("supply_lost", "on_battery")


def findings(
    board: Board, subject: str, ups: Memory, _fields: dict[str, Any], at_ms: int
) -> Iterator[Finding]:
    """Give what is shown of the line: on_battery gives way to supply_lost, which must be judged before."""
    seen = witness.of_mains(board, ups, at_ms)
    facts = (*_input_facts(board, ups), *_witness_facts(ups, seen), *battery_facts(ups))
    begun_ms = witness.since_ms(ups)
    lost = reach.judged(board, "supply_lost", facts, begun_ms or at_ms)
    clear_ms = board.thresholds["power_clear_ms"]
    shows = _shows_supply(board, ups, seen)
    refuted = shows == Shows.NO and seen is not None and seen.live and ups.get("line") == "ob"
    yield Finding(
        "supply_lost",
        subject,
        shows,
        at_ms,
        lost.facts,
        lost.cause,
        lost.confidence,
        reason="mains_seen" if refuted else "",
        clear_ms=0 if refuted else clear_ms,
        started_ms=None if ups["contact"] else begun_ms,
        final=ups.get("line") == "ol",
    )
    measured = board.is_open("supply_lost", subject)
    yield Finding(
        "on_battery",
        subject,
        Shows.NO if measured else _shows_battery(ups),
        at_ms,
        facts,
        reason="supply_lost_measured" if measured else "",
        clear_ms=0 if measured else clear_ms,
    )
    yield Finding("ups_self_test", subject, shows_flag(ups, "cal"), at_ms, battery_facts(ups))
    limits = board.thresholds
    yield Finding(
        "ups_contact_lost",
        subject,
        Shows.NO if ups["contact"] else Shows.YES,
        at_ms,
        _contact_facts(ups, at_ms),
        raise_ms=limits["contact_lost_raise_ms"],
        clear_ms=limits["contact_lost_clear_ms"],
    )


def tell_contact(board: Board, subject: str, ups: Memory, at_ms: int) -> None:
    """Contact lost on battery stays on battery; the open incident says that it is no longer seen."""
    fresh = (*_input_facts(board, ups), *battery_facts(ups))
    for condition in ON_BATTERY:
        if board.is_open(condition, subject):
            seen = _witness_facts(ups, witness.of_mains(board, ups, at_ms))
            facts = fresh if ups["contact"] else (*fresh, *seen, *_contact_facts(ups, at_ms))
            board.revise(Finding(condition, subject, Shows.YES, at_ms, facts, reason="ups_contact"))


def measured_pu(board: Board, ups: Memory) -> float | None:
    """Return the input in per unit when it was measured since the UPS left the line, else None.

    Some UPS report 0 V on line for ever; such an input is no measurement.
    """
    limits = board.thresholds
    since, refreshed = ups.get("ob_since_ms"), ups.get("input_ms")
    if since is None or refreshed is None or refreshed < since - limits["input_refresh_grace_ms"]:
        return None
    if is_blind(board, ups):
        return None
    return float(ups["input_v"]) / board.site.nominal_v


def is_blind(board: Board, ups: Memory) -> bool:
    """Say whether the UPS reads no input although it is on line: it cannot measure."""
    since = ups.get("blind_since_ms")
    return since is not None and ups["blind_until_ms"] - since >= board.thresholds["input_blind_after_ms"]


# --- what it shows -------------------------------------------------------------------------------


def _shows_supply(board: Board, ups: Memory, seen: witness.Seen | None) -> Shows:
    line = ups.get("line") if ups["contact"] else None
    if line is None:
        if seen is None or ups["contact"]:
            return Shows.UNKNOWN
        return Shows.NO if seen.live else Shows.YES
    if line == "ol" or (seen is not None and seen.live):
        return Shows.NO
    pu = measured_pu(board, ups)
    if pu is None:
        return Shows.UNKNOWN if seen is None or ups.get("cal") else Shows.YES
    if pu < board.thresholds["supply_lost_below_pu"]:
        return Shows.YES
    return Shows.NO if pu >= board.thresholds["supply_back_above_pu"] else Shows.UNKNOWN


def _shows_battery(ups: Memory) -> Shows:
    line = ups.get("line") if ups["contact"] else None
    if line is None or (line == "ob" and ups.get("cal")):
        return Shows.UNKNOWN
    return Shows.YES if line == "ob" else Shows.NO


def shows_flag(ups: Memory, name: str) -> Shows:
    """Say what a flag of the status shows; of a UPS that cannot be heard, nothing."""
    if not ups["contact"] or name not in ups:
        return Shows.UNKNOWN
    return Shows.YES if ups[name] else Shows.NO


# --- in facts ------------------------------------------------------------------------------------


def _input_facts(board: Board, ups: Memory) -> tuple[Fact, ...]:
    if ups.get("line") != "ob":
        return ()
    pu = measured_pu(board, ups)
    if pu is None:
        return (Fact("input_not_measured"),)
    return (Fact("input_measured", {"volts": round(float(ups["input_v"]), 1), "pu": round(pu, 2)}),)


def _witness_facts(ups: Memory, seen: witness.Seen | None) -> tuple[Fact, ...]:
    told = ups.get("line") == "ob" or not ups["contact"]
    return (seen.fact,) if seen is not None and told else ()


def battery_facts(ups: Memory) -> tuple[Fact, ...]:
    """Say how full the battery is, how long it lasts and what it carries, as far as it is known."""
    facts = []
    if (charge := ups.get("charge")) is not None:
        facts.append(Fact("battery_charge", {"percent": round(charge)}))
    if (runtime := ups.get("runtime_s")) is not None:
        facts.append(Fact("battery_runtime", {"minutes": round(runtime / 60)}))
    if (load := ups.get("load")) is not None:
        facts.append(Fact("ups_load", {"percent": round(load)}))
    return tuple(facts)


def _contact_facts(ups: Memory, at_ms: int) -> tuple[Fact, ...]:
    why = Fact("contact_lost_why", {"why": ups.get("lost_why") or "unknown"})
    if ups["contact"] or ups.get("line") is None:
        return () if ups["contact"] else (why,)
    age_s = max(0, at_ms - ups.get("lost_ms", at_ms)) // 1000
    last = "last_seen_on_battery" if ups["line"] == "ob" else "last_seen_on_line"
    return (why, Fact(last, {"age_s": age_s}))
