"""Every figure of docs/verdicts.md from one seed: ``python -m simulators.evaluate.campaign --seed N FOLDER``.

Sets are drawn into the folder and judged by the rules and by both baselines; what was judged is kept there,
so that a campaign that was broken off goes on where it was. Printed (and written to ``figures.md``): a table
of sets, one of causes, one of the world's constants by half and one and a half, and how long each part took.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

import simulators
from simulators.evaluate import figures, report
from simulators.evaluate import run as runs
from simulators.evaluate.command import How
from simulators.evaluate.score import final_right, provisional_right
from simulators.generate import strata, write
from simulators.scenario.model import Constants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from simulators.evaluate.score import Pair, Score
    from simulators.generate.draft import Draft

SHIPPED: Final = Path(simulators.__file__).parent / "scenarios"
TUNED: Final = (9001, 9002)  # what the rules' authors looked at
TUNED_COUNT: Final = 12
PARTS: Final = ("hand", "tuned", "mixed", "causes", "quiet", "world")
SPARE: Final = 1.01  # a quiet day has some short outages


@dataclass(frozen=True, slots=True)
class Size:
    """How much of each."""

    mixed: int
    each_cause: int
    quiet_days: int
    few: int  # outages of each cause in the set on which the constants are changed


@dataclass(frozen=True, slots=True)
class Campaign:
    """What is measured where."""

    folder: Path
    seed: int
    size: Size
    jobs: int

    def drawn(self, name: str) -> Path:
        """Draw a set; return its folder."""
        place = self.folder / name
        shutil.rmtree(place, ignore_errors=True)  # another generator drew other files
        for _ in write.files(place, self.seed, self._drafts(name)):
            pass
        return place

    def _drafts(self, name: str) -> Iterable[Draft]:
        seed, size = self.seed, self.size
        days = math.ceil(size.quiet_days * SPARE / strata.QUIET_SITES)
        draw: dict[str, Callable[[], Iterable[Draft]]] = {
            "mixed": lambda: (write.drawn(seed, number) for number in range(size.mixed)),
            "causes": lambda: strata.each_cause(seed, size.each_cause),
            "quiet": lambda: (strata.quiet(seed, number) for number in range(days)),
            "world": lambda: strata.each_cause(seed, size.few),
            "tuned": lambda: (write.drawn(one, number) for one in TUNED for number in range(TUNED_COUNT)),
        }
        return draw[name]()

    def how(self, name: str) -> How:
        """Say how a set is evaluated."""
        ways = (runs.RULES, *runs.BASELINES)
        return How(self.jobs, ways, kept=self.folder / f"{name}.kept")


def table(campaign: Campaign, parts: Iterable[str]) -> Iterator[str]:
    """Measure part by part; give the lines of the page."""
    causes: dict[str, Score] = {}
    yield from figures.HEAD.split("\n")
    for name in parts:
        if name != "world":
            begun = time.monotonic()
            place = SHIPPED if name == "hand" else campaign.drawn(name)
            scores = figures.scored(place, campaign.how(name))
            for way, score in scores.items():
                yield figures.row(f"{_titled(campaign, name)}: {way}", score)
            _write(campaign.folder / f"{name}.json", scores[runs.RULES])
            causes[name] = scores[runs.RULES]
            _took(name, begun, campaign)
    yield ""
    yield from _by_cause(causes)
    if "world" in parts:
        yield ""
        yield from _world(campaign)


def _titled(campaign: Campaign, name: str) -> str:
    return {
        "hand": "shipped, written by hand",
        "tuned": f"tuned on: seeds {' and '.join(map(str, TUNED))}",
        "mixed": f"seed {campaign.seed}, ordinary mix",
        "causes": f"seed {campaign.seed}, {campaign.size.each_cause} outages of each cause",
        "quiet": f"seed {campaign.seed}, quiet days",
    }[name]


def _by_cause(scores: dict[str, Score]) -> Iterator[str]:
    """Give a table of causes: outages, in how many scenarios, and the share that was judged rightly."""
    yield "| Set | True cause | Outages | In scenarios | Final right | Provisional right |"
    yield "|---|---|---|---|---|---|"
    for name, score in scores.items():
        by: dict[str, list[Pair]] = defaultdict(list)
        for pair in score.pairs:
            by[pair.truth.cause.value].append(pair)
        for cause, pairs in sorted(by.items()):
            final, provisional = sum(map(final_right, pairs)), sum(map(provisional_right, pairs))
            yield (
                f"| {name} | {cause} | {len(pairs)} | {len({pair.scenario for pair in pairs})} "
                f"| {figures.share(final, len(pairs))} | {figures.share(provisional, len(pairs))} |"
            )


def _world(campaign: Campaign) -> Iterator[str]:
    """Give the table of constants: the rules alone, on a smaller set, for there are many cells."""
    begun = time.monotonic()
    place = campaign.drawn("world")
    how = replace(campaign.how("world"), ways=(runs.RULES,))
    yield from figures.HEAD.split("\n")
    names = [name for name, constant in Constants.model_fields.items() if constant.default]
    yield from figures.rows(place, how, names, baselines=False)
    _took("world", begun, campaign)


def _write(file: Path, score: Score) -> None:
    file.write_text(json.dumps(report.detail(score), indent=1) + "\n", encoding="utf-8")


def _took(name: str, begun: float, campaign: Campaign) -> None:
    text = f"{name}: {time.monotonic() - begun:.0f} s with {campaign.jobs} processes"
    click.echo(text, err=True)
    with (campaign.folder / "durations.txt").open("a", encoding="utf-8") as out:
        out.write(text + "\n")


def main() -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("folder", type=Path)
    ask.add_argument("--seed", type=int, required=True)
    ask.add_argument("--jobs", type=int, default=1)
    ask.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    ask.add_argument("--mixed", type=int, default=24, help="scenarios of the ordinary mix")
    ask.add_argument("--each-cause", type=int, default=30, help="outages")
    ask.add_argument("--quiet-days", type=int, default=3000, help="site-days")
    ask.add_argument("--few", type=int, default=6, help="outages of each cause where constants change")
    given = ask.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    size = Size(given.mixed, given.each_cause, given.quiet_days, given.few)
    lines = []
    for line in table(Campaign(given.folder, given.seed, size, given.jobs), given.parts):
        click.echo(line)
        lines.append(line)
    (given.folder / "figures.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
