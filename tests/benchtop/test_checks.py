"""What must be seen, at its edges: each case differs from the one that passes in one thing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulators.bench import checks
from simulators.bench.seen import Concluded, Row, Seen, Start
from simulators.bench.steps import Look, Sight, View
from tests.benchtop.pace import FAST

T0 = 1_772_470_800_000
OLD = Start("aa", "k1", 1, 0, "kid", ((0, 9),), {})
ONLINE = {"ol": 1, "ob": 0, "lb": 0, "input_voltage": 127.0, "data_stale": 0}
ON_BATTERY = {"ol": 0, "ob": 1, "lb": 0, "input_voltage": 0.0, "data_stale": 0}


def incident(number: int, condition: str, *, cleared: bool = False, **more) -> Concluded:
    given = {"cause": None, "final": False, "opened_ms": T0, "told": 0}
    return Concluded(
        number=number, condition=condition, cleared_ms=T0 + 9000 if cleared else None, **given | more
    )


def seen(at_s: float = 10.0, **more) -> Seen:
    return Seen(T0 + round(1000 * at_s), arrival_ms=T0 + round(1000 * at_s), **more)


def ups(fields, at_s: float = 9.0) -> dict[tuple[str, str | None], Row]:
    return {("upsd", "ups"): Row(T0 + round(1000 * at_s), fields)}


def view(now: Seen, *, first: Seen | None = None, began_s: float = 5.0, trail=(), **more) -> View:
    start = first or Seen(T0)
    return View(start, start, (*trail, now), T0 + round(1000 * began_s), FAST, **more)


def sight(check, now: Seen, **more) -> Sight:
    look: Look = check(view(now, **more))
    return look.sight


def test_on_battery_needs_the_reading_and_the_conclusion():
    good = seen(rows=ups(ON_BATTERY), concluded=(incident(1, "supply_lost"),))
    assert sight(checks.on_battery, good) is Sight.GOOD
    assert sight(checks.on_battery, replace(good, rows=ups(ONLINE))) is Sight.WAIT
    assert (
        sight(checks.on_battery, replace(good, rows=ups(ON_BATTERY, at_s=2.0))) is Sight.WAIT
    )  # from before
    assert sight(checks.on_battery, replace(good, concluded=())) is Sight.WAIT
    ended = replace(good, concluded=(incident(1, "supply_lost", cleared=True),))
    assert sight(checks.on_battery, ended) is Sight.WAIT
    before = Seen(T0, concluded=good.concluded)
    assert sight(checks.on_battery, good, first=before) is Sight.WAIT  # it was open already


def test_back_on_line_nothing_of_it_stays_open():
    good = seen(rows=ups(ONLINE), concluded=(incident(1, "supply_lost", cleared=True),))
    assert sight(checks.on_line, good) is Sight.GOOD
    assert sight(checks.on_line, replace(good, concluded=(incident(1, "battery_low"),))) is Sight.WAIT
    assert sight(checks.on_line, replace(good, rows=ups(ONLINE | {"data_stale": 1}))) is Sight.WAIT


def test_with_the_contact_lost_being_on_battery_must_not_be_forgotten():
    both = (incident(1, "on_battery"), incident(2, "ups_contact_lost"))
    lost = seen(rows=ups({"data_stale": 1}), concluded=both)
    assert sight(checks.contact_lost, lost) is Sight.GOOD
    assert sight(checks.contact_lost, replace(lost, concluded=both[1:])) is Sight.BAD
    assert sight(checks.contact_lost, replace(lost, concluded=both[:1])) is Sight.WAIT
    reader: dict[tuple[str, str | None], Row] = {("agent", "ups"): Row(T0 + 9000, {"reader_ok": 0})}
    assert sight(checks.contact_lost, replace(lost, rows=reader)) is Sight.GOOD


def test_a_restart_is_the_machines_and_its_flash_is_whole():
    before = Seen(T0, starts=(OLD,))
    old, new = replace(OLD, stored=((0, 12),)), Start("bb", "k2", 2, 1, "kid", ((0, 1),), {})
    good = seen(starts=(old, new))
    assert sight(checks.restarted, good, first=before) is Sight.GOOD
    assert sight(checks.restarted, seen(starts=(old,)), first=before) is Sight.WAIT
    agent_only = replace(new, kernel_boot="k1")
    assert sight(checks.restarted, seen(starts=(old, agent_only)), first=before) is Sight.BAD
    assert sight(checks.restarted, seen(starts=(OLD, new)), first=before) is Sight.WAIT  # nothing came
    hole = replace(OLD, stored=((0, 9), (11, 12)))
    assert sight(checks.restarted, seen(starts=(hole, new)), first=before) is Sight.WAIT


def test_the_backlog_is_complete_or_it_is_not():
    before = Seen(T0, starts=(OLD,))
    hello = {"intervals": {"frame": 1000}}
    good = seen(starts=(replace(OLD, stored=((0, 14),)),), hello=hello)
    assert sight(checks.backlog, good, first=before) is Sight.GOOD
    few = replace(good, starts=(replace(OLD, stored=((0, 13),)),))
    assert sight(checks.backlog, few, first=before) is Sight.WAIT  # 5 s of frames a second are five
    hole = replace(good, starts=(replace(OLD, stored=((0, 9), (11, 16))),))
    assert sight(checks.backlog, hole, first=before) is Sight.WAIT
    other = replace(good, starts=(OLD, Start("bb", "k2", 2, 1, "kid", ((0, 30),), {})))
    assert sight(checks.backlog, other, first=before) is Sight.BAD


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        ("backhaul-site", Sight.GOOD),
        ("backhaul-provider", Sight.GOOD),
        ("mains-site", Sight.BAD),
        ("device", Sight.BAD),
    ],
)
def test_a_modem_that_was_off_is_a_way_out_that_was_gone(cause, expected):
    before = Seen(T0, starts=(OLD,))
    told = incident(1, "outage", cleared=True, cause=cause, final=True)
    back = seen(starts=(OLD,), concluded=(told,))
    assert sight(checks.modem_back, back, first=before) is expected
    assert (
        sight(checks.modem_back, replace(back, concluded=(replace(told, final=False),)), first=before)
        is Sight.WAIT
    )
    restarted = replace(back, starts=(OLD, Start("bb", "k2", 2, 1, "kid", (), {})))
    assert sight(checks.modem_back, restarted, first=before) is Sight.BAD


@pytest.mark.parametrize(
    ("ms", "expected"), [(0, Sight.GOOD), (-5000, Sight.GOOD), (5001, Sight.BAD), (None, Sight.WAIT)]
)
def test_a_clock_is_right_to_five_seconds(ms, expected):
    assert sight(checks.clock, seen(clock_ms=ms, clock_at_ms=T0 + 6000)) is expected
    assert sight(checks.clock, seen(clock_ms=ms, clock_at_ms=T0 + 4000)) is Sight.WAIT  # measured before


@pytest.mark.parametrize(
    ("meter", "expected"), [(102.0, Sight.GOOD), (98.0, Sight.GOOD), (102.1, Sight.BAD), (97.9, Sight.BAD)]
)
def test_a_meter_is_right_to_two_per_cent(meter, expected):
    def row(at_s: float, volts: float) -> Seen:
        return seen(
            at_s, rows={("mains", "m"): Row(T0 + round(1000 * at_s), {"voltage": volts, "current": 2.0})}
        )

    by_hand = {"entered": {"volts": 100.0}, "entered_ms": T0 + 7000}
    trail = (row(5, 250.0), row(7, meter), row(8, meter))  # the first was sampled before the reading
    assert sight(checks.meter, row(9, meter), trail=trail, **by_hand) is expected
    assert sight(checks.meter, row(9, meter), trail=trail) is Sight.WAIT
    assert sight(checks.meter, row(9, meter), trail=trail[:2], **by_hand) is Sight.WAIT
    by_hand["entered"] = {"volts": meter, "amperes": 2.1}
    assert sight(checks.meter, row(9, meter), trail=trail, **by_hand) is Sight.BAD


def test_a_frame_that_is_refused_fails_the_signature():
    before, kid = Seen(T0, starts=(OLD,), refused={"bad_signature": 2}), OLD.kid
    good = seen(starts=(replace(OLD, stored=((0, 11),)),), refused={"bad_signature": 2})
    look = checks.signature(view(good, first=before))
    assert (look.sight, look.notes[0].params) == (Sight.GOOD, {"count": 2, "kid": kid})
    assert (
        sight(checks.signature, replace(good, starts=(replace(OLD, stored=((0, 10),)),)), first=before)
        is Sight.WAIT
    )
    assert sight(checks.signature, replace(good, refused={"bad_signature": 3}), first=before) is Sight.BAD
