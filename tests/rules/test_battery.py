"""The battery over days, and what strains a UPS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collector.model import Arrival, Change
from tests.rules.timeline import CARRIED, Timeline, ms, row, ups

if TYPE_CHECKING:
    from collections.abc import Sequence

RAISED, CLEARED = Change.RAISED, Change.CLEARED
HOUR, DAY = 3_600, 86_400


def live() -> Timeline:
    return Timeline(CARRIED).born(0).keep(30, "OL")


def daily(day: Timeline, minutes: Sequence[float], load: float = 42.0, **more: Any) -> Timeline:
    """One look a day at the runtime of the full battery."""
    for runtime in minutes:
        day.now += DAY
        fields = {"battery_charge_percent": 100.0, "battery_runtime": 60 * runtime, "load_percent": load}
        day.step(Arrival("a", ms(day.now)), ups(day.now, "OL", **fields | more))
    return day


def outages(day: Timeline, minutes: int, count: int = 5) -> Timeline:
    for _ in range(count):
        day.now += HOUR
        day.step(ups(day.now, "OB"))
        day.now += 60 * minutes
        day.step(ups(day.now, "OL"))
    return day


def test_runtime_lost_at_like_load_is_an_aged_battery():
    day = daily(live(), [60, 61, 60, 50, 45, 35, 34, 33])
    said = day.expect("battery_aged", RAISED, 7 * DAY, 8 * DAY)
    assert said.facts[0].params == {"percent": 42, "minutes": 35, "before": 60}


def test_less_runtime_under_more_load_is_none():
    day = daily(live(), [60, 61, 60, 60])
    daily(day, [25, 24, 25, 24, 25, 24], load=81.0).expect_none("battery_aged")


def test_a_runtime_that_moves_a_little_is_none():
    daily(live(), [60, 55, 62, 50, 45, 48, 44, 43, 45, 46]).expect_none("battery_aged")


def test_a_fifth_less_is_told_where_half_of_the_outages_outlast_it():
    minutes = [60, 60, 60, 50, 46, 45, 45]
    daily(live(), minutes).expect_none("battery_aged")
    daily(outages(live(), 20), minutes).expect_none("battery_aged")
    daily(outages(live(), 90, count=4), minutes).expect_none("battery_aged")  # four are no median
    said = daily(outages(live(), 90), minutes).said("battery_aged", RAISED)[0][1]
    assert said.facts[1].code == "outage_outlasts"
    assert said.facts[1].params == {"minutes": 90}


def test_a_new_battery_begins_a_new_history():
    day = daily(live(), [60, 60, 60, 36, 35, 34])
    assert day.open() == {"battery_aged|a/u"}
    daily(day, [62, 61, 60, 62, 61, 60])
    assert day.open() == set()
    daily(day, [58, 57, 56, 55]).expect("battery_aged", CLEARED, 6 * DAY, 13 * DAY)


@pytest.mark.parametrize(
    "more", [{"chrg": 1}, {"cal": 1}, {"age_battery_ms": 400_000}, {"battery_charge_percent": 70.0}]
)
def test_only_a_full_battery_that_was_measured_is_compared(more):
    day = daily(daily(live(), [60, 60, 60, 60]), [20, 20, 20, 20, 20], **more)
    day.expect_none("battery_aged")


def test_its_memory_is_small():
    day = live()
    for load in range(5, 100, 9):
        daily(day, [60.0] * 9, load=float(load))
    bands = day.state["ups"]["a/u"]["runtimes"]
    assert len(bands) <= 4
    assert max(len(days) for days in bands.values()) == 8


def charging(day: Timeline, until: int, percents: Any, **more: Any) -> Timeline:
    for second in range(day.now + 600, until + 1, 600):
        day.now = second
        day.step(ups(second, "OL", battery_charge_percent=float(percents(second)), **more))
    return day


def test_three_hours_without_a_rise_is_not_charging():
    day = charging(live(), 4 * HOUR, lambda second: 60 - second / 7200)
    said = day.expect("battery_not_charging", RAISED, 3 * HOUR, 3 * HOUR + 1300)
    assert said.facts[0].code == "charge_stalled"
    charging(day, 6 * HOUR, lambda second: 60 + (second - 4 * HOUR) / 300)
    day.expect("battery_not_charging", CLEARED, 4 * HOUR, 5 * HOUR)


def test_a_slow_charge_a_full_battery_and_one_in_use_are_not():
    charging(live(), 8 * HOUR, lambda second: 60 + second / 3000).expect_none("battery_not_charging")
    charging(live(), 8 * HOUR, lambda _: 93).expect_none("battery_not_charging")
    charging(live(), 8 * HOUR, lambda _: 60, age_battery_ms=300_000).expect_none("battery_not_charging")
    day = charging(live(), 2 * HOUR, lambda _: 60).ups(2 * HOUR + 5, "OB", battery_charge_percent=60.0)
    charging(day, 5 * HOUR, lambda _: 60).expect_none("battery_not_charging")


def full(day: Timeline, until: int, **more: Any) -> Timeline:
    return day.keep(until, "OL", battery_charge_percent=100.0, **more)


def test_a_full_battery_that_lasts_minutes_is_told():
    full(live(), 400, battery_runtime=200.0).expect("runtime_low", RAISED, 340, 340)


@pytest.mark.parametrize("more", [{"battery_runtime": 320.0}, {"battery_runtime": 200.0, "chrg": 1}, {}])
def test_long_enough_or_not_known_is_none(more):
    full(live(), 900, **more).expect_none("runtime_low")


def test_short_for_a_moment_is_none():
    day = full(full(live(), 200, battery_runtime=100.0), 400, battery_runtime=900.0)
    day.expect_none("runtime_low")


def test_of_a_battery_given_up_nothing_more_is_said():
    full(live(), 900, battery_runtime=100.0, rb=1)
    day = Timeline(CARRIED).born(0).keep(900, "OL RB", battery_charge_percent=100.0, battery_runtime=100.0)
    assert day.open() == {"battery_replace|a/u"}


def test_overload_by_value_or_by_flag():
    day = live().keep(80, "OL", load_percent=112.0)
    assert day.expect("overload", RAISED, 70, 70).facts[0].params == {"percent": 112}
    day.keep(200, "OL", load_percent=97.0)
    assert day.open() == {"overload|a/u"}
    day.keep(300, "OL", load_percent=60.0).expect("overload", CLEARED, 270, 270)
    live().keep(80, "OL", over=1).expect("overload", RAISED, 70, 70)


def test_a_motor_that_starts_and_a_full_load_are_none():
    live().keep(50, "OL", load_percent=150.0).keep(100, "OL", load_percent=50.0).expect_none("overload")
    live().keep(300, "OL", load_percent=100.0).expect_none("overload")
    live().keep(300, "OL", load_percent=150.0, age_output_ms=200_000).expect_none("overload")


def test_heat():
    live().keep(400, "OL", internal_temp=56.0).expect("ups_hot", RAISED, 340, 340)
    live().keep(900, "OL", internal_temp=54.0).expect_none("ups_hot")
    live().keep(200, "OL", internal_temp=70.0).keep(600, "OL", internal_temp=45.0).expect_none("ups_hot")


def test_wiring_fault():
    day = live().keep(120, "OL", wiring_fault=1)
    day.expect("wiring_fault", RAISED, 100, 100)
    day.keep(900, "OL").expect("wiring_fault", CLEARED, 730, 730)
    live().keep(80, "OL", wiring_fault=1).keep(200, "OL").expect_none("wiring_fault")


def test_a_battery_given_up_in_a_silence_is_found_on_return():
    day = live().died(40).at(3000).born(3001).keep(3020, "OL")
    past = [ups(second, "OL RB", current=False) for second in range(1000, 1100, 10)]
    day.at(3022, *past)
    said = day.expect("battery_replace", RAISED, 3022, 3022)
    assert (said.at_ms, said.found_on_return) == (ms(1000), True)
    day.keep(3700, "OL").expect("battery_replace", CLEARED, 3630, 3640)
    day.at(3750, *past)  # the same again: an acknowledgement was lost
    assert len(day.said("battery_replace", RAISED)) == 1


def test_a_flag_that_flashed_in_a_silence_is_none():
    day = live().died(40).at(3000).born(3001).keep(3020, "OL")
    day.at(3022, *[ups(second, "OL RB", current=False) for second in (1000, 1010, 1500, 1510, 2000)])
    day.expect_none("battery_replace")


def test_a_battery_given_up_already_is_not_told_twice():
    day = live().keep(200, "OL RB")
    day.at(210, *[ups(second, "OL RB", current=False) for second in range(1, 100, 10)])
    assert [said.found_on_return for _, said in day.said("battery_replace", RAISED)] == [False]


def test_board_undervoltage():
    day = live()
    for second in range(40, 90, 10):
        day.arrive(second).step(row(second, "pi_power", None, undervoltage=1, throttled=1))
    said = day.expect("board_undervoltage", RAISED, 70, 70)
    assert [fact.code for fact in said.facts] == ["board_low", "board_throttled"]
    dip = live()
    for second in range(40, 200, 10):
        dip.arrive(second).step(row(second, "pi_power", None, undervoltage=int(second % 30 == 10)))
    dip.expect_none("board_undervoltage")
