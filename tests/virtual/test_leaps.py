"""What virtual time leaves out changes no verdict, and chance is the file's seed."""

from __future__ import annotations

import math

import pytest

from simulators.evaluate.say import OUTAGES, sayings
from simulators.scenario import load
from simulators.scenario.model import Scenario
from simulators.virtual import run
from simulators.virtual.record import Record

BUILT = """\
[scenario]
name = "leaps"
seed = 5
start = "2026-03-02T10:00:00-06:00"
warmup_s = 600
duration_s = 1500
settle_s = 900
[[provider]]
id = "cable"
[[site]]
id = "carried"
provider = "cable"
[[site.ups]]
id = "rack"
battery = "dead"
[[site.device]]
id = "carried-modem"
kind = "modem"
feed = "ups:rack"
[[site.device]]
id = "carried-router"
kind = "router"
feed = "ups:rack"
uplink = "carried-modem"
[[site]]
id = "bare"
provider = "cable"
[[site.device]]
id = "bare-router"
kind = "router"
[[site.device]]
id = "bare-pi"
kind = "pi"
uplink = "bare-router"
"""
EVENT = '[[event]]\nat_s = {}\nfor_s = {}\nkind = "{}"\nscope = {{ {} }}\n'
STORIES = {
    "mains fail, the battery is spent": [(300, 900, "mains_off", 'site = "carried"')],
    "a plain device loses its mains": [(300, 600, "mains_off", 'site = "bare"')],
    "the provider is down": [(300, 700, "backhaul_down", 'provider = "cable"')],
    "one of two hangs, a UPS tests itself": [
        (300, 600, "device_hang", 'device = "bare-pi"'),
        (330, 12, "ups_self_test", 'site = "carried"'),
    ],
    "the centre's own uplink is lost": [(300, 600, "centre_uplink_down", "")],
    "the ingest stands still while a device restarts": [
        (300, 300, "collector_down", ""),
        (400, 120, "device_reboot", 'device = "carried-router"'),
    ],
}
# hours of it, most of which is left out; of the site they are about alone, or they would take minutes
LONG = {
    "the line is dead for two hours": [(300, 7_200, "backhaul_down", 'provider = "cable"')],
    "an hour on battery that is heard, then a dark one": [(300, 9_000, "mains_off", 'site = "carried"')],
    "a device hangs for two hours while the other speaks": [
        (300, 7_200, "device_hang", 'device = "bare-pi"')
    ],
}
NEAR_S = 31.0  # the last frame before a silence: an interval of 30 s, at another second of it
BACK_S = 76.0  # who has no link tries again after up to 60 s, by chance, and waits 15 s for an answer


def scenario(story: str) -> Scenario:
    return load.parse(BUILT + "".join(EVENT.format(*event) for event in STORIES[story]))


def long_scenario(story: str) -> Scenario:
    """A long story at the one site that it is about; the carried one has a battery that lasts an hour."""
    events = LONG[story]
    head, carried, bare = BUILT.replace("duration_s = 1500", "duration_s = 9600").split("[[site]]\n")
    place = bare if "bare" in events[0][3] else carried.replace('"dead"', '"aged"')
    built = f"{head}[world]\nusb_drops = 0\n[[site]]\n{place}"
    return load.parse(built + "".join(EVENT.format(*event) for event in events))


def verdicts(record: Record) -> list[tuple[object, ...]]:
    """What is judged: which outages, their verdicts after 30 s and at the end, and who else was told what.

    Which of two devices is missed some seconds before the other hangs on the second at which it last spoke.
    """
    outages = [
        (one.site, one.what.value, one.provisional(), one.final(), one.notified) for one in sayings(record)
    ]
    others = [
        (one.site, one.condition, one.subject, len(one.notified_s))
        for one in record.incidents
        if one.condition not in OUTAGES and one.notified_s
    ]
    return sorted([*outages, *others], key=str)


def times(record: Record) -> list[tuple[float, float]]:
    """When outages began and ended, by the rules."""
    return [(one.started_s, one.ended_s or math.inf) for one in sayings(record)]


@pytest.mark.parametrize("story", STORIES)
def test_leaps_change_no_verdict(story: str) -> None:
    whole, leaping = run.run(scenario(story), leaps=False), run.run(scenario(story))

    assert leaping.frames < whole.frames, "nothing was left out: the test shows nothing"
    assert verdicts(leaping) == verdicts(whole)
    for found, expected in zip(times(leaping), times(whole), strict=True):
        assert found[0] == pytest.approx(expected[0], abs=NEAR_S)
        assert found[1] == pytest.approx(expected[1], abs=BACK_S)


@pytest.mark.parametrize(
    "story",
    [
        story if number == 0 else pytest.param(story, marks=pytest.mark.long)
        for number, story in enumerate(LONG)
    ],
)
def test_hours_of_an_outage_are_left_out_and_change_no_verdict(story: str) -> None:
    whole, leaping = run.run(long_scenario(story), leaps=False), run.run(long_scenario(story))

    assert leaping.frames < whole.frames / 4
    assert verdicts(whole), "nothing was said: the test shows nothing"
    assert verdicts(leaping) == verdicts(whole)
    for found, expected in zip(times(leaping), times(whole), strict=True):
        assert found[0] == pytest.approx(expected[0], abs=NEAR_S)
        assert found[1] == pytest.approx(expected[1], abs=BACK_S)


def test_the_same_file_gives_the_same_record() -> None:
    story = scenario("mains fail, the battery is spent")

    assert run.run(story) == run.run(story)
