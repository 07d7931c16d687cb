"""What somebody who writes a scenario is told, and that a right one is read as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulators.scenario import checks, load
from simulators.scenario.kinds import KINDS, Scope

GOOD = """\
[scenario]
name = "two premises"
seed = 7
start = "2026-03-02T06:00:00-06:00"
warmup_s = 600
duration_s = 7200

[known]
circuit = true

[world]
noise = 0.5

[[circuit]]
id = "feeder-1"

[[provider]]
id = "cable"

[[site]]
id = "library"
lat = 19.36
lon = -99.19
circuit = "feeder-1"
provider = "cable"
service = "2f3h"
[[site.ups]]
id = "rack"
leg = 2
[[site.device]]
id = "library-modem"
kind = "modem"
feed = "mains:1"
[[site.device]]
id = "library-router"
kind = "router"
feed = "ups:rack"
uplink = "library-modem"
[[site.device]]
id = "library-ap"
kind = "ap"
feed = "poe:library-router"
uplink = "library-router"
[[site.meter]]
leg = 1
place = "outdoor"

[[site]]
id = "market"
lat = 19.37
lon = -99.20
[[site.device]]
id = "market-router"
kind = "router"

[[event]]
at_s = 60
for_s = 900
kind = "mains_off"
scope = { circuit = "feeder-1" }

[[event]]
at_s = 1000
kind = "sag"
pu = 0.8
scope = { lat = 19.36, lon = -99.19, radius_m = 50 }

[[event]]
at_s = 2000
for_s = 10
kind = "broker_down"
scope = {}
"""

# name: (what is replaced, by what, what is said of its last line). Each is wrong in exactly this way.
WRONG = {
    "a key nobody knows": ("seed = 7", "sed = 7", "unknown key; did you mean 'seed'?"),
    "a kind nobody knows": ('kind = "sag"', 'kind = "sagg"', "unknown kind 'sagg'; did you mean 'sag'?"),
    "a parameter of another kind": ("pu = 0.8", "ohm = 0.8", "unknown parameter of sag 'ohm'"),
    "a parameter out of range": ("pu = 0.8", "pu = 1.8", "pu has to be from 0.01 to 1"),
    "a parameter that is no number": ("pu = 0.8", 'pu = "low"', "has to be a number"),
    "a circuit nobody named": (
        'scope = { circuit = "feeder-1" }', 'scope = { circuit = "feeder-2" }',
        "unknown circuit 'feeder-2'; did you mean 'feeder-1'?",
    ),
    "a scope of two things": (
        'scope = { circuit = "feeder-1" }', 'scope = { circuit = "feeder-1", site = "market" }',
        "has to name one of circuit, provider, site, device, or lat, lon and radius_m",
    ),
    "half a circle": (
        ", radius_m = 50", "", "has to name one of circuit, provider, site, device, or lat, lon and radius_m",
    ),
    "a scope the kind does not take": (
        "scope = {}", 'scope = { site = "market" }', "broker_down takes as scope: centre",
    ),
    "a UPS that is not there": ('"ups:rack"', '"ups:rak"', "unknown ups 'rak'; did you mean 'rack'?"),
    "a device that feeds itself": (
        '"poe:library-router"', '"poe:library-ap"', "library-ap would feed itself",
    ),
    "a leg that the service lacks": ("leg = 2", "leg = 3", "service 2f3h has 2 legs, no leg 3"),
    "a device twice": (
        '"market-router"', '"library-router"', "device 'library-router' is there already",
    ),
    "a site twice": ('id = "market"', 'id = "library"', "site 'library' is there already"),
    "an event after the end": ("at_s = 2000", "at_s = 7200", "has to be from -600 to below 7200"),
    "an event that lasts no time": ("for_s = 10\n", "for_s = 0\n", "Input should be greater than 0"),
    "a start without zone": ("06:00:00-06:00", "06:00:00", "has to name its zone"),
    "a provider nobody named": (
        'provider = "cable"', 'provider = "fibre"', "unknown provider 'fibre'",
    ),
    "a truth value that is none": ("circuit = true", "circuit = 1", "has to be true or false"),
    "a name that is no device's": (
        '"market-router"', '"Market Router"', "has to be a device name",
    ),
    "a missing length": ("duration_s = 7200\n", "", "is missing"),
    "an agent on a modem": (
        'kind = "modem"\n', 'kind = "modem"\nagent = true\n', "a modem is the provider's",
    ),
}  # fmt: skip


def test_a_right_file_is_read_as_it_stands() -> None:
    scenario = load.parse(GOOD)

    library, market = scenario.site
    assert [device.has_agent for device in library.device] == [False, True, False]
    assert (library.building, market.building) == ("library", "market")
    assert scenario.known.circuit
    assert scenario.world.noise == 0.5
    assert scenario.scenario.settle_s == 3600
    assert scenario.scenario.start.utcoffset() is not None
    assert [checks.scope_of(event.scope) for event in scenario.event] == [
        Scope.CIRCUIT, Scope.CIRCLE, Scope.CENTRE,
    ]  # fmt: skip
    assert [checks.interval(event, scenario) for event in scenario.event] == [
        (60, 960), (1000, 7200), (2000, 2010),
    ]  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_refused_with_its_line(name: str) -> None:
    old, new, said = WRONG[name]
    before, _, after = GOOD.partition(old)
    text = before + new + after
    line = (before + new.rstrip()).count("\n") + 1 if said != "is missing" else 1  # missed in its table

    with pytest.raises(load.ScenarioError) as refused:
        load.parse(text, "s.toml")

    first = refused.value.faults[0]
    assert first.startswith(f"s.toml:{line}: "), first
    assert said in first


def test_every_fault_is_told_at_once() -> None:
    text = GOOD.replace("pu = 0.8", "pu = 9").replace("scope = {}", 'scope = { site = "x" }')

    with pytest.raises(load.ScenarioError) as refused:
        load.parse(text)

    assert len(refused.value.faults) == 3  # the factor; the site, and that the kind takes no site


def test_the_same_kind_twice_at_the_same_place_is_refused_one_after_the_other_is_not() -> None:
    event = '[[event]]\nat_s = {}\nfor_s = 10\nkind = "mains_off"\nscope = {{ circuit = "feeder-1" }}\n'
    load.parse(GOOD + event.format(960))

    with pytest.raises(load.ScenarioError) as refused:
        load.parse(GOOD + event.format(959))
    assert refused.value.faults == ["scenario:73: event[4]: overlaps another mains_off on the same scope"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[scenario",
        "[scenario]\nname = 1\n[scenario]\n",
        "a = [" * 2000,
        "x = 1\n",
        '[[scenario]]\nname = "x"',
    ],
)
def test_what_is_no_scenario_gets_a_line_and_no_crash(text: str) -> None:
    with pytest.raises(load.ScenarioError) as refused:
        load.parse(text)
    assert all("\n" not in fault for fault in refused.value.faults)


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(load.ScenarioError, match="cannot be read"):
        load.scenario(tmp_path / "absent.toml")
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe1"')
    with pytest.raises(load.ScenarioError, match="not UTF-8"):
        load.scenario(tmp_path / "latin.toml")


def test_the_page_lists_the_kinds_as_they_are() -> None:
    page = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text(encoding="utf-8")
    page = page.split("\n## Events\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    table = dict.fromkeys(rows)

    assert list(KINDS) == [row for row in rows if row in KINDS]
    assert set(KINDS) <= set(table)
    for name, kind in KINDS.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
        assert row.endswith(f"| {kind.meaning} |")
        for parameter, limits in kind.parameters.items():
            default = "required" if limits.default is None else f"{limits.default:g}"
            assert f"`{parameter}` = {default}" in row or f"`{parameter}` required" in row, row
        assert ("to the end" if kind.lasts_s is None else f"{kind.lasts_s:g} s") in row
