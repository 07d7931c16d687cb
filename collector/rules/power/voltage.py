"""Voltage and frequency at a UPS's input or a meter: too low, too high, dangerous.

Only measurements count, each once: a value that was not refreshed since shows nothing new. Two of them from
``hazard_above_pu`` on, ``hazard_apart_ms`` apart, are a danger of fire, whatever measured them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from collector.model import Fact
from collector.rules.board import Finding, Memory, Phase, Shows
from collector.rules.power.line import is_blind
from collector.rules.power.numbers import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.model import Value
    from collector.rules.board import Board

HAZARD: Final = "voltage_hazard"
NEUTRAL: Final = "open_neutral"
CONDITIONS: Final = (HAZARD, "overvoltage", "undervoltage", "frequency")
_HERTZ_LOW: Final = 1.0


class Reading(NamedTuple):
    """A voltage (V) when it was measured, and the frequency beside it (Hz). ``fact`` says it in words."""

    volts: float
    hertz: float | None
    at_ms: int
    fact: Fact


def of_ups(board: Board, subject: str, ups: Memory, fields: dict[str, Any], at_ms: int) -> Iterator[Finding]:
    """Give what the input of a UPS shows, if it was measured since the last look."""
    measured_ms = ups.get("input_ms")
    known = ups["contact"] and measured_ms is not None and not is_blind(board, ups)
    if not known or at_ms - (measured_ms or 0) > board.thresholds["value_stale_ms"]:
        yield from nothing(board, subject, ups, at_ms)
        return
    volts = float(ups["input_v"])
    params: dict[str, Value] = {"volts": round(volts, 1), "pu": round(volts / board.site.nominal_v, 2)}
    hertz = number(fields.get("input_frequency"))
    reading = Reading(volts, hertz, measured_ms or 0, Fact("input_measured", params))
    yield from judge(board, subject, ups, reading)


def nothing(board: Board, subject: str, memory: Memory, at_ms: int) -> Iterator[Finding]:
    """Give that nothing was measured: what was rising has to begin anew."""
    memory.pop("volt_ms", None)
    for condition in CONDITIONS:
        if board.phase(condition, subject) == Phase.RISING:
            yield Finding(condition, subject, Shows.UNKNOWN, at_ms)


def judge(board: Board, subject: str, memory: Memory, reading: Reading) -> Iterator[Finding]:
    """Give what a measurement shows. ``memory``: of the meter or UPS, for the time of the newest one."""
    limits, before_ms = board.thresholds, memory.get("volt_ms")
    if before_ms is not None:
        if reading.at_ms <= before_ms:
            return
        if reading.at_ms - before_ms > limits["reading_gap_ms"]:
            yield from nothing(board, subject, memory, before_ms)
    pu = reading.volts / board.site.nominal_v
    if pu > limits["voltage_beyond_pu"]:
        return
    yield _hazard(board, subject, reading, pu)
    yield _over(board, subject, reading, pu)
    yield _under(board, subject, reading, pu)
    yield _frequency(board, subject, reading, pu)
    odd = not limits["undervoltage_below_pu"] <= pu <= limits["overvoltage_above_pu"]
    if odd or any(board.phase(condition, subject) != Phase.CLEAR for condition in CONDITIONS):
        memory["volt_ms"] = reading.at_ms
    else:
        memory.pop("volt_ms", None)


def _between(*, yes: bool, no: bool) -> Shows:
    return Shows.YES if yes else Shows.NO if no else Shows.UNKNOWN


def _hazard(board: Board, subject: str, reading: Reading, pu: float) -> Finding:
    limits = board.thresholds
    shows = _between(yes=pu >= limits["hazard_above_pu"], no=pu < limits["hazard_clear_pu"])
    facts = (reading.fact, Fact("check_neutral"))
    raise_ms, clear_ms = limits["hazard_apart_ms"], limits["hazard_clear_ms"]
    return Finding(HAZARD, subject, shows, reading.at_ms, facts, raise_ms=raise_ms, clear_ms=clear_ms)


def _over(board: Board, subject: str, reading: Reading, pu: float) -> Finding:
    """While there is danger, or the neutral is open, that is said and not this."""
    limits = board.thresholds
    shows = _between(yes=pu > limits["overvoltage_above_pu"], no=pu <= limits["overvoltage_clear_pu"])
    if shows == Shows.YES and _graver(board, subject):
        shows = Shows.UNKNOWN
    return _finding(board, "overvoltage", subject, shows, reading)


def _under(board: Board, subject: str, reading: Reading, pu: float) -> Finding:
    """Below 0.1 pu there is no supply at all, which is another condition."""
    limits = board.thresholds
    none = pu < limits["supply_lost_below_pu"]
    low = not none and pu < limits["undervoltage_below_pu"]
    shows = _between(yes=low, no=none or pu >= limits["undervoltage_clear_pu"])
    if shows == Shows.YES and _graver(board, subject):
        shows = Shows.UNKNOWN
    return _finding(board, "undervoltage", subject, shows, reading)


def _graver(board: Board, subject: str) -> bool:
    return board.is_open(HAZARD, subject) or board.is_open(NEUTRAL, "")


def _frequency(board: Board, subject: str, reading: Reading, pu: float) -> Finding:
    limits, hertz = board.thresholds, reading.hertz
    if hertz is None or hertz < _HERTZ_LOW or pu < limits["meter_live_pu"]:
        return Finding("frequency", subject, Shows.UNKNOWN, reading.at_ms)
    off = abs(hertz - limits["nominal_hz"])
    shows = _between(yes=off >= limits["frequency_off_hz"], no=off < limits["frequency_clear_hz"])
    facts = (Fact("frequency_measured", {"hertz": round(hertz, 2)}),)
    return _finding(board, "frequency", subject, shows, reading, facts)


def _finding(
    board: Board, condition: str, subject: str, shows: Shows, reading: Reading, facts: tuple[Fact, ...] = ()
) -> Finding:
    limits, at_ms = board.thresholds, reading.at_ms
    raise_ms, clear_ms = limits["voltage_raise_ms"], limits["voltage_clear_ms"]
    said = facts or (reading.fact,)
    return Finding(condition, subject, shows, at_ms, said, raise_ms=raise_ms, clear_ms=clear_ms)
