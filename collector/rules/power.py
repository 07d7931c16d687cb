"""Power as a site's UPS tell it: supply lost, on battery, battery low or spent, contact lost.

``OB`` means that the UPS left the line, not that the mains are gone: supply is lost only with ``OB`` and an
input that was measured after it and lies below 0.1 pu of the site's nominal voltage. While contact with a
UPS is lost its flags are not believed; what was seen last stays, and ages. What is older than the newest
sample of a UPS changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from collector.model import Fact
from collector.rules import reach, supply
from collector.rules.board import Finding, Memory, Phase, Shows
from collector.rules.network import silence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.model import Readings
    from collector.rules.board import Board

CONTACT: Final = ("server_lost", "unknown_ups", "driver_lost", "data_stale", "waiting")
FLAGS: Final = ("lb", "rb", "cal")
NUMBERS: Final = {
    "charge": "battery_charge_percent",
    "runtime_s": "battery_runtime",
    "load": "load_percent",
}
_CONTACT: Final = frozenset(CONTACT)
_NUMBERS: Final = (int, float)
ON_BATTERY: Final = ("supply_lost", "on_battery")


def observe(board: Board, readings: Readings) -> None:
    """Take a row of a UPS, or the report that its reader fails; other rows and history do nothing."""
    if not readings.current:
        return
    if readings.measurement == "upsd":
        _take(board, f"{readings.device}/{readings.instance or ''}", readings)
    elif readings.measurement == "agent" and readings.instance == "ups":
        _reader(board, readings)


def tick(board: Board) -> None:
    """Let what is falling clear while its device speaks: a turn back would have come as an event at once."""
    for subject, ups in board.memory["ups"].items():
        if not silence.is_live(board.memory, subject.partition("/")[0]):
            continue
        for finding in _findings(board, subject, ups, board.now_ms):
            if board.phase(finding.condition, subject) == Phase.FALLING:
                board.apply(finding)


def _take(board: Board, subject: str, readings: Readings) -> None:
    ups = board.memory["ups"].setdefault(subject, {"seen_ms": readings.time_ms, "contact": True})
    late_ms = ups["seen_ms"] - readings.time_ms
    if 0 < late_ms < board.thresholds["clock_step_ms"]:
        return
    if late_ms > 0:
        _forget_times(ups)
    ups["seen_ms"] = readings.time_ms
    lost = None
    if not _CONTACT.isdisjoint(readings.fields):
        lost = next((name for name in CONTACT if readings.fields.get(name)), None)
    _set_contact(ups, lost, readings.time_ms)
    if lost is None:
        _remember(board, ups, readings)
    _evaluate(board, subject, ups, readings.time_ms)


def _reader(board: Board, readings: Readings) -> None:
    """Take a failing reader as contact lost with every UPS that it reads."""
    ok = readings.fields.get("reader_ok")
    for subject, ups in board.memory["ups"].items():
        newer = readings.time_ms >= ups["seen_ms"]
        if subject.startswith(f"{readings.device}/") and ok == 0 and newer:
            _set_contact(ups, "reader", readings.time_ms)
            _evaluate(board, subject, ups, readings.time_ms)


def _set_contact(ups: Memory, lost: str | None, at_ms: int) -> None:
    if lost is not None and ups["contact"]:
        ups["lost_ms"] = at_ms
    ups["contact"] = lost is None
    ups["lost_why"] = lost


def _forget_times(ups: Memory) -> None:
    """Drop the moments of a clock that was set back since: they mean nothing any more."""
    for name in ("ob_since_ms", "input_ms", "blind_since_ms"):
        ups.pop(name, None)


def _remember(board: Board, ups: Memory, readings: Readings) -> None:
    fields = readings.fields
    for name in FLAGS:
        if (flag := fields.get(name)) is not None:
            ups[name] = bool(flag)
    for name, field in NUMBERS.items():
        ups[name] = _number(fields.get(field))
    _remember_line(ups, fields, readings.time_ms)
    _remember_input(board, ups, readings)


def _remember_line(ups: Memory, fields: dict[str, Any], at_ms: int) -> None:
    """OB and OL together, or neither (OFF, BYPASS), say nothing of the line."""
    ob, ol = fields.get("ob"), fields.get("ol")
    if ob is None and ol is None:
        return
    ups["line"] = None if bool(ob) == bool(ol) else "ob" if ob else "ol"
    if ups["line"] == "ob":
        ups.setdefault("ob_since_ms", at_ms)
    elif ups["line"] == "ol":
        ups.pop("ob_since_ms", None)


def _remember_input(board: Board, ups: Memory, readings: Readings) -> None:
    volts, age = _number(readings.fields.get("input_voltage")), _number(readings.fields.get("age_input_ms"))
    ups["input_v"] = volts
    ups["input_ms"] = None if volts is None or age is None else round(readings.time_ms - age)
    if volts is None or ups.get("line") != "ol":
        return
    if volts >= board.thresholds["supply_lost_below_pu"] * board.site.nominal_v:
        ups.pop("blind_since_ms", None)
    else:
        ups.setdefault("blind_since_ms", readings.time_ms)
        ups["blind_until_ms"] = readings.time_ms


def measured_pu(board: Board, ups: Memory) -> float | None:
    """Return the input in per unit when it was measured since the UPS left the line, else None.

    Some UPS report 0 V on line for ever; such an input is no measurement.
    """
    limits = board.thresholds
    since, refreshed = ups.get("ob_since_ms"), ups.get("input_ms")
    if since is None or refreshed is None or refreshed < since - limits["input_refresh_grace_ms"]:
        return None
    blind_since = ups.get("blind_since_ms")
    if blind_since is not None and ups["blind_until_ms"] - blind_since >= limits["input_blind_after_ms"]:
        return None
    return float(ups["input_v"]) / board.site.nominal_v


# --- what it shows -------------------------------------------------------------------------------


def _evaluate(board: Board, subject: str, ups: Memory, at_ms: int) -> None:
    if _is_quiet(board, subject, ups):
        return
    contact_before = board.is_open("ups_contact_lost", subject)
    for finding in _findings(board, subject, ups, at_ms):
        board.apply(finding)
    if board.is_open("ups_contact_lost", subject) != contact_before:
        _tell_contact(board, subject, ups, at_ms)


def _is_quiet(board: Board, subject: str, ups: Memory) -> bool:
    """Say that no finding can change anything: none shows yes, and nothing of this UPS is but clear."""
    if not ups["contact"] or ups.get("line") == "ob" or ups.get("rb") or ups.get("cal"):
        return False
    conditions = board.memory["conditions"]
    return not conditions or all(key.partition("|")[2] != subject for key in conditions)


def _findings(board: Board, subject: str, ups: Memory, at_ms: int) -> Iterator[Finding]:
    """Give what is shown of each condition, one after the other."""
    yield from _line_findings(board, subject, ups, at_ms)
    yield from _battery_findings(board, subject, ups, at_ms)
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


def _line_findings(board: Board, subject: str, ups: Memory, at_ms: int) -> Iterator[Finding]:
    """Give what is shown of the line: on_battery gives way to supply_lost, which must be judged before."""
    facts = (*_input_facts(board, ups), *_battery_facts(ups))
    lost = reach.judged(board, "supply_lost", facts, ups.get("ob_since_ms") or at_ms)
    clear_ms = board.thresholds["power_clear_ms"]
    yield Finding(
        "supply_lost",
        subject,
        _shows_supply(board, ups),
        at_ms,
        lost.facts,
        lost.cause,
        lost.confidence,
        clear_ms=clear_ms,
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


def _battery_findings(board: Board, subject: str, ups: Memory, at_ms: int) -> Iterator[Finding]:
    facts, limits = _battery_facts(ups), board.thresholds
    low_ms = limits["battery_low_clear_ms"]
    yield Finding("battery_low", subject, _shows_low(ups), at_ms, facts, clear_ms=low_ms)
    yield Finding(
        "battery_replace",
        subject,
        _shows_flag(ups, "rb") if not ups.get("cal") else Shows.UNKNOWN,
        at_ms,
        (Fact("battery_reported_bad"), *facts),
        raise_ms=limits["replace_battery_raise_ms"],
        clear_ms=limits["replace_battery_clear_ms"],
    )
    yield Finding("ups_self_test", subject, _shows_flag(ups, "cal"), at_ms, facts)


def _shows_supply(board: Board, ups: Memory) -> Shows:
    line = ups.get("line") if ups["contact"] else None
    if line is None:
        return Shows.UNKNOWN
    if line == "ol":
        return Shows.NO
    if supply.has_mains(board, ups):
        return Shows.NO  # the building has mains: this UPS alone has none
    pu = measured_pu(board, ups)
    if pu is None:
        return Shows.UNKNOWN
    if pu < board.thresholds["supply_lost_below_pu"]:
        return Shows.YES
    return Shows.NO if pu >= board.thresholds["supply_back_above_pu"] else Shows.UNKNOWN


def _shows_battery(ups: Memory) -> Shows:
    line = ups.get("line") if ups["contact"] else None
    if line is None or (line == "ob" and ups.get("cal")):
        return Shows.UNKNOWN
    return Shows.YES if line == "ob" else Shows.NO


def _shows_low(ups: Memory) -> Shows:
    """Say whether a battery in use is low; after the return of the line it is just charging."""
    line = ups.get("line") if ups["contact"] else None
    if line is None or (line == "ob" and ups.get("cal")):
        return Shows.UNKNOWN
    return Shows.YES if line == "ob" and ups.get("lb") else Shows.NO


def _shows_flag(ups: Memory, name: str) -> Shows:
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


def _battery_facts(ups: Memory) -> tuple[Fact, ...]:
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


def _tell_contact(board: Board, subject: str, ups: Memory, at_ms: int) -> None:
    """Contact lost on battery stays on battery; the open incident says that it is no longer seen."""
    fresh = (*_input_facts(board, ups), *_battery_facts(ups))
    for condition in ON_BATTERY:
        if board.is_open(condition, subject):
            facts = fresh if ups["contact"] else (*fresh, *_contact_facts(ups, at_ms))
            board.revise(Finding(condition, subject, Shows.YES, at_ms, facts, reason="ups_contact"))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, _NUMBERS) else None
