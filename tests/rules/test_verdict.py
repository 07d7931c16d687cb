"""Verdicts: what each story comes to, and the two rules that no weight may break."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from collector.model import Cause, Change, Fact
from collector.rules.site import Around, DeviceFacts, Neighbours, SiteFacts
from collector.rules.verdict import CLUES, PRIOR, weigh
from tests.rules.timeline import CARRIED, LONE, Timeline, row, ups

RAISED, REVISED = Change.RAISED, Change.REVISED
MAINS = SiteFacts("casa", devices=(DeviceFacts("a", feed="mains", modem_feed="mains"),))
ROUTER_ON_UPS = SiteFacts("casa", devices=(DeviceFacts("a", feed="ups:u", modem_feed="mains"),))
TWO = SiteFacts("casa", devices=tuple(DeviceFacts(name, feed="mains", modem_feed="mains") for name in "ab"))


def final(day: Timeline) -> Cause | None:
    found = [
        said for _, said in day.log if said.condition == "outage" and said.final and said.change == REVISED
    ]
    assert len(found) == 1
    return found[0].cause


def first(day: Timeline) -> Cause | None:
    return day.said("outage", RAISED)[0][1].cause


def dark(site: SiteFacts, before: str = "OL", **fields: Any) -> Timeline:
    """Half a minute of frames, then silence."""
    return Timeline(site).born(0).keep(30, before, **fields).at(200)


def back(day: Timeline, boot: str = "k1", *story: object) -> Timeline:
    return day.born(600, boot=boot).at(601, *story).keep(700)  # type: ignore[arg-type] # observations


def spool(status: str, first_s: int = 35, last_s: int = 590, **more: Any) -> list[object]:
    return [ups(second, status, current=False, **more) for second in range(first_s, last_s, 30)]


def test_a_lone_device_is_unknown_until_it_returns():
    for site in (LONE, MAINS):
        day = Timeline(site).born(0).keep(30).at(200)
        assert first(day) == Cause.UNKNOWN


def test_a_restart_alone_is_not_mains_lost():
    assert final(back(Timeline(MAINS).born(0).keep(30).at(200), "k2")) == Cause.UNKNOWN


def test_measured_loss_before_silence_is_mains():
    day = dark(ROUTER_ON_UPS, "OB", input_voltage=0.0, age_input_ms=0)
    assert first(day) == Cause.MAINS_SITE
    assert final(back(day, "k2")) == Cause.MAINS_SITE


def test_on_battery_before_silence_is_mains_even_when_contact_is_lost():
    day = Timeline(CARRIED).born(0).keep(30, "OB").keep(60, "", driver_lost=1).at(300)
    assert first(day) == Cause.MAINS_SITE


def test_spooled_battery_completes_the_verdict():
    day = dark(ROUTER_ON_UPS)
    assert first(day) == Cause.UNKNOWN
    story = spool("OB", input_voltage=0.0, age_input_ms=100)
    assert final(back(day, "k1", *story)) == Cause.MAINS_SITE


def test_line_and_link_all_through_is_the_provider():
    day = Timeline(CARRIED).born(0).at(5, row(5, "wan", "eth0", up=1)).keep(30, "OL").at(200)
    story = [
        *spool("OL"),
        *(row(second, "wan", "eth0", up=1, current=False) for second in range(35, 590, 30)),
    ]
    assert final(back(day, "k1", *story)) == Cause.BACKHAUL_PROVIDER


def test_line_and_no_carrier_is_the_sites_own_line():
    day = Timeline(CARRIED).born(0).at(5, row(5, "wan", "eth0", up=1)).keep(30, "OL").at(200)
    story = [
        *spool("OL"),
        *(row(second, "net", "eth0", carrier=0, current=False) for second in range(35, 590, 30)),
    ]
    assert final(back(day, "k1", *story)) == Cause.BACKHAUL_SITE


def test_no_carrier_while_on_battery_is_mains():
    """The modem is not carried: it fell with the mains, and took the carrier along."""
    day = Timeline(ROUTER_ON_UPS).born(0).at(5, row(5, "wan", "eth0", up=1)).keep(30, "OL").at(200)
    story = [
        *spool("OB"),
        *(row(second, "wan", "eth0", up=0, current=False) for second in range(35, 590, 30)),
    ]
    assert final(back(day, "k1", *story)) == Cause.MAINS_SITE


def test_a_carried_device_that_restarted_on_line_failed():
    assert final(back(dark(CARRIED), "k2")) == Cause.DEVICE


def test_an_agent_that_stood_still_is_the_device():
    assert final(back(dark(CARRIED), "k1")) == Cause.DEVICE


def test_kept_running_on_mains_is_not_mains():
    day = Timeline(MAINS).born(0).keep(30).at(200)
    story = [row(second, "system", None, uptime=second, current=False) for second in range(35, 590, 30)]
    assert final(back(day, "k1", *story)) in {Cause.BACKHAUL_PROVIDER, Cause.BACKHAUL_SITE, Cause.UNKNOWN}
    said = day.said("outage", REVISED)[-1][1]
    assert "kept_running_on_mains" in {fact.code for fact in said.facts}


def test_two_that_restart_together_lost_their_mains():
    day = Timeline(TWO).born(0, "a").born(1, "b").keep(30, None, "a", "b").at(200)
    day.born(600, "a", "k2").born(603, "b", "m2").keep(700, None, "a", "b")
    assert final(day) == Cause.MAINS_SITE


def beside(around: Neighbours) -> SiteFacts:
    return SiteFacts("casa", devices=ROUTER_ON_UPS.devices, neighbours=Around(mains=around))


def test_neighbours_make_it_the_area():
    told: dict[str, Any] = {"before": "OB", "input_voltage": 0.0, "age_input_ms": 0}
    for around, cause in (
        (Neighbours(3, 8, fine=5), Cause.MAINS_AREA),
        (Neighbours(1, 2, fine=1, unsupplied=1), Cause.MAINS_AREA),
        (Neighbours(0, 8, fine=8), Cause.MAINS_SITE),
    ):
        assert first(dark(beside(around), **told)) == cause


def test_a_planned_stop_on_battery_is_mains():
    """upsmon stops the machine in order when the battery runs out; that is nobody's plan."""
    day = (
        Timeline(CARRIED)
        .born(0)
        .keep(30, "OB LB", input_voltage=0.0, age_input_ms=0)
        .died(31, planned=True)
        .at(60)
    )
    assert first(day) == Cause.MAINS_SITE


ALONE = ("device_not_carried", "modem_not_carried", "silent_together", "mains_good_not_carried")


def test_silence_alone_never_names_the_backhaul_above_the_mains():
    """Where the modem is not known to be carried, whatever else silence itself can tell."""
    others = [code for code in ALONE if code != "modem_not_carried"]
    for size in range(len(others) + 1):
        for codes in itertools.combinations(others, size):
            facts = [Fact("modem_not_carried"), *map(Fact, codes)]
            scores = dict(PRIOR)
            for fact in facts:
                for cause, weight in CLUES[fact.code].weights.items():
                    scores[cause] += weight
            assert scores[Cause.MAINS_SITE] > max(
                scores[Cause.BACKHAUL_SITE], scores[Cause.BACKHAUL_PROVIDER]
            )
            assert weigh(facts).cause not in {Cause.BACKHAUL_SITE, Cause.BACKHAUL_PROVIDER}


@pytest.mark.parametrize("around", [Neighbours(40, 40), Neighbours(3, 90)])
def test_mass_silence_is_never_the_collector(around):
    site = SiteFacts("casa", devices=LONE.devices, neighbours=Around(mains=around))
    day = Timeline(site).born(0).keep(30).at(200)
    assert first(day) != Cause.COLLECTOR


def test_every_clue_says_why_and_weighs_known_causes():
    assert set(PRIOR) == set(Cause)
    for code, clue in CLUES.items():
        assert clue.why, code
        assert set(clue.weights) <= set(Cause)


def test_confidence_is_a_share():
    assert weigh([]).cause == Cause.UNKNOWN
    sure = weigh([Fact("supply_lost_before"), Fact("story_supply_lost"), Fact("neighbours_fine", {})])
    assert sure.cause == Cause.MAINS_SITE
    assert 0.9 < sure.confidence <= 0.99
