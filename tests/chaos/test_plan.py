from __future__ import annotations

import pytest

from simulators.chaos.__main__ import account, not_hit
from simulators.chaos.plan import EVERY, FAULT_S, WINDOWS, Fault, plan
from simulators.chaos.run import Result


@pytest.mark.parametrize("seed", range(20))
def test_the_first_runs_have_every_fault_and_every_window(seed):
    plans = [plan(number, seed) for number in range(EVERY)]
    assert set(Fault) == {fault for one in plans for fault in one.faults()}
    assert set(WINDOWS) == {window.split(":")[0] for one in plans for window in one.windows}


def test_a_plan_is_fixed_by_seed_and_number():
    assert plan(7, 1) == plan(7, 1)
    assert plan(7, 1) != plan(7, 2)
    assert plan(7, 1) != plan(12, 1)


def test_clocks_are_wrong_in_a_third_of_the_runs():
    assert sum(plan(number, 3).clock is not None for number in range(30)) == 10


@pytest.mark.parametrize("number", range(30))
def test_every_strike_falls_within_the_run(number):
    for strike in plan(number, 4).strikes:
        assert 0 < strike.at_s < FAULT_S


def test_what_no_run_hit_is_named():
    every = [fault.value for fault in Fault] + list(WINDOWS)
    assert not_hit([Result(0, hit=every[:9]), Result(1, hit=every[9:])]) == []
    assert not_hit([Result(0, hit=every[1:])]) == [every[0]]
    assert not_hit([Result(0, hit=every[:-1])]) == [every[-1]]


def test_the_account_adds_up():
    counts = {"sealed": 3, "stored": 2, "refused": 1, "dropped": 0, "power_lost": 0, "lost": 0, "doubled": 0}
    hit = ["after_commit", "after_commit", "kill_agent"]
    said = account([Result(0, counts=counts, hit=hit), Result(1, counts=counts, hit=hit)])
    assert list(said) == ["runs", *counts, "windows_hit"]
    assert (said["runs"], said["sealed"], said["refused"]) == (2, 6, 2)
    assert said["windows_hit"] == dict.fromkeys(WINDOWS, 0) | {"after_commit": 4}
