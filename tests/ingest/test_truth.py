"""Clock resolution against a simulated truth (``truth``): many short lives, and faults that have to show."""

from __future__ import annotations

import dataclasses

import pytest

from collector.ingest import clock, order, resolve
from tests.ingest.truth import Examples

EXAMPLES = 400
TO_FIND = 1_500  # examples within which each fault has to show


@pytest.mark.parametrize("seed", ["one", "two"])
def test_the_store_can_be_relied_on(seed):
    examples = Examples()
    steps = examples.search(seed, EXAMPLES // 2)
    assert steps is None, (steps, examples.play(steps or []))


# --- what the properties have to find -----------------------------------------------------------------


def a_fault_always_uses_the_arrival(monkeypatch):
    right = clock.distrust
    monkeypatch.setattr(clock, "distrust", lambda frame, row, **_: right(frame, row, live=True, next_ms=None))


def a_correction_always_uses_the_arrival(monkeypatch):
    right = clock.correct
    monkeypatch.setattr(clock, "correct", lambda frame, row, **_: right(frame, row, live=True, next_ms=None))


def a_birth_is_judged_again(monkeypatch):
    monkeypatch.setattr(clock, "judged", lambda _frame, _row: None)


def incarnations_are_ordered_by_first_sight(monkeypatch):
    seen = iter(range(1 << 20, 1 << 30))
    monkeypatch.setattr(order, "first_order", lambda _session, _frame: next(seen))


def successors_are_not_asked(monkeypatch):
    monkeypatch.setattr(resolve, "_next_boot", lambda _session, _row: None)


def anchors_are_learned_again(monkeypatch):
    right = resolve._anchor

    def again(session, numbered):
        for _, _, row in numbered:
            row.anchor_ms = None
        right(session, numbered)

    monkeypatch.setattr(resolve, "_anchor", again)


def times_are_clamped_to_the_arrival(monkeypatch):
    right = clock.resolve

    def clamped(frame, row):
        found = right(frame, row)
        return dataclasses.replace(found, time_ms=min(found.time_ms, frame.arrival_ms), future=False)

    monkeypatch.setattr(clock, "resolve", clamped)


def history_is_told_as_live(monkeypatch):
    right = resolve._rows
    monkeypatch.setattr(resolve, "_rows", lambda device, part, **_: right(device, part, current=True))


def clocks_are_believed(monkeypatch):
    monkeypatch.setattr(clock, "find_fault", lambda *_, **__: None)


FAULTS = (
    a_fault_always_uses_the_arrival,
    a_correction_always_uses_the_arrival,
    a_birth_is_judged_again,
    incarnations_are_ordered_by_first_sight,
    successors_are_not_asked,
    anchors_are_learned_again,
    times_are_clamped_to_the_arrival,
    history_is_told_as_live,
    clocks_are_believed,
)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_ours_would_show(fault, monkeypatch):
    fault(monkeypatch)
    examples = Examples()
    assert any(examples.play(steps) for steps in examples.some("a", TO_FIND))
