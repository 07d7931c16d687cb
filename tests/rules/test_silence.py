"""Silence by arrivals, hurried by wills; births, deaths and takeovers in every order."""

from __future__ import annotations

import itertools

import pytest

from collector.model import Arrival, Born, Change, Died
from collector.rules.network.silence import SPEAKING, SPEAKS_AGAIN, TABLE, Heard, Voice
from collector.rules.site import SiteFacts
from tests.rules.timeline import LONE, PAIR, Timeline, ms

RAISED, CLEARED, REVISED = Change.RAISED, Change.CLEARED, Change.REVISED


def test_the_table_is_complete():
    for voice in Voice:
        settled = {Heard.SETTLED} if voice == Voice.RETURNING else set()
        lapse = {Heard.LAPSED} if voice in SPEAKING else set()
        assert set(TABLE[voice]) == {Heard.SPOKE, Heard.DIED, Heard.STOPPED} | settled | lapse
    reached = {after for row in TABLE.values() for after in row.values()}
    assert reached == set(Voice)


def test_silent_after_two_and_a_half_announced_intervals():
    day = Timeline().born(0, frame_ms=10_000).keep(50).at(200)
    said = day.expect("outage", RAISED, 76, 76)
    assert said.at_ms == ms(50)
    assert day.status == "dark"
    assert day.state["status"]["since_ms"] == ms(50)


def test_default_interval_without_a_birth():
    Timeline().arrive(0).at(200).expect("outage", RAISED, 76, 76)


@pytest.mark.parametrize("frame_ms", [-5, 0, 999, 10**9, "30000", None, True])
def test_an_absurd_interval_is_not_taken(frame_ms):
    Timeline().born(0, frame_ms=frame_ms).at(200).expect("outage", RAISED, 76, 76)


def test_every_frame_in_time_is_no_silence():
    day = Timeline().born(0).keep(900, every=74)
    assert day.log == []
    assert day.status == "ok"


def test_a_death_starts_the_clock_faster():
    day = Timeline().born(0).keep(30).died(32).at(60)
    said = day.expect("outage", RAISED, 38, 38)
    assert said.at_ms == ms(30)


def test_a_takeover_does_not_flap():
    """On a takeover the broker sends the old will first; so does a link that lapsed and is back at once."""
    day = Timeline().born(0).keep(30)
    for second in range(40, 400, 20):
        day.died(second).born(second + 4)
    assert day.log == []


def test_a_will_older_than_the_last_word_is_nothing():
    day = Timeline().born(0).arrive(30).at(31, Died("a", ms(29))).at(60)
    assert day.log == []


STORY = (Died("a", ms(40)), Born("a", ms(41), "k1"), Arrival("a", ms(41)))


@pytest.mark.parametrize("order", list(itertools.permutations(STORY)))
def test_birth_and_death_in_any_order_of_one_batch(order):
    day = Timeline().born(0).arrive(30).at(42, *order).at(90)
    assert day.log == []


@pytest.mark.parametrize(
    "order", list(itertools.permutations((Died("a", ms(40), planned=True), Arrival("a", ms(40)))))
)
def test_the_stops_own_frame_does_not_cancel_it(order):
    day = Timeline().born(0).arrive(30).at(40, *order).at(60)
    said = day.expect("outage", RAISED, 46, 46)
    assert said.cause == "planned"


def test_never_heard_is_waiting():
    day = Timeline().at(300)
    assert day.status == "waiting"
    assert day.log == []


def test_a_death_of_a_device_never_heard_is_nothing():
    day = Timeline().died(5).at(300)
    assert day.log == []


def test_time_in_which_nobody_listened_is_not_held_against_a_device():
    day = Timeline().born(0).at(30)
    day.now = 1000
    day.site = SiteFacts("casa", devices=LONE.devices, watched_since_ms=ms(1000))
    day.at(1070)
    assert day.log == []
    day.at(1100).expect("outage", RAISED, 1076, 1076)


def test_one_of_two_is_a_silent_device():
    day = Timeline(PAIR).born(0, "a").born(1, "b").keep(200, None, "a").keep(300, None, "a", "b")
    said = day.expect("device_silent", RAISED, 77, 77)
    assert (said.subject, said.cause, said.at_ms) == ("b", "device", ms(1))
    day.expect_none("outage")
    (back_s, back), (_, judged) = day.said("device_silent", REVISED)
    assert (back_s, back.facts) == (201, (*said.facts, SPEAKS_AGAIN)), "it is back, and half a story misleads"
    assert SPEAKS_AGAIN not in judged.facts
    ended = day.expect("device_silent", CLEARED, 221, 221)
    assert ended.at_ms == ms(201)
    assert ended.final
    assert day.status == "ok"


@pytest.mark.parametrize("later_s", [1, 29])
def test_who_falls_silent_with_the_other_is_an_outage_from_the_first_word(later_s):
    """Between the one's limit and the other's nobody is told that a single device failed."""
    day = Timeline(PAIR).born(0, "a").born(0, "b")
    last = {"a": 300, "b": 300 + later_s}
    for second in range(1, 300 + later_s + 1):
        day.arrive(
            second, *[name for name in last if second <= last[name] and not (last[name] - second) % 30]
        )
    day.at(300 + later_s + 76)
    assert [said.condition for _, said in day.log] == ["outage"]


def test_a_device_that_never_spoke_is_not_silent():
    day = Timeline(PAIR).born(0, "a").keep(300, None, "a")
    assert day.log == []


def test_both_silent_is_an_outage_and_takes_the_silence_over():
    day = Timeline(PAIR).born(0, "a").born(1, "b").keep(200, None, "a").at(400)
    assert day.expect("device_silent", CLEARED, 267, 267).reason == "outage"
    assert day.expect("outage", RAISED, 267, 267).at_ms == ms(191)
    day.born(500, "a").keep(700, None, "a")
    assert day.expect("outage", CLEARED, 620, 621).at_ms == ms(500), "the other one was given two minutes"
    assert [at for at, said in day.said("device_silent", RAISED)] == [77, 620]
    assert day.open() == {"device_silent|b"}


def test_an_outage_ends_when_the_story_is_told():
    day = Timeline().born(0).keep(30).at(200).born(300)
    assert day.status == "ok"
    day.at(319)
    assert day.open() == {"outage|"}
    day.at(330)
    (_, back), (judged_s, final) = day.said("outage", REVISED)
    assert (SPEAKS_AGAIN in back.facts, back.final) == (True, False)
    assert (judged_s, final.final, SPEAKS_AGAIN in final.facts) == (320, True, False)
    assert day.expect("outage", CLEARED, 320, 320).at_ms == ms(300)
    assert day.open() == set()


def test_a_return_that_breaks_off_is_the_same_outage():
    day = Timeline().born(0).keep(30).at(200).born(300).died(305).at(400)
    assert day.status == "dark"
    day.born(500).keep(560)
    assert len(day.said("outage", RAISED)) == 1
    assert day.expect("outage", CLEARED, 519, 521).at_ms == ms(500)


def test_the_outage_is_judged_when_all_who_came_back_have_told_their_story():
    day = Timeline(PAIR).born(0, "a").born(0, "b").keep(30, None, "a", "b").at(200)
    day.born(300, "a", "k2").born(350, "b", "m2").keep(380, None, "a", "b").keep(460, None, "a", "b")
    final = day.expect("outage", CLEARED, 385, 390)
    assert final.at_ms == ms(300)
    assert "restarted_together" in {fact.code for fact in final.facts}


def test_who_falls_silent_again_before_the_story_is_whole_makes_a_second_outage():
    day = Timeline(PAIR).born(0, "a").born(0, "b").keep(30, None, "a", "b").at(200)
    day.born(300, "a").keep(330, None, "a").died(331, "a").at(500)
    assert [at for at, _ in day.said("outage", RAISED)] == [106, 337]
    first = day.said("outage", CLEARED)[0][1]
    assert (first.at_ms, first.final) == (ms(300), True)


def test_a_planned_stop_stops_explaining_after_a_while():
    day = Timeline().born(0).keep(30).died(31, planned=True).at(1200)
    assert day.expect("outage", RAISED, 37, 37).cause == "planned"
    assert day.expect("outage", REVISED, 932, 932).cause == "unknown"


def test_an_earlier_planned_stop_does_not_explain_a_later_silence():
    day = Timeline().born(0).died(10, planned=True).at(60).born(70).keep(100).at(300)
    assert [said.cause for _, said in day.said("outage", RAISED)] == ["planned", "unknown"]


def test_observations_of_a_stranger_are_no_evidence():
    day = Timeline().born(0, "x").keep(60, "OB", "x").at(300)
    assert day.log == []
    assert day.status == "waiting"
