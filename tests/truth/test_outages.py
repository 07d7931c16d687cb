"""What is true of a scenario: every number here is derived by hand.

Machines boot in 50 s, modems in 90 s, supplies hold for 0.02 s; a UPS goes back to the line after 3 s. A
battery of 600 VA holds 84 Wh; modem (11 W), router (9 W) and the UPS itself (4 W) draw 24 W at 0.85.
"""

from __future__ import annotations

import pytest

from collector.model import Cause
from collector.rules.catalogue import CONDITIONS
from simulators.evaluate import say
from simulators.evaluate.score import Truth, What
from simulators.scenario import load
from simulators.scenario.kinds import KINDS
from simulators.truth import notices, outages
from simulators.truth.blame import RIGHT

HEAD = """\
[scenario]
name = "by hand"
start = "2026-03-02T10:00:00-06:00"
warmup_s = 600
duration_s = 20000
settle_s = 3600
[world]
usb_drops = 0
[[circuit]]
id = "one"
[[circuit]]
id = "two"
[[provider]]
id = "cable"
"""
AREA, SITE = frozenset({Cause.MAINS_AREA}), frozenset({Cause.MAINS_SITE})
EITHER = AREA | SITE
SERVICE, MAINS = What.SERVICE, What.MAINS


def site(name: str, *, circuit: str = "one", modem: str = "ups:rack", router: str = "ups:rack",
         battery: str | None = "new", pi: bool = False) -> str:  # fmt: skip
    ups = f'[[site.ups]]\nid = "rack"\nbattery = "{battery}"\n' if battery else ""
    text = f'[[site]]\nid = "{name}"\ncircuit = "{circuit}"\nprovider = "cable"\n{ups}'
    for kind, feed, uplink in (("modem", modem, "provider"), ("router", router, f"{name}-modem")):
        text += (
            f'[[site.device]]\nid = "{name}-{kind}"\nkind = "{kind}"\nfeed = "{feed}"\nuplink = "{uplink}"\n'
        )
    if pi:
        text += f'[[site.device]]\nid = "{name}-pi"\nkind = "pi"\nuplink = "{name}-router"\n'
    return text


def bare(name: str, *, pi: bool = False) -> str:
    return site(name, modem="mains:1", router="mains:1", battery=None, pi=pi)


def event(at: float, lasts: float, kind: str, scope: str, more: str = "") -> str:
    return f'[[event]]\nat_s = {at}\nfor_s = {lasts}\nkind = "{kind}"\nscope = {{ {scope} }}\n{more}\n'


def truths(text: str, name: str = "a") -> list[Truth]:
    return outages.of_scenario(load.parse(HEAD + text))[name].outages


def demanded(found: list[Truth]) -> list[tuple[What, float, float, Cause, frozenset[Cause]]]:
    return [(one.what, one.start_s, one.end_s, one.cause, one.accepted) for one in found if not one.optional]


FEEDER = 'circuit = "one"'


def test_a_feeder_with_two_premises_is_an_area() -> None:
    text = site("a") + bare("b", pi=True) + event(1000, 1800, "mains_off", FEEDER)

    assert demanded(truths(text, "a")) == [(MAINS, 1000, 2800, Cause.MAINS_AREA, AREA)]
    # the modem has to boot before anybody is heard; that the mains were gone nobody could tell meanwhile
    assert demanded(truths(text, "b")) == [(SERVICE, 1000.02, 2890, Cause.MAINS_AREA, AREA)]


def test_two_sites_of_one_building_are_one_premises() -> None:
    both = (site("a") + site("b")).replace('provider = "cable"\n', 'provider = "cable"\npremises = "house"\n')

    found = truths(both + event(1000, 1800, "mains_off", FEEDER))

    assert demanded(found) == [(MAINS, 1000, 2800, Cause.MAINS_SITE, EITHER)]


def test_a_feeder_with_one_premises_is_area_or_site_what_is_said_of_a_site_is_the_site() -> None:
    other = site("b", circuit="two")

    one = truths(site("a") + other + event(1000, 1800, "mains_off", FEEDER))
    own = truths(site("a") + other + event(1000, 1800, "mains_off", 'site = "a"'))

    assert demanded(one) == [(MAINS, 1000, 2800, Cause.MAINS_SITE, EITHER)]
    assert demanded(own) == [(MAINS, 1000, 2800, Cause.MAINS_SITE, SITE)]


def test_where_the_modem_is_not_on_the_ups_service_goes_with_the_mains_for_their_reason() -> None:
    found = truths(site("a", modem="mains:1") + event(1000, 1800, "mains_off", 'site = "a"'))

    assert demanded(found) == [(SERVICE, 1000.02, 2890, Cause.MAINS_SITE, SITE)]


def test_service_ends_when_the_battery_does() -> None:
    found = truths(site("a", battery="aged") + event(1000, 9000, "mains_off", 'site = "a"'))

    runs_s = 84 * 0.45 * 0.85 / 24 * 3600  # 4819.5 s
    mains, (_, began_s, *service) = demanded(found)
    assert [mains] == [(MAINS, 1000, 10000, Cause.MAINS_SITE, SITE)]
    assert service == [10090, Cause.MAINS_SITE, SITE]
    assert began_s == pytest.approx(1000 + runs_s, abs=1)


def test_mains_that_fail_while_the_provider_is_down_are_not_why_nobody_speaks() -> None:
    down = event(1000, 6000, "backhaul_down", 'provider = "cable"')
    text = bare("a") + bare("b") + down + event(3000, 600, "mains_off", 'site = "a"')

    found = demanded(truths(text))

    assert found == [(SERVICE, 1000, 7000, Cause.BACKHAUL_PROVIDER, frozenset({Cause.BACKHAUL_PROVIDER}))]


def test_of_two_causes_that_each_suffice_both_are_right() -> None:
    text = bare("a", pi=True) + event(1000, 3000, "modem_off", 'site = "a"')

    found = demanded(truths(text + event(1000, 3000, "mains_off", 'site = "a"')))

    both = frozenset({Cause.BACKHAUL_SITE, Cause.MAINS_SITE})
    assert found == [(SERVICE, 1000.02, 4090, Cause.BACKHAUL_SITE, both)]


def test_of_two_causes_that_need_each_other_both_are_right() -> None:
    heater = event(1000, 3000, "overload", 'site = "a"', "load_pct = 150")

    found = demanded(truths(site("a") + heater + event(2000, 600, "mains_off", 'site = "a"')))

    # on battery the overload is carried for 5 s; the mains are too short seen to be demanded
    assert found == [(SERVICE, 2005.02, 2690, Cause.DEVICE, frozenset({Cause.DEVICE, Cause.MAINS_SITE}))]


def test_planned_work_is_planned_and_when_it_overruns_its_cause_is_right_as_well() -> None:
    work = event(1000, 3600, "planned_work", FEEDER)
    built = site("a") + site("b") + work

    inside = truths(built + event(1200, 3000, "mains_off", FEEDER, "planned = true"))
    overrun = truths(built + event(1200, 6000, "mains_off", FEEDER, "planned = true"))
    accident = truths(built + event(1200, 3000, "mains_off", FEEDER))

    planned = frozenset({Cause.PLANNED})
    assert demanded(inside) == [(MAINS, 1200, 4200, Cause.PLANNED, planned)]
    assert demanded(overrun) == [(MAINS, 1200, 7200, Cause.PLANNED, planned | AREA)]
    assert demanded(accident) == [(MAINS, 1200, 4200, Cause.PLANNED, planned | AREA)]


def test_a_flicker_is_optional_but_what_it_makes_of_a_modem_is_not() -> None:
    carried = truths(site("a") + event(1000, 20, "mains_off", 'site = "a"'))
    booting = truths(bare("a", pi=True) + event(1000, 20, "mains_off", 'site = "a"'))

    assert [one.optional for one in carried] == [True]
    assert demanded(booting) == [(SERVICE, 1000.02, 1110, Cause.MAINS_SITE, SITE)]


def test_a_flapping_supply_is_one_outage_that_each_of_its_pieces_may_stand_for() -> None:
    flaps = event(1000, 600, "mains_flapping", 'site = "a"', "period_s = 120\nduty = 0.75")

    found = truths(site("a") + flaps)

    assert demanded(found) == [(MAINS, 1000, 1570, Cause.MAINS_SITE, SITE)]
    assert sum(one.optional for one in found) == 5


def test_a_pulled_plug_is_no_outage_of_the_mains() -> None:
    pulled = event(1000, 600, "ups_unplugged", 'site = "a"')

    witness, alone = truths(site("a", pi=True) + pulled), truths(site("a") + pulled)

    assert witness == []  # a Pi on the mains speaks: "supply lost" would be wrong
    assert [(one.what, one.optional) for one in alone] == [(MAINS, True)]  # nothing tells it from mains gone


def test_a_lone_device_on_the_mains_may_stay_unknown_two_that_restart_together_may_not() -> None:
    gone, again = event(1000, 600, "mains_off", 'site = "a"'), event(1000, 600, "device_reboot", 'site = "a"')

    unknown = frozenset({Cause.UNKNOWN})
    assert demanded(truths(bare("a") + gone))[0][3:] == (Cause.MAINS_SITE, SITE | unknown)
    assert demanded(truths(bare("a") + again))[0][3:] == (Cause.DEVICE, frozenset({Cause.DEVICE}) | unknown)
    assert demanded(truths(bare("a", pi=True) + gone))[0][3:] == (Cause.MAINS_SITE, SITE)


def test_what_is_taken_and_what_hangs() -> None:
    taken = truths(site("a") + event(1000, 2000, "device_removed", 'device = "a-router"'))
    hangs = truths(site("a") + event(1000, 2000, "device_hang", 'device = "a-router"'))
    one_of_two = truths(site("a", pi=True) + event(1000, 2000, "device_hang", 'device = "a-pi"'))

    assert demanded(taken) == [(SERVICE, 1000, 3050, Cause.REMOVED, frozenset({Cause.REMOVED}))]
    assert demanded(hangs) == [(SERVICE, 1000, 3000, Cause.DEVICE, frozenset({Cause.DEVICE}))]
    assert one_of_two == []


def test_the_centre_is_called_to_account_where_it_can_probe_itself() -> None:
    uplink = truths(site("a") + event(1000, 900, "centre_uplink_down", ""))
    ingest = truths(site("a") + event(1000, 900, "collector_down", ""))

    collector = frozenset({Cause.COLLECTOR})
    assert demanded(uplink) == [(SERVICE, 1000, 1900, Cause.COLLECTOR, collector)]
    assert [(one.accepted, one.optional) for one in ingest] == [(collector, True)]


def test_an_outage_that_begins_while_the_centre_is_deaf_counts_from_when_it_hears() -> None:
    deaf = event(1000, 900, "collector_down", "")

    found = truths(bare("a", pi=True) + deaf + event(1500, 3000, "mains_off", 'site = "a"'))
    hidden = truths(bare("a", pi=True) + deaf + event(1200, 300, "mains_off", 'site = "a"'))

    assert demanded(found) == [(SERVICE, 1945, 4590, Cause.MAINS_SITE, SITE)]  # 1900 and 45 s to come back
    assert demanded(hidden) == []


def test_every_condition_of_the_rules_has_its_row() -> None:
    assert set(CONDITIONS) - notices.known() - {*say.OUTAGES, say.AREA} == set()


def test_every_kind_of_event_that_notices_and_verdicts_name_exists() -> None:
    named = set(RIGHT) | {kind for kinds in notices.EVENTS.values() for kind in kinds}

    assert named <= set(KINDS)


@pytest.mark.parametrize(
    ("condition", "late_s", "right"),
    [
        ("repeated_transfers", 86_400, True),  # counted over a day, told when people work
        ("repeated_transfers", 86_401, False),
        ("undervoltage", 180, True),
        ("undervoltage", 181, False),
    ],
)
def test_how_long_after_an_event_a_notification_is_still_about_it(condition, late_s, right) -> None:
    scenario = load.parse(
        HEAD + site("a") + event(1000, 100, "mains_flapping", FEEDER, "period_s = 10\nduty = 0.5")
    )
    truth = outages.of_scenario(scenario)["a"]
    assert notices.justified(scenario, truth, condition, "a-router/rack", 1100 + late_s) == right
