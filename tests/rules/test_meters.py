"""What meters tell: a loose connection, an open neutral, a dead circuit, and whether there are mains."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from collector.model import Arrival, Change, Readings
from collector.rules.site import DeviceFacts, SiteFacts
from tests.rules.timeline import CARRIED, LONE, Timeline, ms, row, ups

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RAISED, CLEARED, REVISED = Change.RAISED, Change.CLEARED, Change.REVISED
V = 127.0
INDOOR, OUTDOOR, SECOND = "indoor-1", "outdoor-1", "indoor-2"


def meters(day: Timeline, until: int, pu: Mapping[str, float], every: int = 10, **more: Any) -> Timeline:
    """Rows of these meters, a sample at a time; a UPS on the side says nothing."""
    for second in range(day.now + every, until + 1, every):
        rows = [row(second, "mains", name, voltage=V * volts, **more) for name, volts in pu.items()]
        day.at(second, Arrival("a", ms(second)), *rows)
    return day


def frames(day: Timeline, until: int, pu: Mapping[str, float]) -> Timeline:
    """The same in frames of 30 s, table by table, as a device sends them."""
    for end in range(day.now + 30, until + 1, 30):
        rows = [
            row(second, "mains", name, voltage=V * volts)
            for name, volts in pu.items()
            for second in (end - 20, end - 10, end)
        ]
        day.at(end, Arrival("a", ms(end)), *rows)
    return day


def live(site: SiteFacts = LONE) -> Timeline:
    return Timeline(site).born(0)


# --- a loose connection ---------------------------------------------------------------------------


def measured(second: int, volts: float, amperes: float) -> Readings:
    return Readings("a", ms(second), "mains", INDOOR, {"voltage": volts, "current": amperes})


def loaded(day: Timeline, until: int, ohm: float, noise_v: float = 0.4, seed: int = 1) -> Timeline:
    """A load that goes on and off between 1 and 5 A, once a minute, behind so much resistance."""
    dice = random.Random(seed)  # noqa: S311 - the same numbers every time
    for second in range(day.now + 10, until + 1, 10):
        amperes = 5.0 if second // 60 % 2 else 1.0
        volts = V - ohm * amperes + dice.uniform(-noise_v, noise_v)
        day.now = second
        day.step(Arrival("a", ms(second)), measured(second, volts, amperes))
    return day


def test_a_connection_of_one_ohm_is_told_after_a_few_steps():
    day = loaded(live(), 1200, 1.0)
    said = day.expect("bad_connection", RAISED, 400, 700)
    assert said.facts[0].params["ohm"] == pytest.approx(1.0, abs=0.25)
    loaded(day, 3600, 0.15).expect("bad_connection", CLEARED, 1200, 1800)


def test_a_connection_that_decays_is_told_by_its_own_history():
    day = loaded(live(), 7200, 0.1, noise_v=0.1)
    assert day.state["meters"]["a/indoor-1"]["usual"] == pytest.approx(100, abs=40)
    said = loaded(day, 14_400, 0.5, noise_v=0.1).said("bad_connection", RAISED)[0][1]
    assert {fact.code for fact in said.facts} == {"resistance_measured", "resistance_usual"}


@pytest.mark.parametrize("seed", range(10))
def test_a_sound_connection_among_noise_is_none(seed):
    day = loaded(live(), 14_400, 0.25, noise_v=0.8, seed=seed)
    day.expect_none("bad_connection")
    assert len(day.state["meters"]["a/indoor-1"]["steps"]) == 7


def test_few_steps_say_nothing_and_a_small_one_is_none():
    loaded(live(), 460, 1.5).expect_none("bad_connection")
    day = live()
    for second in range(10, 3600, 10):
        amperes = 1.0 + 0.9 * (second // 60 % 2)
        day.now = second
        day.step(Arrival("a", ms(second)), measured(second, V - 1.5 * amperes, amperes))
    day.expect_none("bad_connection")


# --- an open neutral ------------------------------------------------------------------------------


def test_legs_that_move_apart_are_an_open_neutral():
    day = meters(meters(live(), 100, {INDOOR: 1.0, SECOND: 1.0}), 130, {INDOOR: 1.12, SECOND: 0.62})
    said = day.expect("open_neutral", RAISED, 120, 120)
    assert said.facts[0].params == {"low": 79, "high": 142}
    meters(day, 400, {INDOOR: 1.12, SECOND: 0.62})
    assert day.open() == {"open_neutral|"}  # what explains the legs is said, not each leg
    meters(day, 600, {INDOOR: 0.87, SECOND: 0.87})
    assert day.open() == {"open_neutral|"}  # equal loads: low together
    meters(day, 800, {INDOOR: 1.0, SECOND: 1.0}).expect("open_neutral", CLEARED, 660, 680)


def test_a_leg_whose_meter_died_beside_a_high_one():
    day = frames(live(), 300, {INDOOR: 1.0, SECOND: 1.0})
    frames(day, 600, {INDOOR: 1.4})
    assert day.open() == {"open_neutral|", "voltage_hazard|a/indoor-1"}


@pytest.mark.parametrize(
    "pu",
    [
        {INDOOR: 1.03, SECOND: 0.8},  # a loaded leg behind a bad connection
        {INDOOR: 1.12, SECOND: 1.0},  # one leg high
        {INDOOR: 0.85, SECOND: 0.85},  # the utility is low
        {INDOOR: 1.2, SECOND: 1.2},  # or high
        {INDOOR: 1.12, OUTDOOR: 0.8},  # the same leg twice: two circuits
    ],
)
def test_legs_that_do_not_move_apart(pu):
    day = meters(live(), 100, dict.fromkeys(pu, 1.0))
    meters(day, 400, pu).expect_none("open_neutral")


def test_one_sample_apart_is_none():
    day = meters(live(), 100, {INDOOR: 1.0, SECOND: 1.0})
    meters(meters(day, 110, {INDOOR: 1.2, SECOND: 0.6}), 300, {INDOOR: 1.0, SECOND: 1.0})
    assert day.log == []


def test_legs_by_field_and_not_only_by_name():
    day = live()
    for second in range(10, 200, 10):
        pu = (1.0, 1.0) if second < 100 else (1.12, 0.6)
        both = [
            row(second, "mains", name, voltage=V * volts, leg=leg, place="indoor")
            for leg, (name, volts) in enumerate(zip(("left", "right"), pu, strict=True), 1)
        ]
        day.at(second, Arrival("a", ms(second)), *both)
    assert "open_neutral|" in day.open()


# --- a dead circuit -------------------------------------------------------------------------------


def test_an_outdoor_meter_that_falls_silent_is_a_dead_circuit():
    day = frames(frames(live(), 300, {INDOOR: 1.0, OUTDOOR: 1.0}), 600, {INDOOR: 1.0})
    said = day.expect("circuit_dead", RAISED, 390, 420)
    assert (said.subject, said.at_ms) == ("a/outdoor-1", ms(300))
    assert [fact.code for fact in said.facts] == ["circuit_without_voltage", "outdoor_circuit"]
    frames(day, 720, {INDOOR: 1.0, OUTDOOR: 1.0}).expect("circuit_dead", CLEARED, 630, 660)


def test_a_meter_that_measures_nothing_is_one_too():
    day = frames(frames(live(), 300, {INDOOR: 1.0, OUTDOOR: 1.0}), 420, {INDOOR: 1.0, OUTDOOR: 0.0})
    assert day.expect("circuit_dead", RAISED, 300, 390).subject == "a/outdoor-1"
    day.expect_none("supply_lost")


def test_a_meter_whose_adapter_was_pulled_out_says_nothing_of_its_circuit():
    day = meters(Timeline(LONE), 300, {INDOOR: 1.0, OUTDOOR: 1.0})
    for second in range(310, 1200, 10):
        gone = row(second, "mains", OUTDOOR, line_lost=1)
        day.at(second, Arrival("a", ms(second)), row(second, "mains", INDOOR, voltage=V), gone)
    day.expect_none("circuit_dead")


def test_who_comes_back_late_or_together_is_not_dead():
    """After an outage the first frame's rows come meter by meter."""
    day = frames(live(), 300, {INDOOR: 1.0, OUTDOOR: 1.0}).died(301).at(5000).born(5001, boot="k2")
    frames(day, 5300, {INDOOR: 1.0, OUTDOOR: 1.0}).expect_none("circuit_dead")
    one = frames(frames(live(), 300, {INDOOR: 1.0, OUTDOOR: 1.0}), 360, {INDOOR: 1.0})
    frames(one, 600, {INDOOR: 1.0, OUTDOOR: 1.0}).expect_none("circuit_dead")


def test_what_dies_of_the_neutral_is_not_a_breaker():
    day = frames(frames(live(), 300, {INDOOR: 1.0, SECOND: 1.0}), 900, {INDOOR: 1.3})
    day.expect_none("circuit_dead")


def test_nor_is_a_leg_that_dies_while_the_other_one_looks_well():
    day = meters(meters(live(), 100, {INDOOR: 1.0, SECOND: 1.0}), 160, {INDOOR: 1.08, SECOND: 0.65})
    assert day.open() == {"open_neutral|"}
    frames(day, 900, {INDOOR: 1.08}).expect_none("circuit_dead")


def test_a_meter_that_was_taken_away_is_forgotten():
    day = frames(frames(live(), 300, {INDOOR: 1.0, OUTDOOR: 1.0}), 600, {INDOOR: 1.0})
    day.now = 8 * 86_400
    frames(day, day.now + 60, {INDOOR: 1.0})
    assert (day.open(), list(day.state["meters"])) == (set(), ["a/indoor-1"])


# --- whether there are mains ----------------------------------------------------------------------


def test_a_meter_that_shows_voltage_refutes_the_loss():
    """Somebody pulled the plug of the UPS: it measures nothing, the meter does."""
    day = frames(live(CARRIED).keep(30, "OL"), 300, {INDOOR: 1.0})
    day.ups(303, "OB", input_voltage=0.0, age_input_ms=0)
    assert day.open() == {"supply_lost|a/u"}
    day.at(330, *[row(second, "mains", INDOOR, voltage=V) for second in (310, 320, 330)])
    day.ups(331, "OB", input_voltage=0.0, age_input_ms=0)
    assert day.expect("supply_lost", CLEARED, 331, 331).reason == "mains_seen"
    said = day.expect("on_battery", RAISED, 331, 331)
    assert "meter_live" in {fact.code for fact in said.facts}


@pytest.mark.parametrize(
    ("after", "code"), [({INDOOR: 0.0}, "meter_zero"), ({}, "meter_silent")], ids=["zero", "silent"]
)
def test_a_meter_without_voltage_is_evidence_where_the_ups_measures_none(after, code):
    day = frames(live(CARRIED).keep(30, "OL"), 300, {INDOOR: 1.0})
    day.ups(303, "OB")
    day.expect_none("supply_lost")
    while day.now < 450:
        frames(day, day.now + 30, after).ups(day.now + 1, "OB")
    said = day.expect("supply_lost", RAISED, 304, 425)
    assert code in {fact.code for fact in said.facts}


def test_a_reading_from_before_refutes_nothing():
    day = frames(live(CARRIED).keep(30, "OL"), 300, {INDOOR: 1.0}).ups(
        303, "OB", input_voltage=0, age_input_ms=0
    )
    day.at(310, row(300, "mains", INDOOR, voltage=V)).ups(315, "OB", input_voltage=0.0, age_input_ms=0)
    assert day.open() == {"supply_lost|a/u"}


BOTH = SiteFacts("casa", devices=(DeviceFacts("a", feed="ups:u"), DeviceFacts("b", feed="mains")))


@pytest.mark.parametrize(("feed", "refuted"), [("mains", True), (None, False), ("ups:v", False)])
def test_a_device_on_the_mains_that_goes_on_speaking_refutes_the_loss(feed, refuted):
    site = SiteFacts("casa", devices=(DeviceFacts("a", feed="ups:u"), DeviceFacts("b", feed=feed)))
    day = Timeline(site).born(0).born(0, "b").keep(30, "OL")
    day.ups(33, "OB", input_voltage=0.0, age_input_ms=0).arrive(55, "b")
    day.ups(60, "OB", input_voltage=0.0, age_input_ms=0)
    assert day.open() == ({"on_battery|a/u"} if refuted else {"supply_lost|a/u"})


def test_its_last_word_before_the_cut_refutes_nothing():
    day = Timeline(BOTH).born(0).born(0, "b").keep(30, "OL")
    day.ups(33, "OB", input_voltage=0.0, age_input_ms=0).arrive(36, "b")
    day.keep(90, "OB", input_voltage=0.0, age_input_ms=0)
    assert day.open() >= {"supply_lost|a/u"}


def test_meters_alone_tell_the_loss_when_all_measure_nothing():
    day = meters(live(), 100, {INDOOR: 1.0, SECOND: 1.0})
    meters(day, 200, {INDOOR: 0.0, SECOND: 0.0})
    assert {key for key in day.open() if key.startswith("supply_lost")}
    meters(day, 300, {INDOOR: 1.0, SECOND: 1.0})
    assert day.open() == set()


def play(rows: Callable[[int], list[Any]]) -> Timeline:
    day = live()
    for second in range(10, 200, 10):
        day.at(second, Arrival("a", ms(second)), *rows(second))
    return day


@pytest.mark.parametrize("volts", [-5.0, "x", None, 1e9])
def test_readings_that_cannot_be_are_left_out(volts):
    day = play(lambda second: [row(second, "mains", INDOOR, voltage=volts), ups(second, "OL")])
    assert (day.log, day.state["meters"]) == ([], {})


def lost_contact(after: dict[str, float], *more: Any, site: SiteFacts = CARRIED) -> Timeline:
    """The UPS is not heard any more from 303 s on; ``after`` is what the meters show then."""
    day = frames(live(site).keep(30, "OL"), 300, {INDOOR: 1.0})
    while day.now < 450:
        frames(day, day.now + 30, after).ups(day.now + 1, "", data_stale=1)
        day.step(*more)
    return day


def test_a_meter_that_falls_silent_with_its_ups_is_a_lost_supply():
    """USB drops just when the mains fail: the meter says why."""
    day = lost_contact({})
    said = day.expect("supply_lost", RAISED, 330, 400)
    assert "meter_silent" in {fact.code for fact in said.facts}
    assert said.at_ms == ms(331), "since the contact was lost"
    assert "meter_silent" in {fact.code for fact in day.said("supply_lost", REVISED)[-1][1].facts}
    frames(day, day.now + 30, {INDOOR: 1.0}).keep(530, "", data_stale=1)
    day.expect("supply_lost", CLEARED, 480, 530)


@pytest.mark.parametrize(
    ("after", "more"),
    [
        pytest.param({INDOOR: 1.0}, (), id="the meter goes on"),
        pytest.param({}, (row(305, "mains", INDOOR, line_lost=1),), id="its adapter was pulled out as well"),
    ],
)
def test_contact_that_is_lost_alone_is_no_lost_supply(after, more):
    lost_contact(after, *more).expect_none("supply_lost")


def test_a_device_on_the_mains_that_goes_on_speaking_is_believed_before_a_silent_meter():
    day = frames(live(BOTH).born(0, "b").keep(30, "OL"), 300, {INDOOR: 1.0})
    for second in range(310, 450, 10):
        day.arrive(second, "a", "b").step(ups(second, "", data_stale=1))
    day.expect_none("supply_lost")


PULLED = SiteFacts(
    "casa", devices=(DeviceFacts("a", feed="ups:u", modem_feed="ups:u"), DeviceFacts("b", feed="mains"))
)


def pulled(*speaking: str) -> Timeline:
    """A plug that is pulled at 100 s; then nobody listens for five minutes, and these are heard again."""
    day = Timeline(PULLED).born(0, "a").born(0, "b")
    for at in range(10, 160, 10):
        day.ups(at, "OB" if at >= 100 else "OL", input_voltage=0.0 if at >= 100 else V, age_input_ms=0)
        if at < 100 or "b" in speaking:
            day.arrive(at, "b")
    day.now = 460
    day.site = replace(PULLED, watched_since_ms=ms(460))
    for at in range(461, 560, 10):
        day.ups(at, "OB", input_voltage=0.0, age_input_ms=0).arrive(at, *speaking)
    return day


def test_what_speaks_on_the_mains_refutes_the_loss_also_after_a_time_in_which_nobody_listened():
    day = pulled("a", "b")
    assert day.expect("supply_lost", CLEARED, 120, 130).reason == "mains_seen"
    assert [at for at, _ in day.said("supply_lost", RAISED)] == [100]
    assert "on_battery|a/u" in day.open()


def test_the_loss_goes_on_where_what_hangs_on_the_mains_stays_silent():
    day = pulled("a")
    assert day.said("supply_lost", CLEARED) == []
    assert "supply_lost|a/u" in day.open()
