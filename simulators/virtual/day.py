"""How long a simulated day of many facilities takes on this machine: ``python -m simulators.virtual.day``.

A drawn town with its nuisances and a few incidents, through agent, reception and rules. CPU seconds of this
one process count; the wall is what somebody waits.
"""

from __future__ import annotations

import argparse
import time
from random import Random
from typing import TYPE_CHECKING

import click

from simulators.generate import habits, town
from simulators.generate.draft import Draft
from simulators.scenario import load
from simulators.virtual import run

if TYPE_CHECKING:
    from simulators.scenario.model import Scenario


def day(sites: int, incidents: int, seed: int) -> Scenario:
    """Draw a day."""
    head = {
        "name": f"a day of {sites}",
        "seed": seed,
        "start": "2026-03-02T00:00:00-06:00",
        "warmup_s": 900,
        "duration_s": 86_400,
        "settle_s": 0,
    }
    draft = Draft(Random(seed), head, {"circuit": False})  # noqa: S311 - chance that can be repeated
    town.settle(draft, sites)
    for _ in range(incidents):
        habits.incident(draft, draft.rng.uniform(habits.LEAD_S, 80_000))
    habits.nuisances(draft, 0.2)
    return load.parse(draft.text())


def main() -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--sites", type=int, default=90)
    ask.add_argument("--incidents", type=int, default=6)
    ask.add_argument("--seed", type=int, default=1)
    given = ask.parse_args()
    scenario = day(given.sites, given.incidents, given.seed)
    wall, cpu = time.perf_counter(), time.process_time()
    record = run.run(scenario)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    click.echo(
        f"{given.sites} facilities, {len(scenario.event)} events, {record.frames} frames, "
        f"{len(record.incidents)} incidents: {cpu:.1f} s of CPU, {wall:.1f} s in all"
    )


if __name__ == "__main__":
    main()
