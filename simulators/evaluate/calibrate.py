"""How sure a verdict may be: ``python -m simulators.evaluate.calibrate tuned.json [checked.json ...]``.

The weights of the table are logarithms of odds as people estimate them, and facts that come together count
twice. One number sets that right: the temperature by which all scores are divided (Guo et al. 2017). It is
fitted on the verdicts of the first file, as ``vigia-sim evaluate --json`` wrote it, and checked on the
others: Brier's score, the expected error of the confidence, and the reliability diagram as an SVG.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from collector.model import Cause, Fact
from collector.rules import verdict

Row = dict[str, Any]
BINS: Final = 10
TEMPERATURES: Final = tuple(number / 20 for number in range(10, 101))
_SIZE, _LEFT, _TOP = 320.0, 60.0, 30.0


class Bin(NamedTuple):
    """Verdicts of like confidence: how many, how sure on average, which share was right."""

    size: int
    sure: float
    right: float


def shares(row: Row, temperature: float) -> dict[Cause, float]:
    """Return what each cause was worth, by the facts that were told."""
    facts = [Fact(code) for code in row["facts"]]
    if row["what"] == "mains":
        facts.append(Fact("no_input"))
    return verdict.shares(verdict.scores(facts), temperature)


def loss(rows: list[Row], temperature: float) -> float:
    """Return the mean logarithmic loss: what the right causes together were given."""
    total = 0.0
    for row in rows:
        found = shares(row, temperature)
        total -= math.log(max(1e-9, sum(found[Cause(name)] for name in row["right"])))
    return total / max(1, len(rows))


def fit(rows: list[Row]) -> float:
    """Return the temperature with the least loss."""
    return min(TEMPERATURES, key=lambda temperature: loss(rows, temperature))


def judged(rows: list[Row], temperature: float) -> list[tuple[float, bool]]:
    """Return how sure each verdict was and whether it was right."""
    found = []
    for row in rows:
        sure = shares(row, temperature)
        found.append((min(verdict.SUREST, sure[Cause(row["said"])]), row["said"] in row["right"]))
    return found


def brier(pairs: list[tuple[float, bool]]) -> float:
    """Return the mean square of what confidence missed."""
    return sum((sure - right) ** 2 for sure, right in pairs) / max(1, len(pairs))


def binned(pairs: list[tuple[float, bool]]) -> list[Bin]:
    """Sort verdicts by confidence into ten bins; empty ones are left out."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for sure, right in pairs:
        bins[min(BINS - 1, int(sure * BINS))].append((sure, right))
    return [
        Bin(len(one), sum(sure for sure, _ in one) / len(one), sum(right for _, right in one) / len(one))
        for one in bins
        if one
    ]


def expected_error(pairs: list[tuple[float, bool]]) -> float:
    """Return the mean distance of confidence and share, by bin (ECE)."""
    return sum(one.size * abs(one.sure - one.right) for one in binned(pairs)) / max(1, len(pairs))


def svg(series: dict[str, list[tuple[float, bool]]]) -> str:
    """Draw the reliability diagram: a circle per bin, as large as it holds verdicts."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _SIZE + 180} {_TOP + _SIZE + 50}">',
        "<style>text{font:11px sans-serif;fill:#222}.g{stroke:#ddd}</style>",
        f'<rect x="{_LEFT}" y="{_TOP}" width="{_SIZE}" height="{_SIZE}" fill="#fff" stroke="#888"/>',
        f'<line class="g" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>',
    ]
    for tick in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        parts.append(f'<text x="{_x(tick) - 8:.0f}" y="{_y(0) + 16:.0f}">{tick:.1f}</text>')
        parts.append(f'<text x="{_LEFT - 26:.0f}" y="{_y(tick) + 4:.0f}">{tick:.1f}</text>')
    parts.append(f'<text x="{_x(0.3):.0f}" y="{_y(0) + 36:.0f}">how sure the verdict was</text>')
    parts.append(f'<text x="{_LEFT - 50:.0f}" y="{_TOP - 10:.0f}">share that was right</text>')
    for number, (name, pairs) in enumerate(series.items()):
        colour = ("#0072b2", "#d55e00", "#009e73")[number % 3]
        for one in binned(pairs):
            radius = 2.0 + 10.0 * math.sqrt(one.size / len(pairs))
            parts.append(
                f'<circle cx="{_x(one.sure):.1f}" cy="{_y(one.right):.1f}" r="{radius:.1f}" fill="{colour}" '
                f'fill-opacity=".55"><title>{one.size} verdicts</title></circle>'
            )
        label = f"{name}: {len(pairs)} verdicts"
        parts.append(
            f'<text x="{_x(1) + 14:.0f}" y="{_TOP + 20 + 18 * number:.0f}" fill="{colour}">{label}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _x(value: float) -> float:
    return _LEFT + _SIZE * value


def _y(value: float) -> float:
    return _TOP + _SIZE * (1.0 - value)


def main() -> None:
    """Fit, check, print and draw."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("files", nargs="+", type=Path)
    ask.add_argument("--svg", type=Path)
    given = ask.parse_args()
    sets = {path.stem: json.loads(path.read_text(encoding="utf-8"))["verdicts"] for path in given.files}
    best = fit(next(iter(sets.values())))
    click.echo(f"temperature: {best:.2f} fits best, {verdict.TEMPERATURE:.2f} is set")
    series = {}
    for name, rows in sets.items():
        for temperature in (1.0, verdict.TEMPERATURE):
            pairs = judged(rows, temperature)
            click.echo(
                f"{name:<16} at {temperature:.2f}: {len(pairs)} verdicts, "
                f"log loss {loss(rows, temperature):.3f}, Brier {brier(pairs):.3f}, "
                f"expected error {expected_error(pairs):.3f}"
            )
        series[name] = judged(rows, verdict.TEMPERATURE)
    if given.svg is not None:
        given.svg.write_text(svg(series), encoding="utf-8")


if __name__ == "__main__":
    main()
