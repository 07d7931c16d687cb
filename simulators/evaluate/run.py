"""Scenarios through the real rules, one process each, and what came of every one.

One run of the world serves several ways to watch it: they hear the same messages, and none hears another.
"""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from simulators.evaluate import baselines, say
from simulators.evaluate.baselines import Baseline
from simulators.evaluate.keep import Kept, code, key
from simulators.evaluate.score import Run
from simulators.scenario import load
from simulators.truth import notices, outages
from simulators.truth.spans import total, union
from simulators.virtual import run as virtual
from simulators.world import happenings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from collector.model import Observation
    from simulators.evaluate.score import Truth
    from simulators.scenario.model import Scenario

LIMIT_S: Final = 135.0  # 2.5 report intervals of 30 s, and the hold-off of 60 s
DAY_S: Final = 86_400.0
RULES: Final = "rules"
BASELINES: Final = {"updown": False, "threshold": True}  # whether with thresholds

Ways = tuple[str, ...]  # RULES or names of BASELINES
_Work = tuple[int, "Path", Ways, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one file, by each way. ``faults``: why it could not be run."""

    path: Path
    scenario: Scenario | None
    runs: dict[str, Run]
    seconds: float  # of this machine
    faults: list[str] = field(default_factory=list)


def folder(
    paths: Sequence[Path],
    jobs: int,
    ways: Ways = (RULES,),
    world: Mapping[str, float] | None = None,
    kept: Path | None = None,
) -> Iterator[Outcome]:
    """Give an outcome for each file, in their order. ``world``: constants and the factors they change by.

    ``kept``: a file of what was judged before, which is not run again, and to which everything is added.
    """
    factors, book = dict(world or {}), Kept(kept)
    of_code = code() if kept is not None else ""
    keys = [key(path, ways, factors, of_code) for path in paths]
    found = {number: one for number, name in enumerate(keys) if (one := book.get(name)) is not None}
    work: list[_Work] = [
        (number, path, ways, factors) for number, path in enumerate(paths) if number not in found
    ]
    ready = {
        number: Outcome(paths[number], load.scenario(paths[number]), *one) for number, one in found.items()
    }
    due = 0
    for number, outcome in _worked(work, jobs):
        if outcome.runs:
            book.put(keys[number], outcome.runs, outcome.seconds)
        ready[number] = outcome
        while due in ready:
            yield ready.pop(due)
            due += 1
    yield from (ready[number] for number in sorted(ready))


def _worked(work: list[_Work], jobs: int) -> Iterator[tuple[int, Outcome]]:
    """Give outcomes as they come."""
    if jobs == 1 or len(work) < 2:  # noqa: PLR2004 - nothing to share
        yield from map(_one, work)
        return
    # spawned, not forked: a child that begins empty has no locks or engines of its parent
    with multiprocessing.get_context("spawn").Pool(min(jobs, len(work)), maxtasksperchild=8) as pool:
        yield from pool.imap_unordered(_one, work)


def _one(work: _Work) -> tuple[int, Outcome]:
    number, path, ways, world = work
    begun = time.monotonic()
    try:
        scenario = changed(load.scenario(path), world)
    except load.ScenarioError as error:
        return number, Outcome(path, None, {}, 0.0, error.faults)
    return number, Outcome(path, scenario, played(scenario, ways), time.monotonic() - begun)


def changed(scenario: Scenario, factors: Mapping[str, float]) -> Scenario:
    """Return a scenario whose ``[world]`` constants are multiplied by these factors."""
    there = scenario.world
    values = {name: getattr(there, name) * factor for name, factor in factors.items()}
    return scenario.model_copy(update={"world": there.model_copy(update=values)})


class _All:
    """Everybody who listens."""

    def __init__(self, listeners: Sequence[Baseline]) -> None:
        self._listeners = listeners

    def heard(self, site: str, observations: Sequence[Observation], now_ms: int) -> None:
        """Pass on what came of a site."""
        for one in self._listeners:
            one.heard(site, observations, now_ms)

    def tick(self, sites: Sequence[str], now_ms: int) -> None:
        """Pass on that time passes."""
        for one in self._listeners:
            one.tick(sites, now_ms)


def played(scenario: Scenario, ways: Ways = (RULES,)) -> dict[str, Run]:
    """Return what was true of a scenario and what was said of it, by each way."""
    truths = outages.of_scenario(scenario)
    every = tuple(one for found in truths.values() for one in found.outages)
    quiet = _quiet_site_days(scenario, every)
    name = scenario.scenario.name
    others = {way: Baseline(scenario, thresholds=BASELINES[way]) for way in ways if way != RULES}
    record = virtual.run(scenario, listener=_All([*others.values()]) if others else None)
    zero_ms = happenings.start_ms(scenario) + round(scenario.scenario.warmup_s * 1000)

    def justified(site: str, condition: str, subject: str, at_s: float) -> bool:
        return notices.justified(scenario, truths[site], condition, subject, at_s)

    def run_of(way: str) -> Run:
        if way == RULES:
            return Run(name, every, say.sayings(record), say.told(scenario, truths, record), quiet)
        other = others[way]
        return Run(name, every, other.sayings(zero_ms), baselines.notices(other, zero_ms, justified), quiet)

    return {way: run_of(way) for way in ways}


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
