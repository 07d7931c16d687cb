"""A clock that claims to be set and is not."""

from __future__ import annotations

from collector.model import Change, ClockFault
from tests.rules.timeline import LONE, Timeline, ms

RAISED, CLEARED = Change.RAISED, Change.CLEARED


def frames(day: Timeline, until: int, off_s: int) -> Timeline:
    for second in range(day.now + 30, until + 1, 30):
        fault = [ClockFault("a", ms(second), off_s * 1000)] if off_s else []
        day.arrive(second).step(*fault)
    return day


def test_a_clock_two_hours_ahead_is_told_until_it_was_right_for_ten_minutes():
    day = frames(Timeline(LONE).born(0), 90, 7200)
    assert day.expect("clock_wrong", RAISED, 30, 30).facts[0].params == {"age_s": 7200}
    frames(day, 900, 0).expect("clock_wrong", CLEARED, 690, 720)
    assert "clock_ms" not in day.state["devices"]["a"]


def test_what_is_near_and_what_nobody_doubts_is_none():
    frames(Timeline(LONE).born(0), 300, -59).expect_none("clock_wrong")
    frames(Timeline(LONE).born(0), 300, 0).expect_none("clock_wrong")


def test_a_silent_device_does_not_end_it():
    day = frames(Timeline(LONE).born(0), 90, -500).at(3000)
    assert day.said("clock_wrong", CLEARED) == []
    assert day.said("clock_wrong", RAISED)[0][1].facts[0].code == "clock_behind"
