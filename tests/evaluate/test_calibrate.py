"""The calibration: what fits is found again, and the program draws and prints what it measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random
from xml.etree import ElementTree as ET

from collector.rules import verdict
from simulators.evaluate import calibrate

FACTS = [
    code
    for code in verdict.CLUES
    if code not in {"no_input", "planned_window", "centre_broker_down", "centre_uplink_down"}
]


def drawn(temperature: float, count: int = 600) -> list[calibrate.Row]:
    """Draw verdicts of a world in which shares at this temperature are the truth."""
    rng, rows = Random(7), []  # noqa: S311 - chance that can be repeated
    for _ in range(count):
        row = {"facts": rng.sample(FACTS, 2), "what": "service"}
        found = calibrate.shares(row, temperature)
        true = rng.choices(list(found), list(found.values()))[0]
        said = max(found, key=found.__getitem__)
        rows.append(row | {"said": said.value, "right": [true.value]})
    return rows


def test_the_temperature_of_a_drawn_world_is_found_again() -> None:
    rows = drawn(2.0)

    assert abs(calibrate.fit(rows) - 2.0) <= 0.3
    assert calibrate.expected_error(calibrate.judged(rows, 2.0)) < 0.05
    assert calibrate.brier(calibrate.judged(rows, 2.0)) < calibrate.brier(calibrate.judged(rows, 0.5))


def test_the_bins_hold_every_verdict_once() -> None:
    pairs = [(0.05, False), (0.95, True), (0.99, True), (1.0, False)]

    assert [(one.size, round(one.right, 2)) for one in calibrate.binned(pairs)] == [(1, 0.0), (3, 0.67)]


def test_the_program_prints_and_draws(tmp_path: Path) -> None:
    file, picture = tmp_path / "tuned.json", tmp_path / "reliability.svg"
    file.write_text(json.dumps({"verdicts": drawn(1.2, 50)}), encoding="utf-8")

    command = [sys.executable, "-m", "simulators.evaluate.calibrate", str(file), "--svg", str(picture)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)

    assert "50 verdicts" in done.stdout
    assert "temperature:" in done.stdout
    assert "tuned: 50 verdicts" in " ".join(ET.parse(picture).getroot().itertext())  # noqa: S314 - our own file
