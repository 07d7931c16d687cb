"""Transfers and regulation: counted quietly, told when there are too many."""

from __future__ import annotations

from typing import Any

from collector.alerts.routes import Routing
from collector.model import Arrival, Change
from collector.rules import catalogue
from collector.rules.catalogue import CONDITIONS, DEFAULTS
from tests.rules.timeline import CARRIED, Timeline, ms, row, ups

RAISED, CLEARED = Change.RAISED, Change.CLEARED
DAY = 86_400


def live() -> Timeline:
    return Timeline(CARRIED).born(0).keep(30, "OL")


def flick(day: Timeline, at: int, lasts: int = 5, status: str = "OB", **more: Any) -> Timeline:
    for second, shown in ((at, status), (at + lasts, "OL"), (at + lasts + 12, "OL")):
        day.now = second
        day.step(Arrival("a", ms(second)), ups(second, shown, **(more if second == at else {})))
    return day


def test_five_in_a_day_are_told_the_fifth_time():
    day = live()
    for number in range(5):
        day.expect_none("repeated_transfers")
        flick(day, 100 + 1000 * number)
    said = day.expect("repeated_transfers", RAISED, 4100, 4100)
    assert said.facts[0].params == {"count": 5, "hours": 24}


def test_four_a_day_for_days_are_none():
    day = live()
    for number in range(9):
        day.now = number * (DAY // 4)  # the clock jumps: nothing happens in between
        flick(day, day.now + 100)
    day.expect_none("repeated_transfers")


def test_it_ends_when_a_day_had_fewer():
    day = live()
    for number in range(5):
        flick(day, 100 + 1000 * number)
    day.now = 100 + DAY
    day.keep(day.now + 60, "OL")
    day.expect("repeated_transfers", CLEARED, DAY, DAY + 300)


def test_self_tests_are_not_counted():
    day = live()
    for number in range(8):
        flick(day, 100 + 1000 * number, status="OB CAL" if number % 2 else "OB", last_transfer="selfTest")
    day.expect_none("repeated_transfers")


def test_what_was_too_short_to_be_seen_is_known_from_the_counter():
    day = live().ups(40, "OL", number_transfers=7).ups(50, "OL", number_transfers=11)
    day.expect_none("repeated_transfers")
    day.ups(60, "OL", number_transfers=12, last_transfer="Low line voltage")
    said = day.expect("repeated_transfers", RAISED, 60, 60)
    assert said.facts[1].params == {"reason": "Low line voltage"}


def test_the_counter_does_not_count_again_what_was_seen():
    day = live().ups(40, "OL", number_transfers=0)
    for number in range(3):
        day.ups(100 + 100 * number, "OB", number_transfers=number + 1)
        day.ups(110 + 100 * number, "OL", number_transfers=number + 1)
    day.ups(500, "OL", number_transfers=3).ups(510, "OL", number_transfers=0)  # apcupsd started anew
    assert len(day.state["ups"]["a/u"]["transfers"]) == 3


def test_history_is_bounded():
    day = live().ups(40, "OL", number_transfers=0).ups(50, "OL", number_transfers=100_000)
    assert len(day.state["ups"]["a/u"]["transfers"]) == 24
    for number in range(60):
        flick(day, 1000 + 200 * number, lasts=100)
    kept = day.state["ups"]["a/u"]
    assert (len(kept["transfers"]), len(kept["outages"])) == (24, 15)


def test_half_a_minute_off_the_line_is_over_before_anybody_is_told():
    """Whatever the line shows clears within ``power_clear_ms``: no hold-off may be shorter."""
    routing = Routing((), hold_off_ms=60_000, recovery_hold_ms=60_000)
    for name in ("supply_lost", "on_battery", "battery_low"):
        cleared_ms = 30_000 + max(DEFAULTS["power_clear_ms"], DEFAULTS["battery_low_clear_ms"])
        assert routing.alert_due_ms(name, CONDITIONS[name].severity, 0) > cleared_ms
    day = live().ups(40, "OB LB", input_voltage=0.0, age_input_ms=0).ups(69, "OL").at(85)
    assert day.open() == set()
    assert len(day.state["ups"]["a/u"]["transfers"]) == 1


def regulating(day: Timeline, until: int, status: str, every: int) -> Timeline:
    for second in range(day.now + every, until + 1, every):
        day.now = second
        day.step(ups(second, status, boost=int("BOOST" in status), trim=int("TRIM" in status)))
    return day


def test_six_hours_of_a_day_corrected_are_told():
    day = regulating(live(), 21_000, "OL BOOST", 60)
    day.expect_none("regulating")
    said = regulating(day, 22_000, "OL TRIM", 60).expect("regulating", RAISED, 21_600, 21_720)
    assert said.facts[0].params == {"hours": 6.0}
    regulating(day, 22_000 + DAY, "OL", 600).expect("regulating", CLEARED, DAY, DAY + 22_000)
    assert "regulated" not in day.state["ups"]["a/u"]


def test_an_hour_a_day_is_none_and_time_without_readings_is_not_counted():
    day = regulating(live(), 3_600, "OL BOOST", 60)
    regulating(day, 2 * DAY, "OL BOOST", 1_800).expect_none("regulating")


def test_counters_of_nonsense_are_nothing():
    day = live().step(row(31, "upsd", "u", number_transfers="many", ol=1, ob=0))
    assert day == []
    assert catalogue.CONDITIONS["repeated_transfers"].hours == "working"
