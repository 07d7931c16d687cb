"""Scenarios through the real rules, one process each, and what came of every one."""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from simulators.evaluate import baselines, say
from simulators.evaluate.baselines import Baseline
from simulators.evaluate.score import Run
from simulators.scenario import load
from simulators.truth import notices, outages
from simulators.truth.spans import total, union
from simulators.virtual import run as virtual
from simulators.world import happenings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from simulators.evaluate.score import Truth
    from simulators.scenario.model import Scenario

LIMIT_S: Final = 135.0  # 2.5 report intervals of 30 s, and the hold-off of 60 s
DAY_S: Final = 86_400.0
BASELINES: Final = {"updown": False, "threshold": True}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one file. ``seconds``: of this machine; ``faults``: why it could not be run."""

    path: Path
    scenario: Scenario | None
    run: Run | None
    seconds: float
    faults: list[str] = field(default_factory=list)


def folder(
    paths: Sequence[Path], jobs: int, baseline: str | None, world: Mapping[str, float] | None = None
) -> Iterator[Outcome]:
    """Give an outcome for each file, in their order. ``world``: constants and the factors they change by."""
    work = [(path, baseline, dict(world or {})) for path in paths]
    if jobs == 1 or len(paths) == 1:
        yield from map(_one, work)
        return
    # spawned, not forked: a child that begins empty has no locks or engines of its parent
    with multiprocessing.get_context("spawn").Pool(min(jobs, len(paths)), maxtasksperchild=8) as pool:
        yield from pool.imap(_one, work)


def _one(work: tuple[Path, str | None, dict[str, float]]) -> Outcome:
    path, baseline, world = work
    begun = time.monotonic()
    try:
        scenario = changed(load.scenario(path), world)
    except load.ScenarioError as error:
        return Outcome(path, None, None, 0.0, error.faults)
    return Outcome(path, scenario, played(scenario, baseline), time.monotonic() - begun)


def changed(scenario: Scenario, factors: Mapping[str, float]) -> Scenario:
    """Return a scenario whose ``[world]`` constants are multiplied by these factors."""
    there = scenario.world
    values = {name: getattr(there, name) * factor for name, factor in factors.items()}
    return scenario.model_copy(update={"world": there.model_copy(update=values)})


def played(scenario: Scenario, baseline: str | None = None) -> Run:
    """Return what was true of a scenario and what was said: by the rules, or by a baseline."""
    truths = outages.of_scenario(scenario)
    every = tuple(one for found in truths.values() for one in found.outages)
    quiet = _quiet_site_days(scenario, every)
    name = scenario.scenario.name
    if baseline is None:
        record = virtual.run(scenario)
        return Run(name, every, say.sayings(record), say.told(scenario, truths, record), quiet)
    other = Baseline(scenario, thresholds=BASELINES[baseline])
    virtual.run(scenario, listener=other)
    zero_ms = happenings.start_ms(scenario) + round(scenario.scenario.warmup_s * 1000)

    def justified(site: str, condition: str, subject: str, at_s: float) -> bool:
        return notices.justified(scenario, truths[site], condition, subject, at_s)

    return Run(name, every, other.sayings(zero_ms), baselines.notices(other, zero_ms, justified), quiet)


def _quiet_site_days(scenario: Scenario, truths: Sequence[Truth]) -> float:
    """Return how many days sites were without any outage, in the scored time."""
    scored_s = scenario.scenario.duration_s
    busy_ms = 0
    for site in scenario.site:
        spans = [
            (round(max(0.0, one.start_s) * 1000), round(min(scored_s, one.end_s) * 1000))
            for one in truths
            if one.site == site.id
        ]
        busy_ms += total(union(spans))
    return (scored_s * len(scenario.site) - busy_ms / 1000.0) / DAY_S
