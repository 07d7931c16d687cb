"""``vigia-sim evaluate``: files in, figures out."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import click

from simulators.evaluate import picture, report
from simulators.evaluate import run as runs
from simulators.evaluate.score import Score
from simulators.scenario.model import Constants

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from simulators.evaluate.run import Outcome


def run_all(
    paths: list[Path],
    jobs: int,
    baseline: str | None,
    pictures: Path | None = None,
    world: Mapping[str, float] | None = None,
) -> tuple[Score, list[str]]:
    """Return the score of all files, and what is wrong with those that are no scenarios."""
    score, faults = Score(runs.LIMIT_S), []
    for outcome in runs.folder(paths, jobs, baseline, world):
        faults += outcome.faults
        if outcome.run is not None:
            pairs = score.add(outcome.run)
            click.echo(_progress(outcome, len([pair for pair in pairs if not pair.truth.optional])), err=True)
            _draw(outcome, pictures)
    return score, faults


def run(
    folder: Path,
    *,
    out: Path | None,
    pictures: Path | None,
    baseline: str | None,
    jobs: int,
    world: Mapping[str, float] | None = None,
) -> int:
    """Evaluate and print; return the exit status: 2 when a file is no scenario."""
    paths = sorted(folder.glob("*.toml")) if folder.is_dir() else [folder]
    if not paths:
        click.echo(f"{folder}: there is no scenario (*.toml)", err=True)
        return 2
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
    score, faults = run_all(paths, jobs, baseline, pictures, world)
    for fault in faults:
        click.echo(fault, err=True)
    if out is not None:
        out.write_text(json.dumps(report.detail(score), indent=1) + "\n", encoding="utf-8")
    click.echo(report.text(score))
    click.echo(report.line(score))
    return 2 if faults else 0


def factors(given: Iterable[str]) -> dict[str, float]:
    """Read ``NAME=FACTOR``; ``click.BadParameter`` says what is wrong with it."""
    found = {}
    for text in given:
        name, _, number = text.partition("=")
        if name not in Constants.model_fields:
            raise click.BadParameter(
                f"'{name}' is no constant of [world]: {', '.join(Constants.model_fields)}"
            )
        try:
            found[name] = float(number)
        except ValueError:
            raise click.BadParameter(f"'{text}' is not of the form {name}=0.5") from None
        if not 0 < found[name] < math.inf:
            raise click.BadParameter(f"the factor of {name} must be above 0")
    return found


def _progress(outcome: Outcome, outages: int) -> str:
    return f"{outcome.path.name}: {outages} outages, {outcome.seconds:.1f} s"


def _draw(outcome: Outcome, pictures: Path | None) -> None:
    if pictures is not None and outcome.run is not None and outcome.scenario is not None:
        sheet = picture.svg(outcome.scenario, outcome.run)
        (pictures / f"{outcome.path.stem}.svg").write_text(sheet, encoding="utf-8")
