"""Machines that start anew although there are mains, and boxes that somebody opens."""

from __future__ import annotations

import pytest

from collector.model import Change
from collector.rules.site import DeviceFacts, SiteFacts
from tests.rules.timeline import CARRIED, LONE, Timeline, ms, row

RAISED, CLEARED = Change.RAISED, Change.CLEARED
DAY = 86_400
# b reads the UPS; a hangs on the mains beside it
APART = SiteFacts("casa", devices=(DeviceFacts("a", feed="mains"), DeviceFacts("b", feed="ups:u")))


def boots(day: Timeline, count: int, status: str = "OL", device: str = "a", reader: str = "a") -> Timeline:
    """Frames until a quick restart, again and again; the UPS is read by ``reader``."""
    for number in range(count):
        day.keep(day.now + 300, status, reader)
        day.born(day.now + 5, device, boot=f"boot {number}")
        day.keep(day.now + 30, status, reader)
    return day


def test_three_restarts_of_a_carried_machine_in_a_day():
    day = boots(Timeline(CARRIED).born(0), 2)
    day.expect_none("restarts")
    said = boots(day.born(day.now + 1, boot="x"), 0).expect("restarts", RAISED, 600, 800)
    assert said.facts[0].params == {"count": 3, "hours": 24}
    day.now += DAY
    day.keep(day.now + 30, "OL").expect("restarts", CLEARED, DAY, DAY + 2000)


def test_beside_a_ups_that_another_device_reads():
    site = Timeline(APART).born(0).born(0, "b")
    boots(site, 4, reader="b").expect("restarts", RAISED, 900, 1100)


def test_restarts_with_the_mains_are_none():
    day = Timeline(CARRIED).born(0)
    for number in range(5):
        day.keep(day.now + 300, "OL").ups(day.now + 5, "OB").born(day.now + 90, boot=f"boot {number}")
    day.expect_none("restarts")
    boots(Timeline(LONE).born(0), 5, reader="nobody").expect_none("restarts")
    apart = Timeline(APART).born(0).born(0, "b")
    for number in range(5):  # the mains are gone for ten minutes; a starts when they are back
        apart.keep(apart.now + 300, "OL", "b").keep(apart.now + 600, "OB", "b")
        apart.keep(apart.now + 60, "OL", "b").born(apart.now + 5, boot=f"boot {number}")
    apart.expect_none("restarts")


TWO_VIEWS = SiteFacts("casa", devices=(DeviceFacts("a", feed="ups:u"), DeviceFacts("b", feed="mains")))


def test_an_old_view_of_the_ups_vouches_for_no_restart():
    """b fell with the mains and saw the UPS on line last; a, on the battery, saw it run empty."""
    day = Timeline(TWO_VIEWS).born(0).born(0, "b")
    for number in range(4):
        day.keep(day.now + 300, "OL", "a", "b").keep(day.now + 120, "OB", "a").ups(day.now + 5, "OB LB")
        day.at(day.now + 1200).born(day.now + 1, boot=f"a {number}").born(
            day.now + 1, "b", boot=f"b {number}"
        )
    day.expect_none("restarts")


@pytest.mark.parametrize("weak", [{"rb": 1}, {"battery_charge_percent": 5.0}])
def test_a_battery_that_drops_its_load_before_it_tells_vouches_for_no_restart(weak):
    day = Timeline(CARRIED).born(0)
    sound = Timeline(CARRIED).born(0)
    for number in range(4):
        day.keep(day.now + 300, "OL", **weak).born(day.now + 60, boot=f"boot {number}")
        sound.keep(sound.now + 300, "OL", battery_charge_percent=95.0).born(
            sound.now + 60, boot=f"boot {number}"
        )
    assert day.said("restarts", RAISED) == []
    assert sound.said("restarts", RAISED) != []


def test_planned_stops_and_two_a_day_are_none():
    day = Timeline(CARRIED).born(0)
    for number in range(5):
        day.keep(day.now + 300, "OL").died(day.now + 1, planned=True).at(day.now + 60)
        day.born(day.now + 5, boot=f"boot {number}")
    day.expect_none("restarts")
    slow = Timeline(CARRIED).born(0)
    for number in range(6):
        slow.now = number * (DAY // 2)
        slow.keep(slow.now + 60, "OL").born(slow.now + 5, boot=f"boot {number}").keep(slow.now + 60, "OL")
    assert len(slow.state["devices"]["a"]["restarts"]) == 2
    slow.expect_none("restarts")


@pytest.mark.parametrize(("told", "counted"), [({"cold": 0}, True), ({"cold": 1}, False), ({}, False)])
def test_without_a_ups_the_machine_itself_says_whether_it_kept_its_power(told, counted):
    day = Timeline(LONE).born(0)
    for number in range(3):
        day.arrive(day.now + 300).born(day.now + 5, boot=f"boot {number}")
        day.step(row(day.now, "restart", None, **told))
        day.step(row(day.now, "restart", None, **told))  # it is repeated
    assert bool(day.said("restarts", RAISED)) == counted
    assert len(day.state["devices"]["a"].get("restarts", ())) == (3 if counted else 0)


def tamper(second: int, is_open: int, *, current: bool = True):
    return row(second, "tamper", "box", current=current, open=is_open)


def test_an_opened_box_is_told_at_once_and_stays_for_ten_minutes():
    day = Timeline(LONE).born(0).at(10, tamper(10, 0)).at(30, tamper(30, 1)).at(32, tamper(32, 0))
    said = day.expect("tamper", RAISED, 30, 30)
    assert (said.severity, said.found_on_return) == ("critical", False)
    for second in range(60, 900, 30):
        day.at(second, tamper(second, 0))
    day.expect("tamper", CLEARED, 630, 660)


def test_closed_all_the_time_is_none():
    day = Timeline(LONE).born(0)
    for second in range(10, 300, 10):
        day.arrive(second).step(tamper(second, 0))
    assert (day.log, day.state["tamper"]) == ([], {})


def test_an_opening_in_a_silence_is_found_on_return_once():
    day = Timeline(LONE).born(0).arrive(30).died(35).at(4000).born(4001).at(4005, tamper(4005, 0))
    past = [tamper(second, int(1000 <= second < 1060), current=False) for second in range(900, 1200, 10)]
    day.at(4010, *past)
    said = day.expect("tamper", RAISED, 4010, 4010)
    assert (said.at_ms, said.found_on_return) == (ms(1000), True)
    for second in range(4020, 5000, 60):
        day.at(second, tamper(second, 0))
    day.expect("tamper", CLEARED, 4600, 4700)
    day.at(5000, *past)
    assert len(day.said("tamper", RAISED)) == 1
    day.at(5010, tamper(3000, 1, current=False))  # another one, from the same silence
    assert len(day.said("tamper", RAISED)) == 2


def test_what_was_told_live_is_not_found_again():
    day = Timeline(LONE).born(0).at(30, tamper(30, 1)).at(40, tamper(40, 0))
    day.at(50, tamper(30, 1, current=False), tamper(35, 0, current=False))
    assert [said.found_on_return for _, said in day.said("tamper", RAISED)] == [False]
