"""The table of figures: ``python -m simulators.evaluate.figures FOLDER [--world NAME ...] [--baselines]``.

The rules on a folder of scenarios, the two other ways to watch on the same, and the rules in a world whose
constants are half and one and a half of what they are. Rows of Markdown, for ``docs/verdicts.md``.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from simulators.evaluate import command
from simulators.evaluate.score import final_right, provisional_right, wilson

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
        f"| {name} | {len(pairs)} | {_share(final, len(pairs))} | {_share(provisional, len(pairs))} "
        f"| {missed} | {len(score.false_alarms)} | {score.quiet_site_days:.0f} |"
    )


def _count(pairs: list[Pair], *, final: bool) -> int:
    return sum(map(final_right if final else provisional_right, pairs))


def _share(count: int, of: int) -> str:
    if not of:
        return "-"
    low, high = wilson(count, of)
    return f"{100 * count / of:.1f} % ({100 * low:.0f} to {100 * high:.0f})"


def rows(folder: Path, jobs: int, worlds: list[str], *, baselines: bool) -> Iterator[str]:
    """Give the rows, one evaluation each."""
    yield row("the rules", _scored(folder, jobs))
    for name in ("updown", "threshold") if baselines else ():
        yield row(f"`{name}`", _scored(folder, jobs, name))
    for name in worlds:
        for factor in FACTORS:
            yield row(f"`{name}` times {factor}", _scored(folder, jobs, world={name: factor}))


def _scored(
    folder: Path, jobs: int, baseline: str | None = None, world: Mapping[str, float] | None = None
) -> Score:
    paths = sorted(folder.glob("*.toml")) if folder.is_dir() else [folder]
    score, faults = command.run_all(paths, jobs, baseline, world=world)
    for fault in faults:
        click.echo(fault, err=True)
    return score


def main() -> None:
    """Evaluate and print."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("folder", type=Path)
    ask.add_argument("--world", nargs="*", default=[], help="constants to change by half")
    ask.add_argument("--baselines", action="store_true")
    ask.add_argument("--jobs", type=int, default=1)
    given = ask.parse_args()
    command.factors(f"{name}=1" for name in given.world)
    click.echo(HEAD)
    for line in rows(given.folder, given.jobs, given.world, baselines=given.baselines):
        click.echo(line)


if __name__ == "__main__":
    main()
