"""A long evaluation: by several processes the same as by one, and broken off the same as whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulators.__main__ import cli
from simulators.evaluate import keep
from simulators.evaluate import run as runs
from simulators.evaluate.score import Run
from simulators.scenario import load
from simulators.scenario.model import Scenario

SCENARIO = """\
[scenario]
name = "{name}"
start = "2026-03-02T10:00:00-06:00"
warmup_s = 300
duration_s = 900
settle_s = 300
[[site]]
id = "park"
[[site.device]]
id = "park-router"
kind = "router"
[[event]]
at_s = 100
for_s = {for_s}
kind = "device_hang"
scope = {{ device = "park-router" }}
"""
NAMES = ("a-long", "b-short", "c-long")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "scenarios"
    place.mkdir()
    for name in NAMES:
        text = SCENARIO.format(name=name, for_s=500 if "long" in name else 90)
        (place / f"{name}.toml").write_text(text, encoding="utf-8")
    return place


def evaluated(folder: Path, out: Path, *args: object) -> str:
    done = CliRunner().invoke(cli, ["evaluate", str(folder), "--json", str(out), *map(str, args)])
    assert done.exit_code == 0, done.output
    return out.read_text(encoding="utf-8")


def test_processes_and_a_break_change_nothing(folder: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    whole = evaluated(folder, tmp_path / "one.json", "--jobs", 1, "--kept", kept)

    # as if it had been killed while it wrote the second outcome; its third never came
    lines = kept.read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(NAMES)
    kept.write_text(lines[0] + "\n" + lines[1][:200], encoding="utf-8")

    assert evaluated(folder, tmp_path / "two.json", "--jobs", 2, "--kept", kept) == whole
    outages = json.loads(whole)["outages"]
    assert [row["scenario"] for row in outages] == [*NAMES]
    assert {"site", "true", "right", "final", "provisional", "detected"} <= outages[0].keys()


def test_what_was_judged_is_not_run_again_but_by_other_code_or_in_another_way(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, paths = tmp_path / "kept", sorted(folder.glob("*.toml"))[:1]
    (first,) = runs.folder(paths, 1, kept=kept)
    ran: list[runs.Ways] = []
    played = runs.played

    def noted(scenario: Scenario, ways: runs.Ways) -> dict[str, Run]:
        ran.append(ways)
        return played(scenario, ways)

    monkeypatch.setattr(runs, "played", noted)
    (again,) = runs.folder(paths, 1, kept=kept)
    assert (again.runs, ran) == (first.runs, [])

    [*runs.folder(paths, 1, ("updown",), kept=kept)]
    [*runs.folder(paths, 1, world={"boot_s": 0.5}, kept=kept)]
    assert ran == [("updown",), ("rules",)]
    monkeypatch.setattr(runs, "code", lambda: "another release")
    [*runs.folder(paths, 1, kept=kept)]
    assert len(ran) == 3


def test_the_rules_and_the_baselines_hear_one_run_of_the_world(folder: Path) -> None:
    scenario = load.scenario(folder / "a-long.toml")

    beside = runs.played(scenario, (runs.RULES, *runs.BASELINES))

    assert beside == {way: runs.played(scenario, (way,))[way] for way in beside}
    assert keep.restored(json.loads(json.dumps(keep.dumped(beside["rules"])))) == beside["rules"]
