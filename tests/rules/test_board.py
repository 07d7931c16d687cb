"""The one condition machine, its table and its hysteresis."""

from __future__ import annotations

from typing import Any

import pytest

from collector.model import Change
from collector.rules import catalogue
from collector.rules.board import TABLE, Board, Finding, Phase, Shows
from collector.rules.site import SiteFacts

YES, NO, UNKNOWN = Shows.YES, Shows.NO, Shows.UNKNOWN


def board(memory: dict[str, Any]) -> Board:
    return Board(SiteFacts("casa"), memory, 0, catalogue.resolve())


def play(*steps: tuple[int, Shows]) -> list[tuple[int, Change, int]]:
    """What is announced when evidence shows this at these seconds; raised after 10 s, cleared after 20 s."""
    memory: dict[str, Any] = {"conditions": {}}
    said = []
    for at, shows in steps:
        now = board(memory)
        now.apply(Finding("on_battery", "a/u", shows, at, raise_ms=10, clear_ms=20))
        said += [(at, transition.change, transition.at_ms) for transition in now.transitions]
    return said


def test_the_table_knows_every_phase_and_evidence():
    assert set(TABLE) == set(Phase)
    for phase, row in TABLE.items():
        held = {Shows.HELD} if phase in {Phase.RISING, Phase.FALLING} else set()
        assert set(row) == {YES, NO, UNKNOWN} | held


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([(0, YES), (9, YES)], []),
        ([(0, YES), (10, YES)], [(10, Change.RAISED, 0)]),
        ([(0, YES), (5, NO), (10, YES)], []),
        ([(0, YES), (5, UNKNOWN), (10, YES)], []),  # not shown throughout
        ([(0, YES), (10, UNKNOWN)], []),
        ([(0, YES), (10, YES), (20, NO), (39, NO)], [(10, Change.RAISED, 0)]),
        ([(0, YES), (10, YES), (20, NO), (40, NO)], [(10, Change.RAISED, 0), (40, Change.CLEARED, 20)]),
        ([(0, YES), (10, YES), (20, NO), (30, YES), (40, NO), (59, NO)], [(10, Change.RAISED, 0)]),
        ([(0, YES), (10, YES), (20, UNKNOWN), (90, UNKNOWN)], [(10, Change.RAISED, 0)]),
    ],
)
def test_both_ways(steps, expected):
    assert play(*steps) == expected


def test_what_is_clear_is_forgotten():
    memory: dict[str, Any] = {"conditions": {}}
    board(memory).apply(Finding("on_battery", "a/u", NO, 0))
    assert memory == {"conditions": {}}
    board(memory).apply(Finding("on_battery", "a/u", YES, 0))
    board(memory).apply(Finding("on_battery", "a/u", NO, 1))
    assert memory == {"conditions": {}}


def test_nothing_new_is_no_revision():
    memory: dict[str, Any] = {"conditions": {}}
    one = board(memory)
    finding = Finding("on_battery", "a/u", YES, 0)
    assert not one.revise(finding)
    assert memory == {"conditions": {}}
    one.apply(finding)
    assert not one.revise(finding)
    assert one.revise(finding, final=True)
    assert not one.revise(finding, final=True)


def test_thresholds_are_layered_and_checked():
    assert catalogue.resolve({"death_grace_ms": 1}, {"death_grace_ms": 2})["death_grace_ms"] == 2
    with pytest.raises(catalogue.UnknownThresholdError, match="did you mean 'death_grace_ms'"):
        catalogue.resolve({"death_grace": 1})
    for bad in (float("nan"), -1.0, float("inf")):
        with pytest.raises(catalogue.UnknownThresholdError):
            catalogue.resolve({"death_grace_ms": bad})
    assert all(threshold.source and threshold.unit for threshold in catalogue.THRESHOLDS)
