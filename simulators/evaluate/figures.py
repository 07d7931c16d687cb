"""The table of figures: ``python -m simulators.evaluate.figures FOLDER [--world NAME ...] [--baselines]``.

The rules on a folder of scenarios, the two other ways to watch on the same, and the rules in a world whose
constants are half and one and a half of what they are. Rows of Markdown, for ``docs/verdicts.md``.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from simulators.evaluate import command
from simulators.evaluate import run as runs
from simulators.evaluate.command import How
from simulators.evaluate.score import final_right, provisional_right, wilson

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulators.evaluate.score import Pair, Score

HEAD: Final = (
    "| | Outages | Final right | Provisional right | Missed or late | False alarms | Quiet site-days |\n"
    "|---|---|---|---|---|---|---|"
)
FACTORS: Final = (0.5, 1.5)


def row(name: str, score: Score) -> str:
    """Return one row; shares with their 95 % interval."""
    pairs = score.pairs
    missed = sum(not score.detected(pair) for pair in pairs)
    final, provisional = _count(pairs, final=True), _count(pairs, final=False)
    return (
        f"| {name} | {len(pairs)} | {share(final, len(pairs))} | {share(provisional, len(pairs))} "
        f"| {missed} | {len(score.false_alarms)} | {score.quiet_site_days:.0f} |"
    )


def _count(pairs: list[Pair], *, final: bool) -> int:
    return sum(map(final_right if final else provisional_right, pairs))


def share(count: int, of: int) -> str:
    """Return a share and its interval as a cell."""
    if not of:
        return "-"
    low, high = wilson(count, of)
    return f"{100 * count / of:.1f} % ({100 * low:.0f} to {100 * high:.0f})"


def rows(folder: Path, how: How, worlds: list[str], *, baselines: bool) -> Iterator[str]:
    """Give the rows."""
    ways = (runs.RULES, *runs.BASELINES) if baselines else (runs.RULES,)
    for way, score in scored(folder, replace(how, ways=ways)).items():
        yield row("the rules" if way == runs.RULES else f"`{way}`", score)
    for name in worlds:
        for factor in FACTORS:
            world = scored(folder, replace(how, world={name: factor}))
            yield row(f"`{name}` times {factor}", world[runs.RULES])


def scored(folder: Path, how: How) -> dict[str, Score]:
    """Return the scores of a folder by each way; what is no scenario is told."""
    scores, faults = command.run_all(folder, how)
    for fault in faults:
        click.echo(fault, err=True)
    return scores


def main() -> None:
    """Evaluate and print."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("folder", type=Path)
    ask.add_argument("--world", nargs="*", default=[], help="constants to change by half")
    ask.add_argument("--baselines", action="store_true")
    ask.add_argument("--jobs", type=int, default=1)
    ask.add_argument("--kept", type=Path, help="go on where it was broken off")
    given = ask.parse_args()
    command.factors(f"{name}=1" for name in given.world)
    click.echo(HEAD)
    how = How(given.jobs, kept=given.kept)
    for line in rows(given.folder, how, given.world, baselines=given.baselines):
        click.echo(line)


if __name__ == "__main__":
    main()
