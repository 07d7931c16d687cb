"""The scenarios that come along: each is right, says what to see, and together they show everything."""

from __future__ import annotations

from pathlib import Path

import pytest

import simulators
from simulators.scenario import load
from simulators.scenario.kinds import KINDS
from simulators.truth import outages

SHIPPED = sorted((Path(simulators.__file__).parent / "scenarios").glob("*.toml"))


def test_every_kind_of_event_is_shown() -> None:
    shown = {event.kind for path in SHIPPED for event in load.scenario(path).event}

    assert set(KINDS) - shown == set()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_scenario_says_what_a_reader_should_see(path: Path) -> None:
    scenario = load.scenario(path)

    comment = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    assert any("To see:" in line for line in comment)
    assert scenario.scenario.duration_s <= 3 * 3600
    for found in outages.of_scenario(scenario).values():  # a truth that nothing explains would be our fault
        assert all(one.accepted and one.start_s < one.end_s for one in found.outages)


def test_nothing_is_demanded_of_the_quiet_one() -> None:
    quiet = next(path for path in SHIPPED if path.stem == "quiet")

    found = outages.of_scenario(load.scenario(quiet))

    assert [one for truth in found.values() for one in truth.outages if not one.optional] == []
