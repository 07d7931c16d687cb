"""Voltage and frequency: what must be said, and what only looks like it."""

from __future__ import annotations

from typing import Any

import pytest

from collector.model import Change
from collector.rules import catalogue
from collector.rules.site import SiteFacts
from tests.rules.timeline import CARRIED, Timeline, ms, row

RAISED, CLEARED = Change.RAISED, Change.CLEARED
V = 127.0


def live(site: SiteFacts = CARRIED) -> Timeline:
    return Timeline(site).born(0).keep(30, "OL", input_voltage=V, age_input_ms=0)


def on_line(day: Timeline, until: int, pu: float, **more: Any) -> Timeline:
    return day.keep(until, "OL", input_voltage=V * pu, age_input_ms=0, **more)


def metered(day: Timeline, until: int, pu: float, meter: str = "indoor-1", **more: Any) -> Timeline:
    second = day.now + 10
    while second <= until:
        day.arrive(second).step(row(second, "mains", meter, voltage=V * pu, **more))
        second += 10
    return day


@pytest.mark.parametrize(("condition", "pu"), [("undervoltage", 0.88), ("overvoltage", 1.12)])
def test_a_minute_out_of_tolerance_is_told_and_a_minute_within_ends_it(condition, pu):
    day = on_line(live(), 110, pu)
    assert day.expect(condition, RAISED, 100, 100).at_ms == ms(40)
    assert day.open() == {f"{condition}|a/u"}
    on_line(day, 300, 1.0).expect(condition, CLEARED, 180, 180)
    assert day.status == "ok"


@pytest.mark.parametrize("pu", [0.88, 1.12])
def test_less_than_a_minute_is_none(pu):
    day = on_line(on_line(live(), 90, pu), 200, 1.0)
    assert day.log == []


@pytest.mark.parametrize("pu", [0.905, 1.095])
def test_within_ten_per_cent_is_none(pu):
    assert on_line(live(), 300, pu).log == []


@pytest.mark.parametrize(("pu", "held"), [(0.88, 0.91), (1.12, 1.09)])
def test_between_the_limits_it_stays(pu, held):
    day = on_line(on_line(live(), 110, pu), 400, held)
    assert len(day.log) == 1


def test_a_value_that_is_not_refreshed_shows_nothing_new():
    """One reading of 0.8 pu, shown again and again while its age grows."""
    day = live()
    for second in range(40, 300, 10):
        day.ups(second, "OL", input_voltage=0.8 * V, age_input_ms=(second - 40) * 1000)
    day.expect_none("undervoltage")


def test_a_value_of_unknown_age_shows_nothing():
    live().keep(300, "OL", input_voltage=0.8 * V).expect_none("undervoltage")


def test_readings_far_apart_show_nothing_of_the_time_between():
    day = live()
    for second in (100, 300, 500):
        day.ups(second, "OL", input_voltage=0.8 * V, age_input_ms=0)
    day.expect_none("undervoltage")


def test_per_unit_of_the_site_not_of_what_the_ups_claims():
    low = live().keep(120, "OL", input_voltage=112.0, age_input_ms=0, nominal_input_voltage=120.0)
    low.expect("undervoltage", RAISED, 100, 100)
    fine = live().keep(120, "OL", input_voltage=130.0, age_input_ms=0, nominal_input_voltage=115.0)
    fine.expect_none("overvoltage")


def test_no_supply_at_all_is_not_a_low_voltage():
    day = live().keep(300, "OB", input_voltage=2.0, age_input_ms=0)
    assert day.open() == {"supply_lost|a/u"}


def test_left_the_line_with_a_low_input_is_undervoltage():
    day = live().keep(120, "OB", input_voltage=0.7 * V, age_input_ms=0)
    assert day.open() == {"on_battery|a/u", "undervoltage|a/u"}
    day.expect_none("supply_lost")


def test_two_readings_of_danger_are_told_at_once():
    day = on_line(live(), 50, 1.16)
    said = day.expect("voltage_hazard", RAISED, 50, 50)
    assert (said.at_ms, said.severity) == (ms(40), "hazard")
    assert {fact.code for fact in said.facts} == {"input_measured", "check_neutral"}
    assert day.status == "hazard"
    on_line(day, 300, 1.16).expect_none("overvoltage")  # what is graver is said instead
    on_line(day, 600, 1.0).expect("voltage_hazard", CLEARED, 370, 370)


def test_one_reading_of_danger_is_none():
    day = on_line(on_line(live(), 40, 1.3), 200, 1.0)
    assert day.log == []


def test_one_measurement_of_danger_shown_twice_is_one():
    day = live()
    day.ups(40, "OL", input_voltage=1.2 * V, age_input_ms=0)
    day.ups(44, "OL", input_voltage=1.2 * V, age_input_ms=4_000)
    day.expect_none("voltage_hazard")
    day.ups(48, "OL", input_voltage=1.2 * V, age_input_ms=1_000)
    day.expect("voltage_hazard", RAISED, 48, 48)


def test_what_no_fault_of_the_supply_can_give_is_a_wrong_reading():
    live().keep(200, "OL", input_voltage=3 * V, age_input_ms=0).expect_none("voltage_hazard")
    metered(live(), 200, 3.0).expect_none("voltage_hazard")


def test_a_meter_tells_the_same():
    day = metered(metered(live(), 120, 1.0), 140, 1.2)
    assert day.expect("voltage_hazard", RAISED, 140, 140).subject == "a/indoor-1"
    low = metered(metered(live(), 120, 1.0), 200, 0.85)
    assert low.expect("undervoltage", RAISED, 190, 190).subject == "a/indoor-1"
    assert metered(live(), 600, 0.95).log == []


@pytest.mark.parametrize(("hertz", "told"), [(58.9, True), (61.1, True), (59.2, False), (0.0, False)])
def test_frequency(hertz, told):
    day = on_line(live(), 120, 1.0, input_frequency=hertz)
    assert day.open() == ({"frequency|a/u"} if told else set())
    by_meter = metered(live(), 120, 1.0, frequency=hertz)
    assert by_meter.open() == ({"frequency|a/indoor-1"} if told else set())


def test_thresholds_of_the_site_count():
    day = Timeline(CARRIED, catalogue.resolve({"undervoltage_below_pu": 0.8, "undervoltage_clear_pu": 0.82}))
    on_line(day.born(0), 200, 0.85)
    assert day.log == []


def test_contact_lost_breaks_what_was_rising():
    day = on_line(live(), 80, 0.85)
    day.keep(90, "OL", driver_lost=1)
    on_line(day, 140, 0.85).expect_none("undervoltage")
