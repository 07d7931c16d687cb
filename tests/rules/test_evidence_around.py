"""What lies beyond a site becomes facts, and a verdict that a site alone could not give."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collector.model import Cause, Change
from collector.rules import catalogue, evidence_around
from collector.rules.site import Around, Centre, Deaf, DeviceFacts, Neighbours, SiteFacts, Window
from tests.rules.timeline import Timeline, ms

LIMITS = catalogue.resolve()
MAINS = SiteFacts("casa", devices=(DeviceFacts("a", feed="mains", modem_feed="mains"),))
UPS = SiteFacts("casa", devices=(DeviceFacts("a", feed="ups:u", modem_feed="ups:u"),))
WORK = Window(3, ms(0), ms(3600), "CFE")


def codes(facts) -> list[str]:
    return [fact.code for fact in facts]


def dark(site: SiteFacts) -> Timeline:
    return Timeline(site).born(0).keep(30).at(120)


def causes(day: Timeline) -> list[Cause | None]:
    return [said.cause for _, said in day.log if said.condition == "outage"]


@pytest.mark.parametrize(
    ("around", "expected"),
    [
        (Neighbours(1, 2, fine=1, unsupplied=1), ["neighbours_without_supply"]),
        (Neighbours(2, 3, fine=1), ["neighbours_dark"]),
        (Neighbours(1, 1), ["neighbour_dark"]),
        (Neighbours(1, 20, fine=19), ["neighbour_dark", "neighbours_fine"]),
        (Neighbours(0, 4, fine=4), ["neighbours_fine"]),
        (None, []),
    ],
)
def test_near(around, expected):
    assert codes(evidence_around.near(Around(mains=around), LIMITS)) == expected


def test_fewer_than_the_count_are_an_area_by_their_share():
    three = LIMITS | {"neighbours_dark_count": 3}

    assert codes(evidence_around.near(Around(mains=Neighbours(1, 3, fine=2)), three)) == ["neighbour_dark"]
    assert codes(evidence_around.near(Around(mains=Neighbours(1, 4, fine=3)), three)) == ["neighbours_fine"]


def test_who_lost_its_supply_is_no_witness_against_the_provider():
    silent = Around(provider=Neighbours(3, 4, fine=1))
    unsupplied = Around(provider=Neighbours(3, 4, fine=1, unsupplied=3))

    assert codes(evidence_around.provider(silent, LIMITS)) == ["provider_dark", "provider_fine"]
    assert codes(evidence_around.provider(unsupplied, LIMITS)) == ["provider_fine"]


def test_a_site_alone_is_unknown_and_with_its_neighbours_it_is_the_area():
    day = dark(MAINS)
    assert causes(day)[-1] == Cause.UNKNOWN

    day.site = replace(MAINS, neighbours=Around(mains=Neighbours(1, 2, fine=1, unsupplied=1)))
    day.at(160)
    assert causes(day)[-1] == Cause.MAINS_AREA


def test_a_measured_loss_is_the_sites_own_until_its_neighbours_tell():
    day = Timeline(UPS).born(0).ups(10, "OB", input_voltage=0.0, age_input_ms=0)
    assert day.said("supply_lost", Change.RAISED)[0][1].cause == Cause.MAINS_SITE

    day.site = replace(UPS, neighbours=Around(mains=Neighbours(1, 2, fine=1)))
    day.ups(20, "OB", input_voltage=0.0, age_input_ms=0)
    assert day.said("supply_lost", Change.REVISED)[-1][1].cause == Cause.MAINS_AREA

    day.keep(60, "OL", input_voltage=127.0, age_input_ms=0)
    assert day.said("supply_lost", Change.CLEARED)[0][1].cause == Cause.MAINS_AREA


def test_a_ups_that_measures_nothing_is_believed_with_its_neighbours():
    day = Timeline(UPS).born(0).ups(10, "OB")
    assert day.said("on_battery", Change.RAISED)[0][1].cause is None

    day.site = replace(UPS, neighbours=Around(mains=Neighbours(1, 2, fine=1)))
    day.ups(20, "OB")
    assert day.said("on_battery", Change.REVISED) == []  # one silent neighbour is too little
    day.site = replace(UPS, neighbours=Around(mains=Neighbours(1, 2, fine=1, unsupplied=1)))
    day.ups(30, "OB")
    assert day.said("on_battery", Change.REVISED)[-1][1].cause == Cause.MAINS_AREA


def test_what_begins_in_announced_work_is_planned_and_says_when_it_overruns():
    day = dark(replace(MAINS, planned=(WORK,)))
    assert causes(day)[-1] == Cause.PLANNED

    day.at(3600 + 299)
    last = [said for _, said in day.log if said.condition == "outage"][-1]
    assert "window_overrun" not in codes(last.facts)
    day.at(3600 + 301)
    last = [said for _, said in day.log if said.condition == "outage"][-1]
    assert codes(last.facts)[-1] == "window_overrun"


@pytest.mark.parametrize(
    "window", [replace(WORK, from_ms=ms(100)), replace(WORK, from_ms=ms(-90), to_ms=ms(29))]
)
def test_what_begins_beside_a_window_is_not_planned(window):
    assert Cause.PLANNED not in causes(dark(replace(MAINS, planned=(window,))))


def test_a_probe_that_fails_is_the_centre_and_silence_around_tells_nothing_then():
    silent = Around(mains=Neighbours(5, 5), provider=Neighbours(9, 9))
    deaf = Centre(probed=True, deaf=(Deaf("uplink", ms(25)),))
    day = dark(replace(MAINS, neighbours=silent, centre=deaf))
    said = [said for _, said in day.log if said.condition == "outage"][-1]

    assert said.cause == Cause.COLLECTOR
    assert not {"neighbours_dark", "provider_dark"} & set(codes(said.facts))


@pytest.mark.parametrize(
    "span", [Deaf("uplink", ms(-300), ms(20)), Deaf("uplink", ms(95)), Deaf("store", ms(25))]
)
def test_a_fault_of_another_time_or_of_the_store_explains_no_silence(span):
    assert Cause.COLLECTOR not in causes(dark(replace(MAINS, centre=Centre(probed=True, deaf=(span,)))))


def test_who_is_still_dark_a_quarter_of_an_hour_after_its_area_did_not_come_back():
    back = Around(mains=Neighbours(2, 2, unsupplied=2), back_ms=ms(200))

    assert evidence_around.left_behind(back, LIMITS, ms(0), ms(200 + 899)) == []
    assert codes(evidence_around.left_behind(back, LIMITS, ms(0), ms(200 + 900))) == ["did_not_come_back"]


@pytest.mark.parametrize(("alone_s", "expected"), [(1999, []), (2001, ["did_not_come_back"])])
def test_when_it_is_back_itself_that_counts_only_if_it_was_dark_alone_for_most_of_the_time(alone_s, expected):
    back = Around(mains=Neighbours(2, 2, unsupplied=2), back_ms=ms(2000))
    found = evidence_around.left_behind(back, LIMITS, ms(0), ms(2000 + alone_s), over=True)
    assert codes(found) == expected


def test_a_lost_supply_that_came_back_last_was_the_areas_all_the_same():
    """Its neighbours came back after 2,000 s, it came a while later: that is no fault of its own."""
    fell = Around(mains=Neighbours(2, 2, unsupplied=2))
    day = Timeline(replace(UPS, neighbours=fell)).born(0).keep(2900, "OB", input_voltage=0.0, age_input_ms=0)
    assert "did_not_come_back" not in codes(day.said("supply_lost", Change.RAISED)[0][1].facts)
    day.site = replace(UPS, neighbours=replace(fell, back_ms=ms(2000)))
    day.keep(2930, "OB", input_voltage=0.0, age_input_ms=0)
    assert "did_not_come_back" in codes(day.said("supply_lost", Change.REVISED)[-1][1].facts)
    day.keep(3000, "OL", input_voltage=127.0, age_input_ms=0)
    (over,) = (said for _, said in day.said("supply_lost", Change.CLEARED))
    assert ("did_not_come_back" in codes(over.facts), over.cause) == (False, Cause.MAINS_AREA)


@pytest.mark.parametrize(
    "around",
    [
        pytest.param(Neighbours(0, 40, fine=40), id="nobody"),
        pytest.param(Neighbours(1, 40, fine=39), id="one of forty"),
        pytest.param(Neighbours(2, 40, fine=38), id="two of forty"),
    ],
)
def test_where_the_count_asks_for_more_one_or_two_of_forty_make_no_area(around):
    """One dark neighbour, or two of forty, can be their own fault: with 4 asked for, neither is an area."""
    four = LIMITS | {"neighbours_dark_count": 4}
    assert codes(evidence_around.near(Around(mains=around), four)) == ["neighbours_fine"]
    assert codes(evidence_around.near(Around(mains=Neighbours(3, 40, fine=37)), four)) == [
        "neighbours_dark", "neighbours_fine",
    ]  # fmt: skip


def test_one_dark_neighbour_makes_no_area_of_a_site_whose_ups_had_mains():
    """Somebody's modem fails in the same minute: a UPS that was on line and carries all stands against it."""
    good = Timeline(replace(UPS, neighbours=Around(mains=Neighbours(1, 40, fine=39, strangers=0))))
    assert Cause.MAINS_AREA not in causes(good.born(0).keep(30, "OL").at(120))


@pytest.mark.parametrize(
    ("far", "cause"),
    [
        pytest.param(Neighbours(4, 6, fine=2, unsupplied=4), Cause.MAINS_AREA, id="most lost their supply"),
        pytest.param(Neighbours(9, 10, fine=1, unsupplied=2), Cause.MAINS_AREA, id="the others are silent"),
        pytest.param(Neighbours(2, 2, unsupplied=1), Cause.MAINS_AREA, id="one of two told"),
        pytest.param(Neighbours(1, 1, unsupplied=1), Cause.MAINS_SITE, id="one alone is far away"),
        pytest.param(Neighbours(4, 9, fine=5, unsupplied=4), Cause.MAINS_SITE, id="less than half"),
        pytest.param(Neighbours(6, 6), Cause.MAINS_SITE, id="of silence alone nobody knows the reason"),
    ],
)
def test_a_district_that_fell_with_a_site_without_neighbours_is_the_area(far, cause):
    day = Timeline(replace(UPS, neighbours=Around(far=far))).born(0)
    day.ups(10, "OB", input_voltage=0.0, age_input_ms=0)
    assert day.said("supply_lost", Change.RAISED)[0][1].cause == cause
