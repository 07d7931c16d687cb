"""What was seen last of each UPS, and whether anything of it can change what is known.

While contact with a UPS is lost its flags are not believed; what was seen last stays, and ages. What is older
than the newest sample of a UPS changes nothing. Memory of one UPS (``board.memory["ups"]``, JSON)::

    seen_ms, contact, lost_ms, lost_why   the newest sample; whether it could be heard, since when, why not
    line, ob_since_ms, lb, rb, cal        the flags; since when it is off the line
    input_v, input_ms, blind_*            the input, when it was measured, whether it can be
    charge, runtime_s, load               for the facts of incidents
    volt_ms                               voltage: the newest odd measurement
    transfers*, back_ms, outages          transfers: times off the line, since when back, how long (s)
    regulated, regulated_ms               regulation: [hour, ms] with TRIM or BOOST
    charge_from, runtimes, aged_h         battery, ageing
    rb_past, rb_told                      battery: [from, to] of one given up in history; the newest told
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from collector.rules.board import Memory, Phase
from collector.rules.network import silence
from collector.rules.power import ageing, battery, line, regulation, strain, transfers, voltage, wiring
from collector.rules.power.numbers import number
from collector.rules.power.quiet import is_quiet

if TYPE_CHECKING:
    from collector.model import Readings
    from collector.rules.board import Board

CONTACT: Final = ("server_lost", "unknown_ups", "driver_lost", "data_stale", "waiting")
FLAGS: Final = ("lb", "rb", "cal")
_CONTACT: Final = frozenset(CONTACT)
_TIMES: Final = (
    "ob_since_ms", "input_ms", "blind_since_ms", "volt_ms", "transfers", "back_ms",
    "regulated", "regulated_ms", "charge_from", "aged_h",
)  # fmt: skip

# what each subject shows of a UPS; the line first, as others look at what is open of it
LOOKS: Final = (
    line.findings,
    battery.findings,
    ageing.findings,
    voltage.of_ups,
    transfers.findings,
    regulation.findings,
    strain.findings,
    wiring.findings,
)


def observe(board: Board, readings: Readings) -> None:
    """Take a row of a UPS."""
    subject, at_ms = f"{readings.device}/{readings.instance or ''}", readings.time_ms
    ups = board.memory["ups"].setdefault(subject, {"seen_ms": at_ms, "contact": True})
    late_ms = ups["seen_ms"] - at_ms
    if 0 < late_ms < board.thresholds["clock_step_ms"]:
        return
    if late_ms > 0:
        _forget_times(ups)
    ups["seen_ms"] = at_ms
    fields, lost = readings.fields, None
    if not _CONTACT.isdisjoint(fields):
        lost = next((name for name in CONTACT if fields.get(name)), None)
    _set_contact(ups, lost, at_ms)
    if lost is None:
        _remember(board, ups, fields, at_ms)
        if not is_quiet(board, subject, ups, fields, at_ms):
            _evaluate(board, subject, ups, fields, at_ms)
    else:
        _evaluate(board, subject, ups, {}, at_ms)


def reader(board: Board, readings: Readings) -> None:
    """Take a failing reader as contact lost with every UPS that it reads."""
    if readings.instance != "ups" or readings.fields.get("reader_ok") != 0:
        return
    for subject, ups in board.memory["ups"].items():
        if subject.startswith(f"{readings.device}/") and readings.time_ms >= ups["seen_ms"]:
            _set_contact(ups, "reader", readings.time_ms)
            _evaluate(board, subject, ups, {}, readings.time_ms)


def tick(board: Board) -> None:
    """Let what is falling clear while its device speaks, or said that it stops.

    A turn back would have come as an event at once.
    """
    conditions = board.memory["conditions"]
    falling = [key for key, entry in conditions.items() if entry["phase"] == Phase.FALLING]
    for subject in sorted({key.partition("|")[2] for key in falling}):
        ups = board.memory["ups"].get(subject)
        device = subject.partition("/")[0]
        told = silence.is_live(board.memory, device) or silence.has_stopped(board.memory, device)
        if ups is None or not told:
            continue
        for look in (line.findings, battery.flags):
            for finding in look(board, subject, ups, {}, board.now_ms):
                if board.phase(finding.condition, subject) == Phase.FALLING:
                    board.apply(finding)


def _evaluate(board: Board, subject: str, ups: Memory, fields: dict[str, Any], at_ms: int) -> None:
    contact_before = board.is_open("ups_contact_lost", subject)
    for look in LOOKS:
        for finding in look(board, subject, ups, fields, at_ms):
            board.show(finding)
    if board.is_open("ups_contact_lost", subject) != contact_before:
        line.tell_contact(board, subject, ups, at_ms)


def _set_contact(ups: Memory, lost: str | None, at_ms: int) -> None:
    if lost is not None and ups["contact"]:
        ups["lost_ms"] = at_ms
    ups["contact"] = lost is None
    ups["lost_why"] = lost


def _forget_times(ups: Memory) -> None:
    """Drop the moments of a clock that was set back since: they mean nothing any more."""
    for name in _TIMES:
        ups.pop(name, None)


def _remember(board: Board, ups: Memory, fields: dict[str, Any], at_ms: int) -> None:
    for name in FLAGS:
        if (flag := fields.get(name)) is not None:
            ups[name] = bool(flag)
    if ups.get("rb"):
        ups["rb_told"] = at_ms
    ups["charge"] = number(fields.get("battery_charge_percent"))
    ups["runtime_s"] = number(fields.get("battery_runtime"))
    ups["load"] = number(fields.get("load_percent"))
    _remember_line(board, ups, fields, at_ms)
    if "number_transfers" in fields:
        transfers.counted(board, ups, fields, at_ms)
    _remember_input(board, ups, fields, at_ms)


def _remember_line(board: Board, ups: Memory, fields: dict[str, Any], at_ms: int) -> None:
    """OB and OL together, or neither (OFF, BYPASS), say nothing of the line."""
    ob, ol = fields.get("ob"), fields.get("ol")
    if ob is None and ol is None:
        return
    ups["line"] = None if bool(ob) == bool(ol) else "ob" if ob else "ol"
    if ups["line"] == "ob" and "ob_since_ms" not in ups:
        ups["ob_since_ms"] = at_ms
        transfers.left(board, ups, fields, at_ms)
    elif ups["line"] == "ol" and "ob_since_ms" in ups:
        transfers.back(ups, at_ms, at_ms - ups.pop("ob_since_ms"))


def _remember_input(board: Board, ups: Memory, fields: dict[str, Any], at_ms: int) -> None:
    volts, age = number(fields.get("input_voltage")), number(fields.get("age_input_ms"))
    ups["input_v"] = volts
    ups["input_ms"] = None if volts is None or age is None else round(at_ms - age)
    if volts is None or ups.get("line") != "ol":
        return
    if volts >= board.thresholds["supply_lost_below_pu"] * board.site.nominal_v:
        ups.pop("blind_since_ms", None)
    else:
        ups.setdefault("blind_since_ms", at_ms)
        ups["blind_until_ms"] = at_ms
