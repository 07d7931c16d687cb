"""``python -m simulators.chaos``: a set of runs; the last line is the account as JSON."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulators.chaos.plan import EVERY, WINDOWS, Fault
from simulators.chaos.run import Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NUMBERS = ("sealed", "stored", "refused", "dropped", "power_lost", "lost", "doubled")


@click.command()
@click.option("--runs", type=click.IntRange(1), default=10, show_default=True, help="How many.")
@click.option(
    "--first", type=click.IntRange(0), default=0, help="Number of the first one: repeats a later run."
)
@click.option("--seed", type=int, help="Fixes what happens when; default: drawn and printed.")
@click.option("--jobs", type=click.IntRange(1, 16), default=2, show_default=True, help="Runs at a time.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for results and what failed runs leave.")
@click.option("--partial", is_flag=True, help="Do not ask that every fault and window was hit.")
def main(*, runs: int, first: int, seed: int | None, jobs: int, out: Path | None, partial: bool) -> None:
    """Run agents, Mosquitto, ingest and InfluxDB under faults and compare journal and store."""
    seed = random.randrange(10**6) if seed is None else seed  # noqa: S311 - no secret
    click.echo(f"seed {seed}")
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    results = []
    for result in _results(range(first, first + runs), seed, jobs, out):
        results.append(result)
        click.echo(_line(result))
        if out is not None:
            with (out / "results.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps({"seed": seed, **result.table()}) + "\n")
    missed = [] if partial else not_hit(results)
    for name in missed:
        click.echo(f"never hit: {name} (the first {EVERY} runs have everything)")
    click.echo(json.dumps(account(results)))
    sys.exit(1 if missed or any(result.wrong for result in results) else 0)


def _results(numbers: Iterable[int], seed: int, jobs: int, out: Path | None) -> Iterator[Result]:
    """Run them, some at a time, each in a process of its own."""
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(_run, number, seed, out) for number in numbers]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _run(number: int, seed: int, out: Path | None) -> Result:
    """Do one run; its process gives up when the pipe to it closes."""
    command = [sys.executable, "-m", "simulators.chaos.run", str(number), str(seed)]
    command += [str(out)] if out is not None else []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        said = process.stdout.read() if process.stdout is not None else ""
    if process.returncode:
        return Result(number, wrong=[f"harness: the run's process ended with {process.returncode}"])
    return Result(**json.loads(said.splitlines()[-1]))


def _line(result: Result) -> str:
    counts = " ".join(f"{name} {value}" for name, value in result.counts.items())
    end = "".join(f"\n    {text}" for text in (*result.notes, *result.wrong[:20]))
    state = "FAILED" if result.wrong else "ok"
    hit = " ".join(sorted(set(result.hit)))
    return f"run {result.number}: {state}, {result.seconds} s, {counts}; {hit}{end}"


def not_hit(results: Iterable[Result]) -> list[str]:
    """Return kinds of fault and windows that no run had."""
    hit = {name for result in results for name in result.hit}
    return [name for name in (*(fault.value for fault in Fault), *WINDOWS) if name not in hit]


def account(results: list[Result]) -> dict[str, object]:
    """Add up; ``windows_hit`` counts how often the ingest died in each stage window."""
    total: Counter[str] = Counter()
    hits: Counter[str] = Counter()
    for result in results:
        total.update(result.counts)
        hits.update(name for name in result.hit if name in WINDOWS)
    return {
        "runs": len(results),
        **{name: total[name] for name in NUMBERS},
        "windows_hit": {name: hits[name] for name in WINDOWS},
    }


if __name__ == "__main__":
    main()
