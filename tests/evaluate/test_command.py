"""``vigia-sim evaluate`` as somebody uses it: the last line, the pictures, the baselines, a broken file."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from simulators.__main__ import cli
from simulators.evaluate import run as runs
from simulators.scenario import load

KEYS = [
    "scenarios", "outages", "final_right", "provisional_right", "recall", "unknown_share", "missed",
    "false_alarms", "quiet_site_days", "delay_p50_s", "delay_p99_s",
]  # fmt: skip
SCENARIO = """\
[scenario]
name = "hangs & <returns>"
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
for_s = 500
kind = "device_hang"
scope = { device = "park-router" }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "scenarios"
    place.mkdir()
    (place / "park.toml").write_text(SCENARIO, encoding="utf-8")
    return place


def evaluate(*args: object) -> Result:
    return CliRunner().invoke(cli, ["evaluate", *map(str, args), "--jobs", "1"])


def test_the_last_line_is_the_figures_and_the_picture_shows_both_sides(folder: Path, tmp_path: Path) -> None:
    done = evaluate(folder, "--json", tmp_path / "out.json", "--pictures", tmp_path / "pictures")

    assert done.exit_code == 0, done.output
    line = json.loads(done.stdout.splitlines()[-1])
    assert list(line) == KEYS
    assert (line["scenarios"], line["outages"], line["missed"], line["false_alarms"]) == (1, 1, 0, 0)
    assert json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["confusion"]
    drawn = ET.parse(tmp_path / "pictures" / "park.svg")  # noqa: S314 - our own file
    words = " ".join(drawn.getroot().itertext())
    assert all(
        word in words for word in ("hangs & <returns>", "device_hang", "service: true", "said", "final:")
    )


@pytest.mark.parametrize("baseline", ["updown", "threshold"])
def test_a_baseline_is_judged_by_the_same_truth(folder: Path, baseline: str) -> None:
    line = json.loads(evaluate(folder, "--baseline", baseline).stdout.splitlines()[-1])

    # a hanging device is what both of them say of every silence
    assert (line["outages"], line["missed"], line["recall"]) == (1, 0, {"device": 1.0})


def test_a_file_that_is_no_scenario_is_told_with_its_line(folder: Path) -> None:
    (folder / "wrong.toml").write_text(SCENARIO.replace("device_hang", "device_hung"), encoding="utf-8")

    done = evaluate(folder)

    assert done.exit_code == 2
    assert "wrong.toml:15: event[1].kind: unknown kind 'device_hung'" in done.output
    assert json.loads(done.stdout.splitlines()[-1])["scenarios"] == 1


def test_a_folder_without_scenarios_says_so(tmp_path: Path) -> None:
    done = evaluate(tmp_path)

    assert (done.exit_code, done.stdout) == (2, "")


def test_a_constant_of_the_world_changes_by_a_factor(folder: Path) -> None:
    scenario = load.scenario(folder / "park.toml")

    assert runs.changed(scenario, {"boot_s": 0.5}).world.boot_s == scenario.world.boot_s / 2
    done = evaluate(folder, "--world", "boot_s=1.5")
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("given", "said"),
    [("boots=0.5", "'boots' is no constant"), ("boot_s", "not of the form"), ("boot_s=-1", "above 0")],
)
def test_a_wrong_factor_is_one_line(folder: Path, given: str, said: str) -> None:
    done = evaluate(folder, "--world", given)

    assert done.exit_code == 2
    assert said in done.output
    assert "Traceback" not in done.output
