"""What the radios of a facility hear of each other: who has power, and whether the building has."""

from __future__ import annotations

from typing import Any

import pytest

from collector.model import Arrival, Cause, Change
from collector.rules.site import DeviceFacts, SiteFacts
from tests.rules.timeline import Timeline, ms, row

PAIR = SiteFacts(
    "casa",
    devices=(DeviceFacts("a", feed="ups:u", modem_feed="ups:u"), DeviceFacts("b", feed="mains", uplink="a")),
)
# the roof's access point has no agent; it hangs on the mains
ROOF = SiteFacts(
    "casa", devices=(DeviceFacts("a", feed="ups:u"), DeviceFacts("roof", kind="ap", feed="mains"))
)
GONE: dict[str, Any] = {"input_voltage": 0.0, "age_input_ms": 0}


def alone(heard: int | None, name: str = "b") -> Timeline:
    """``b`` falls silent at 60 s; at 300 s ``a`` says whether it hears its access point."""
    day = Timeline(PAIR).born(0).born(0, "b").keep(60, None, "a", "b").keep(300)
    if heard is not None:
        day.step(row(300, "wifi_neighbour", name, heard=heard))
    return day.keep(360)


def codes(day: Timeline) -> set[str]:
    said = [said for _, said in day.log if said.condition == "device_silent"]
    return {fact.code for fact in said[-1].facts}


@pytest.mark.parametrize(("heard", "code"), [(1, "still_on_air"), (0, "off_the_air")])
def test_an_access_point_that_is_heard_has_power(heard, code):
    day = alone(heard)
    assert code in codes(day)
    if heard:
        assert [said.cause for _, said in day.log if said.condition == "device_silent"][-1] == Cause.DEVICE


def test_what_was_heard_before_and_what_is_no_device_of_here_say_nothing():
    assert not {"still_on_air", "off_the_air"} & codes(alone(1, "strange"))
    day = Timeline(PAIR).born(0).born(0, "b").at(30, row(30, "wifi_neighbour", "b", heard=1))
    day.keep(60, None, "a", "b").keep(360)
    assert not {"still_on_air", "off_the_air"} & codes(day)


@pytest.mark.parametrize(("heard", "lost"), [(1, False), (0, True), (None, None)])
def test_an_access_point_on_the_mains_tells_whether_the_building_has_them(heard, lost):
    """A UPS that cannot measure its input leaves the line; who hangs on the mains is heard, or is not."""
    day = Timeline(ROOF).born(0).keep(60, "OL").keep(120, "OB")
    if heard is not None:
        day.at(130, Arrival("a", ms(130)), row(130, "wifi_neighbour", "roof", heard=heard))
    day.keep(200, "OB")
    assert bool(day.said("supply_lost", Change.RAISED)) == bool(lost)
    if heard:
        measured = day.keep(260, "OB", **GONE)
        measured.expect_none("supply_lost")


def test_the_last_scan_before_the_cut_refutes_nothing():
    day = Timeline(ROOF).born(0).keep(60, "OL").at(65, row(65, "wifi_neighbour", "roof", heard=1))
    assert day.keep(200, "OB", **GONE).open() >= {"supply_lost|a/u"}
