"""``vigia-sim evaluate``: files in, figures out."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
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
    from simulators.evaluate.score import Run


@dataclass(frozen=True, slots=True)
class How:
    """How a folder is evaluated. ``world``: factors on its constants; ``kept``: see `runs.folder`."""

    jobs: int = 1
    ways: runs.Ways = (runs.RULES,)
    world: Mapping[str, float] = field(default_factory=dict)
    kept: Path | None = None


def run_all(folder: Path, how: How, pictures: Path | None = None) -> tuple[dict[str, Score], list[str]]:
    """Return the score of all files by each way, and what is wrong with those that are no scenarios."""
    paths = sorted(folder.glob("*.toml")) if folder.is_dir() else [folder]
    scores, faults = {way: Score(runs.LIMIT_S) for way in how.ways}, []
    for outcome in runs.folder(paths, how.jobs, how.ways, how.world, how.kept):
        faults += outcome.faults
        for way, run_ in outcome.runs.items():
            pairs = scores[way].add(run_)
        if outcome.runs:
            click.echo(_progress(outcome, len([pair for pair in pairs if not pair.truth.optional])), err=True)
            _draw(outcome, outcome.runs[how.ways[0]], pictures)
    return scores, faults


def run(folder: Path, how: How, *, out: Path | None, pictures: Path | None) -> int:
    """Evaluate by one way and print; return the exit status: 2 when a file is no scenario."""
    if folder.is_dir() and not any(folder.glob("*.toml")):
        click.echo(f"{folder}: there is no scenario (*.toml)", err=True)
        return 2
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
    scores, faults = run_all(folder, how, pictures)
    score = scores[how.ways[0]]
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


def _draw(outcome: Outcome, run_: Run, pictures: Path | None) -> None:
    if pictures is not None and outcome.scenario is not None:
        sheet = picture.svg(outcome.scenario, run_)
        (pictures / f"{outcome.path.stem}.svg").write_text(sheet, encoding="utf-8")
