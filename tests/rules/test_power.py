"""Each power condition: one that must open, one that only looks like it."""

from __future__ import annotations

import pytest

from collector.model import Change
from tests.rules.timeline import CARRIED, T0, Timeline, ms, row, ups

RAISED, CLEARED, REVISED = Change.RAISED, Change.CLEARED, Change.REVISED


def live() -> Timeline:
    return Timeline(CARRIED).born(0).keep(30, "OL", input_voltage=127.0, age_input_ms=0)


def test_supply_lost_with_ob_and_an_input_measured_since():
    day = live().ups(33, "OB", input_voltage=0.0, age_input_ms=0, battery_charge_percent=98.0)
    said = day.expect("supply_lost", RAISED, 33, 33)
    assert said.at_ms == ms(33)
    assert [fact.code for fact in said.facts] == ["input_measured", "battery_charge"]
    assert day.status == "degraded"
    assert day.open() == {"supply_lost|a/u"}


@pytest.mark.parametrize(
    "fields",
    [
        {},  # a UPS that does not measure its input
        {"input_voltage": 127.0, "age_input_ms": 20_000},  # the last value before the cut
        {"input_voltage": 0.0, "age_input_ms": 20_000},  # older than the cut
        {"input_voltage": 0.0},  # of unknown age
        {"input_voltage": 13.0, "age_input_ms": 0},  # 0.102 pu of 127 V
        {"input_voltage": 127.0, "age_input_ms": 0},  # the line is good, the UPS left it
    ],
)
def test_ob_alone_is_on_battery(fields):
    day = live().ups(33, "OB", **fields)
    day.expect("on_battery", RAISED, 33, 33)
    day.expect_none("supply_lost")


def test_nominal_voltage_is_the_sites():
    day = live().ups(33, "OB", input_voltage=12.5, age_input_ms=0, nominal_input_voltage=120.0)
    day.expect("supply_lost", RAISED, 33, 33)


def test_measured_later_takes_over_from_on_battery():
    day = live().ups(33, "OB", input_voltage=127.0, age_input_ms=10_000)
    day.keep(63, "OB", input_voltage=0.4, age_input_ms=100)
    day.expect("supply_lost", RAISED, 43, 43)
    assert day.expect("on_battery", CLEARED, 43, 43).reason == "supply_lost_measured"
    assert day.open() == {"supply_lost|a/u"}


def test_input_back_on_battery_is_on_battery_again():
    day = live().ups(33, "OB", input_voltage=0.0, age_input_ms=0)
    day.keep(83, "OB", input_voltage=126.0, age_input_ms=0)
    day.expect("supply_lost", CLEARED, 53, 53)
    day.expect("on_battery", RAISED, 53, 53)


def test_between_the_limits_nothing_changes():
    """Hysteresis: 0.3 pu neither opens a loss nor ends one."""
    lost = (
        live()
        .ups(33, "OB", input_voltage=0.0, age_input_ms=0)
        .keep(93, "OB", input_voltage=38.0, age_input_ms=0)
    )
    assert lost.open() == {"supply_lost|a/u"}
    never = live().ups(33, "OB", input_voltage=38.0, age_input_ms=0)
    never.expect_none("supply_lost")


def test_an_input_that_reads_zero_on_line_is_no_measurement():
    day = Timeline(CARRIED).born(0).keep(100, "OL", input_voltage=0.0, age_input_ms=0)
    day.ups(103, "OB", input_voltage=0.0, age_input_ms=0)
    day.expect("on_battery", RAISED, 103, 103)
    day.expect_none("supply_lost")


def test_clears_at_the_first_moment_on_line_after_ten_seconds():
    day = live().ups(33, "OB", input_voltage=0.0, age_input_ms=0).ups(50, "OL").at(59)
    assert day.open() == {"supply_lost|a/u"}
    day.at(65)
    said = day.expect("supply_lost", CLEARED, 60, 61)
    assert said.at_ms == ms(50)


def test_a_flicker_on_line_does_not_clear():
    day = live().ups(33, "OB").ups(50, "OL").ups(55, "OB").keep(95, "OB")
    assert len(day.said("on_battery", RAISED)) == 1
    assert day.said("on_battery", CLEARED) == []


def test_a_device_that_says_that_it_stops_leaves_no_ups_on_battery():
    """An upgrade seconds after a blink: the line was back, nobody is to be called for it."""
    day = Timeline(CARRIED).born(0).keep(30, "OL").ups(35, "OB").ups(38, "OL").died(42, planned=True).at(60)
    assert day.expect("on_battery", CLEARED, 48, 49)


def test_falling_waits_for_a_device_that_does_not_speak():
    day = live().ups(33, "OB").ups(50, "OL").died(51).at(100)
    assert day.said("on_battery", CLEARED) == []
    day.born(120).keep(150, "OL")
    day.expect("on_battery", CLEARED, 120, 140)


def test_contradicting_flags_say_nothing():
    live().ups(33, "OL OB").expect_none("on_battery")
    on = live().ups(33, "OB").keep(93, "OL OB")
    assert on.open() == {"on_battery|a/u"}


def test_a_self_test_is_recorded_and_not_a_loss():
    day = live().ups(33, "OB CAL").keep(93, "OB CAL LB RB").keep(123, "OL", input_voltage=127.0)
    day.expect("ups_self_test", RAISED, 33, 33)
    day.expect("ups_self_test", CLEARED, 95, 113)
    for condition in ("on_battery", "battery_low", "battery_replace"):
        day.expect_none(condition)
    assert day.status == "ok"


def test_mains_lost_during_a_self_test_are_lost():
    day = live().ups(33, "OB CAL").keep(53, "OB CAL", input_voltage=0.0, age_input_ms=0)
    day.expect("supply_lost", RAISED, 43, 43)


def test_battery_low_only_while_in_use():
    live().keep(90, "OL LB CHRG").expect_none("battery_low")
    day = live().ups(33, "OB").keep(63, "OB LB").ups(65, "OL LB").at(80)
    day.expect("battery_low", RAISED, 43, 43)
    day.expect("battery_low", CLEARED, 75, 76)


def test_battery_replace_must_be_said_for_a_minute():
    live().keep(80, "OL RB").keep(300, "OL").expect_none("battery_replace")
    live().keep(80, "OL RB").keep(90, "OL").keep(140, "OL RB").expect_none("battery_replace")
    day = live().keep(200, "OL RB")
    assert day.expect("battery_replace", RAISED, 100, 100).at_ms == ms(40)
    day.keep(260, "OL").keep(500, "OL RB")
    assert day.said("battery_replace", CLEARED) == []
    day.keep(1200, "OL").expect("battery_replace", CLEARED, 1100, 1111)


@pytest.mark.parametrize("state", ["data_stale", "driver_lost", "server_lost", "unknown_ups", "waiting"])
def test_contact_lost_after_upsmons_dead_time(state):
    day = live().keep(60, "OL", **{state: 1}).keep(100, "OL")
    assert day.expect("ups_contact_lost", RAISED, 60, 60).facts[0].params == {"why": state}
    day.expect("ups_contact_lost", CLEARED, 80, 80)


def test_a_short_loss_of_contact_is_none():
    live().keep(40, "OL", data_stale=1).keep(100, "OL").expect_none("ups_contact_lost")


def test_contact_lost_on_battery_stays_on_battery():
    day = live().ups(33, "OB").keep(93, "OL", driver_lost=1)  # flags of a lost UPS are not believed
    assert day.open() == {"on_battery|a/u", "ups_contact_lost|a/u"}
    said = day.expect("on_battery", REVISED, 50, 70)
    assert said.facts[-1].code == "last_seen_on_battery"
    day.keep(123, "OL")
    assert day.open() == set()


def test_a_failing_reader_is_contact_lost():
    day = live()
    for second in range(31, 61, 10):
        day.arrive(second).step(row(second, "agent", "ups", reader_ok=0))
    day.expect("ups_contact_lost", RAISED, 46, 52)


def test_history_opens_nothing():
    day = live().at(35, ups(20, "OB", current=False), ups(21, "OB LB RB", current=False)).at(60)
    assert day.log == []


def test_older_samples_of_a_later_frame_change_nothing():
    """The event of a turn is sealed before the samples that were taken before it."""
    day = live().ups(45, "OB").at(60, ups(40, "OL"), ups(45, "OB"), ups(50, "OB"))
    assert day.open() == {"on_battery|a/u"}
    assert len(day.log) == 1


def test_a_clock_set_back_is_followed():
    day = live().ups(33, "OB").at(40, ups(-3600, "OL")).at(52, ups(-3585, "OL")).at(54)
    assert day.open() == set()


def test_a_moved_device_takes_its_conditions_along():
    day = live().ups(33, "OB")
    day.site = CARRIED.__class__("casa", devices=())
    day.at(40)
    assert day.expect("on_battery", CLEARED, 34, 34).reason == "device_moved"
    assert day.open() == set()
    assert day.status == "waiting"


def test_late_news_counts_at_its_own_time():
    day = live().at(200, ups(100, "OB"))
    assert day.expect("on_battery", RAISED, 200, 200).at_ms == T0 + 100_000
