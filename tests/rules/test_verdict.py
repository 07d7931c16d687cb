"""Verdicts: what each story comes to, and the two rules that no weight may break."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from collector.model import Arrival, Born, Cause, Change, Fact, Readings
from collector.rules.site import Around, DeviceFacts, Neighbours, SiteFacts
from collector.rules.verdict import CLUES, EXPLAINED, LEARNED, PRIOR, weigh
from tests.rules.timeline import CARRIED, LONE, Timeline, ms, row, ups

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
    assert first(day) == Cause.MAINS_SITE, "the modem falls with the mains, the router would not"
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


@pytest.mark.parametrize(
    ("known_ups", "fact"), [(False, "kept_running_without_ups"), (True, "kept_running")], ids=["none", "one"]
)
def test_who_ran_on_where_no_ups_is_known_most_likely_had_mains(known_ups, fact):
    """Nobody noted what feeds it; a UPS that it reads could have carried it."""
    day = Timeline().born(0).keep(30, "OL" if known_ups else None).at(200)
    story = [row(second, "system", None, uptime=second, current=False) for second in range(35, 590, 30)]
    final(back(day, "k1", *story))
    said = day.said("outage", REVISED)[-1][1]
    assert {one.code for one in said.facts if one.code.startswith("kept_running")} == {fact}
    weights = CLUES[fact].weights
    assert ({Cause.MAINS_AREA, Cause.MAINS_SITE} <= weights.keys()) == (not known_ups)


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


# what silence itself, and how the site is built, can tell; nothing that anybody measured after its beginning
ALONE = (
    "device_not_carried", "silent_together", "silent_behind", "mains_good_not_carried",
    "contact_lost_before", "battery_low_before", "on_battery_before", "supply_lost_before",
    "neighbours_fine", "neighbours_without_supply", "neighbour_dark", "neighbours_dark",
)  # fmt: skip


def test_silence_alone_never_names_the_backhaul_above_the_mains():
    """Where the modem is not known to be carried, whatever else silence itself can tell."""
    for size in range(len(ALONE) + 1):
        for codes in itertools.combinations(ALONE, size):
            facts = [Fact("modem_not_carried"), *map(Fact, codes)]
            scores = dict(PRIOR)
            for fact in facts:
                for cause, weight in CLUES[fact.code].weights.items():
                    scores[cause] += weight
            mains = max(scores[Cause.MAINS_SITE], scores[Cause.MAINS_AREA])
            assert mains > max(scores[Cause.BACKHAUL_SITE], scores[Cause.BACKHAUL_PROVIDER]), codes
            assert weigh(facts).cause not in {Cause.BACKHAUL_SITE, Cause.BACKHAUL_PROVIDER}


def test_what_was_learned_makes_a_verdict_surer_and_never_makes_one():
    """Over every pair of facts: with and without it the cause is the same, and it is never less sure."""
    learned = Fact("fell_together_before", {"name": "B", "times": 3, "of": 3})
    others = [code for code in CLUES if code != learned.code]
    surer = 0
    for codes in (*itertools.combinations(others, 1), *itertools.combinations(others, 2)):
        facts = [Fact(code) for code in codes]
        before, after = weigh(facts), weigh([*facts, learned])
        assert after.cause == before.cause, codes
        assert after.confidence >= before.confidence, codes
        surer += after.confidence > before.confidence
    assert surer
    assert {code for code, clue in CLUES.items() if "raises confidence only" in clue.why} == LEARNED


def test_announced_work_explains_whatever_shows_a_loss_of_supply_or_of_the_way_out():
    shown = [code for code, clue in CLUES.items() if max(clue.weights.get(c, 0) for c in EXPLAINED) > 0]
    for size in (1, 2, 3):
        for codes in itertools.combinations(shown, size):
            facts = [Fact("planned_window"), *map(Fact, codes)]
            assert weigh(facts).cause in {Cause.PLANNED, Cause.DEVICE}, codes
    ample = ("supply_lost_before", "neighbours_without_supply", "circuit_dark", "restarted_together",
             "cold_start", "battery_drained", "story_supply_lost")  # fmt: skip
    assert weigh([Fact("planned_window"), *map(Fact, ample)]).cause == Cause.PLANNED
    assert weigh(map(Fact, ample)).cause == Cause.MAINS_AREA
    failed = ("restarted_alone", "machine_failed", "line_closed")
    assert weigh([Fact("planned_window"), *map(Fact, failed)]).cause == Cause.DEVICE, "it explains no machine"


NEEDED = {
    Cause.REMOVED: {"box_opened", "another_unit"},
    Cause.COLLECTOR: {"centre_broker_down", "centre_uplink_down"},
    Cause.PLANNED: {"planned_stop", "planned_window", "upgraded"},
}


def test_removed_collector_and_planned_wait_for_their_own_evidence():
    """Over every pair and triple of facts: without one of theirs they are never named."""
    for cause, own in NEEDED.items():
        assert {code for code, clue in CLUES.items() if clue.weights.get(cause, 0) > 0} == own
    others = [code for code in CLUES if not any(code in own for own in NEEDED.values())]
    for size in (1, 2, 3):
        for codes in itertools.combinations(others, size):
            assert weigh(map(Fact, codes)).cause not in NEEDED, codes


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


CHAIN = SiteFacts(
    "casa",
    devices=(
        DeviceFacts("a", feed="mains", modem_feed="mains"),
        DeviceFacts("b", "pi", feed="mains", modem_feed="mains", uplink="a"),
    ),
)


def test_a_router_that_restarts_while_what_hangs_on_it_runs_on_failed_itself():
    day = Timeline(CHAIN).born(0, "a").born(0, "b", "m1").keep(30, None, "a", "b").at(200)
    told = [row(at, "system", None, "b", current=False, uptime=at) for at in range(40, 600, 10)]
    day.born(600, "a", "k2").born(601, "b", "m1").at(602, *told).keep(700, None, "a", "b")
    assert final(day) == Cause.DEVICE
    facts = {fact.code for fact in day.said("outage", REVISED)[-1][1].facts}
    assert {"restarted_alone", "mains_fed_ran_on"} <= facts


def test_a_machine_that_hangs_is_the_device_though_it_measured_until_then():
    """What was measured after the last frame and before it stood still is a small part of the silence."""
    day = Timeline(MAINS).born(0).at(5, row(5, "wan", "eth0", up=1)).keep(30).at(200)
    told = [row(at, "wan", "eth0", current=False, up=1) for at in (*range(40, 60, 10), *range(900, 950, 10))]
    day.born(950).at(951, *told).keep(1100)
    assert final(day) == Cause.DEVICE


def test_who_ran_on_and_restarted_later_lost_its_way_out_first():
    day = Timeline(MAINS).born(0).at(5, row(5, "wan", "eth0", up=1)).keep(30).at(200)
    told = [row(at, "wan", "eth0", current=False, up=1) for at in range(40, 1200, 10)]
    day.born(1800, boot="k2").at(1801, *told).keep(1900)
    assert final(day) == Cause.BACKHAUL_PROVIDER


def test_a_supply_that_fails_late_in_a_silence_did_not_make_it():
    day = Timeline(CARRIED).born(0).at(5, row(5, "wan", "eth0", up=1)).keep(30, "OL").at(200)
    told = [ups(at, "OL", current=False) for at in range(40, 2000, 30)]
    told += [
        ups(at, "OB", current=False, input_voltage=0.0, age_input_ms=100) for at in range(2000, 2600, 30)
    ]
    link = [row(at, "wan", "eth0", current=False, up=1) for at in range(40, 2600, 30)]
    day.born(3000).at(3001, *told, *link).keep(3100, "OL")
    assert final(day) == Cause.BACKHAUL_PROVIDER


def test_a_pi_knows_whether_it_was_without_power():
    for cold, cause in ((0, Cause.DEVICE), (1, Cause.MAINS_SITE)):
        day = Timeline(MAINS).born(0).keep(30).at(200).born(700, boot="k2")
        day.at(705, row(705, "restart", None, cold=cold)).keep(800)
        assert final(day) == cause


def test_an_agent_that_closes_its_line_is_the_device_at_once():
    """The will comes before the broker can have missed a ping: everything on the way was alive."""
    hello = {"intervals": {"frame": 30_000, "keepalive": 20_000}}
    for after, cause in ((5, Cause.DEVICE), (29, Cause.BACKHAUL_SITE)):
        day = Timeline(CARRIED).at(0, Arrival("a", ms(0)), Born("a", ms(0), "k1", hello, "i1"))
        day.keep(30, "OL").died(30 + after).at(200)
        assert first(day) == cause


def unit(second: int, boot: str, key: str) -> Born:
    return Born("a", ms(second), boot, {"hardware": "router"}, "i" + boot, key)


@pytest.mark.parametrize(
    ("boot", "key", "cause"),
    [("k2", "other", Cause.REMOVED), ("k2", "same", Cause.UNKNOWN), ("k1", "other", Cause.DEVICE)],
)
def test_another_unit_in_its_place_was_removed_a_rotated_key_is_none(boot, key, cause):
    day = Timeline(MAINS).at(0, Arrival("a", ms(0)), unit(0, "k1", "same")).keep(30).at(200)
    day.at(900, Arrival("a", ms(900)), unit(900, boot, key)).keep(1000)
    assert final(day) == cause


def test_an_opened_box_makes_it_a_removal_long_before_the_return():
    for opened, cause in ((20, Cause.REMOVED), (None, Cause.UNKNOWN)):
        day = Timeline(MAINS).born(0)
        if opened is not None:
            day.at(opened, row(opened, "tamper", "box", open=1))
        assert first(day.keep(60).at(200)) == cause


def test_confidence_is_a_share():
    assert weigh([]).cause == Cause.UNKNOWN
    sure = weigh([Fact("supply_lost_before"), Fact("story_supply_lost"), Fact("neighbours_fine", {})])
    assert sure.cause == Cause.MAINS_SITE
    assert 0.8 < sure.confidence <= 0.99


def fell_with_its_street(woke: int) -> Cause | None:
    """The street loses its supply at 30 s, the way out is back at 3,000 s; it measures from ``woke`` on."""
    day = Timeline(beside(Neighbours(2, 2, unsupplied=2))).born(0)
    day.keep(30, "OB", input_voltage=0.0, age_input_ms=0).at(3000)
    told = [row(at, "system", None, uptime=at, current=False) for at in range(woke, 3000, 30)]
    day.born(3000, boot="k2").at(3001, *told).keep(3100)
    return final(day)


def test_of_two_faults_the_one_that_made_most_of_the_outage_counts():
    """Mains and provider fail together; the supply is back early, or late."""
    assert fell_with_its_street(900) in {Cause.BACKHAUL_SITE, Cause.BACKHAUL_PROVIDER}
    assert fell_with_its_street(2400) == Cause.MAINS_AREA


def probes(answers: dict[range, int]) -> list[Readings]:
    return [
        row(
            at, "ping", "modem", current=False, percent_packet_loss=100.0 * (1 - up), result_code=2 * (1 - up)
        )
        for seconds, up in answers.items()
        for at in seconds
    ]


def flicker(modem: list[Readings], around: Neighbours | None = None, last_s: int = 150) -> Timeline:
    """The UPS saw nothing; the port had its link but for a moment; the modem hangs on the mains."""
    site = beside(around) if around else ROUTER_ON_UPS
    day = Timeline(site).born(0).at(5, row(5, "wan", "eth0", up=1)).keep(30, "OL").at(last_s)
    link = [row(at, "wan", "eth0", current=False, up=int(at > 40)) for at in range(35, last_s, 10)]
    line = [ups(at, "OL", current=False) for at in range(35, last_s, 30)]
    return day.born(last_s, boot="k1").at(last_s + 1, *line, *link, *modem).keep(last_s + 100)


def test_a_flicker_that_restarts_a_modem_on_the_mains_is_the_mains():
    starting = probes({range(35, 125, 10): 0, range(130, 150, 10): 1})
    assert final(flicker(starting)) == Cause.MAINS_SITE
    assert final(flicker(starting, Neighbours(2, 3, unsupplied=1, fine=1))) == Cause.MAINS_AREA


def test_a_modem_that_answers_all_the_while_or_stays_away_was_not_restarted_by_a_flicker():
    assert final(flicker(probes({range(35, 150, 10): 1}))) == Cause.BACKHAUL_PROVIDER
    long = flicker(probes({range(35, 900, 10): 0}), last_s=900)
    assert final(long) == Cause.BACKHAUL_SITE
