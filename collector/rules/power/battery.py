"""The battery of a UPS: low, given up by its UPS, not charging, too short a runtime.

A battery that its UPS gave up while nobody could hear it (history) is found on the device's return: it is
an incident, though the UPS may say nothing of it any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.model import Fact
from collector.rules.board import Finding, Memory, Shows
from collector.rules.power.line import battery_facts, shows_flag
from collector.rules.power.numbers import fresh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.model import Readings
    from collector.rules.board import Board

REPLACE = "battery_replace"


def findings(
    board: Board, subject: str, ups: Memory, fields: dict[str, Any], at_ms: int
) -> Iterator[Finding]:
    """Give what flags and values show of the battery."""
    yield from flags(board, subject, ups, fields, at_ms)
    yield from _charging(board, subject, ups, fields, at_ms)
    yield from _runtime(board, subject, ups, fields, at_ms)


def flags(board: Board, subject: str, ups: Memory, _fields: dict[str, Any], at_ms: int) -> Iterator[Finding]:
    """Give what the UPS itself says of its battery."""
    facts, limits = battery_facts(ups), board.thresholds
    low_ms = limits["battery_low_clear_ms"]
    yield Finding("battery_low", subject, _shows_low(ups), at_ms, facts, clear_ms=low_ms)
    yield Finding(
        REPLACE,
        subject,
        shows_flag(ups, "rb") if not ups.get("cal") else Shows.UNKNOWN,
        at_ms,
        (Fact("battery_reported_bad"), *facts),
        raise_ms=limits["replace_battery_raise_ms"],
        clear_ms=limits["replace_battery_clear_ms"],
    )


def _shows_low(ups: Memory) -> Shows:
    """Say whether a battery in use is low; after the return of the line it is just charging."""
    line = ups.get("line") if ups["contact"] else None
    if line is None or (line == "ob" and ups.get("cal")):
        return Shows.UNKNOWN
    return Shows.YES if line == "ob" and ups.get("lb") else Shows.NO


def _charging(
    board: Board, subject: str, ups: Memory, fields: dict[str, Any], at_ms: int
) -> Iterator[Finding]:
    """Give whether the charge rises while the line is there, from the last rise on."""
    limits = board.thresholds
    charge = fresh(fields, "battery_charge_percent", "age_battery_ms", limits)
    if charge is None or ups.get("line") != "ol" or ups.get("cal"):
        if ups.get("line") != "ol":
            ups.pop("charge_from", None)
        yield Finding("battery_not_charging", subject, Shows.UNKNOWN, at_ms)
        return
    shows = Shows.UNKNOWN
    since = ups.get("charge_from")
    if charge >= limits["battery_charged_percent"]:
        ups.pop("charge_from", None)
        shows = Shows.NO
    elif since is None:
        ups["charge_from"] = [at_ms, charge]
    elif charge >= since[1] + limits["charge_rise_percent"]:
        ups["charge_from"] = [at_ms, charge]
        shows = Shows.NO
    else:
        since[1] = min(since[1], charge)
        shows = Shows.YES if at_ms - since[0] >= limits["charge_stalled_ms"] else Shows.UNKNOWN
    hours = round((at_ms - since[0]) / 3_600_000) if since else 0
    facts = (Fact("charge_stalled", {"percent": round(charge), "hours": hours}),)
    yield Finding("battery_not_charging", subject, shows, at_ms, facts)


def _runtime(
    board: Board, subject: str, ups: Memory, fields: dict[str, Any], at_ms: int
) -> Iterator[Finding]:
    """Give whether a full battery would last; of one that its UPS gave up nothing more is said."""
    limits = board.thresholds
    runtime_s = full_runtime_s(board, ups, fields)
    shows = Shows.UNKNOWN
    if runtime_s is not None and runtime_s < limits["runtime_low_s"]:
        shows = Shows.UNKNOWN if ups.get("rb") else Shows.YES
    elif runtime_s is not None and runtime_s >= limits["runtime_clear_s"]:
        shows = Shows.NO
    raise_ms = limits["runtime_raise_ms"]
    yield Finding("runtime_low", subject, shows, at_ms, battery_facts(ups), raise_ms=raise_ms)


def full_runtime_s(board: Board, ups: Memory, fields: dict[str, Any]) -> float | None:
    """Return how long the charged battery would last, by the UPS's estimate; None when it cannot be said."""
    limits = board.thresholds
    if ups.get("line") != "ol" or ups.get("cal") or fields.get("chrg"):
        return None
    charge = fresh(fields, "battery_charge_percent", "age_battery_ms", limits)
    if charge is None or charge < limits["battery_charged_percent"]:
        return None
    return fresh(fields, "battery_runtime", "age_battery_ms", limits)


# --- found on return -------------------------------------------------------------------------------


def observe_past(board: Board, readings: Readings) -> None:
    """Take a row of history: a battery given up for long enough is found, once, whatever is said now."""
    fields, at_ms = readings.fields, readings.time_ms
    if not fields.get("rb") or fields.get("cal"):
        return
    subject = f"{readings.device}/{readings.instance or ''}"
    ups = board.memory["ups"].setdefault(subject, {"seen_ms": at_ms, "contact": True})
    if at_ms <= ups.get("rb_told", 0):
        return
    gap_ms = board.thresholds["reading_gap_ms"]
    begin, end = ups.pop("rb_past", (at_ms, at_ms))
    near = begin - gap_ms <= at_ms <= end + gap_ms
    begin, end = (min(begin, at_ms), max(end, at_ms)) if near else (at_ms, at_ms)
    if end - begin < board.thresholds["replace_battery_raise_ms"]:
        ups["rb_past"] = [begin, end]
        return
    if not board.is_open(REPLACE, subject):
        facts = (Fact("battery_reported_bad"),)
        board.apply(Finding(REPLACE, subject, Shows.YES, begin, facts, on_return=True))
    ups["rb_told"] = end
