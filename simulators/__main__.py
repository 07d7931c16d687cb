"""``vigia-sim``: simulated devices and facilities."""

from __future__ import annotations

import asyncio
import os
import sys
from importlib.metadata import version
from pathlib import Path

import click

from agent.errors import AgentError
from certs.errors import CertsError
from collector import commands
from simulators.bench.command import bench
from simulators.bench.failure import BenchError
from simulators.demo.failure import DemoError
from simulators.protocols import commands as instruments


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("vigia"), prog_name="vigia-sim")
def cli() -> None:
    """Simulate devices that run the real agent, and the facilities they stand in."""


@cli.command()
@click.option(
    "--pki",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="Authority made by vigia-certs init; devices that are missing are issued.",
)
@click.option("--devices", type=click.IntRange(1, 5000), default=40, show_default=True, help="How many.")
@click.option("--seconds", type=click.FloatRange(1), default=60.0, show_default=True, help="For how long.")
@click.option(
    "--frame-s", type=click.FloatRange(1), default=30.0, show_default=True, help="Interval of data frames."
)
@click.option("--rate", type=click.FloatRange(0, min_open=True), help="Data frames/s of all, not --frame-s.")
@click.option(
    "--sample-s", type=click.FloatRange(0.2), help="Interval of samples; default: a third of the frame's."
)
@click.option("--host", default="localhost", show_default=True, help="Where the broker listens for devices.")
@click.option("--port", type=click.IntRange(1, 65535), help="Default: the authority's device port.")
@click.option("--seed", type=int, default=1, show_default=True, help="Fixes all that looks like chance.")
@click.option(
    "--json", "out", type=click.Path(path_type=Path, dir_okay=False), help="Also by device, as JSON."
)
def fleet(  # noqa: PLR0913 - one argument an option
    *,
    pki: Path,
    devices: int,
    seconds: float,
    frame_s: float,
    rate: float | None,
    sample_s: float | None,
    host: str,
    port: int | None,
    seed: int,
    out: Path | None,
) -> None:
    """Run real agents with simulated readers against a broker; the last line says what was sent, as JSON.

    The collector must know the facilities of simulators/sample/sites.csv and read the authority's enrolments.
    Loss is what was sealed and the collector has not stored: frames_stored of its /api/v1/devices, by device.
    """
    from simulators import load  # noqa: PLC0415 - --help must not load everything
    from simulators.plans import Timing  # noqa: PLC0415 - same

    if rate is not None:
        frame_s = devices / rate
    timing = Timing(sample_s=sample_s or frame_s / 3, frame_s=frame_s)
    account = asyncio.run(
        load.run(load.Load(pki.absolute(), devices, seconds, timing, host=host, port=port, seed=seed))
    )
    if out is not None:
        out.write_text(account.everything())
    click.echo(account.line())
    sys.exit(0 if account.ok else 1)


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--json", "out", type=click.Path(path_type=Path, dir_okay=False), help="Everything as JSON.")
@click.option("--pictures", type=click.Path(path_type=Path, file_okay=False), help="An SVG per scenario.")
@click.option("--baseline", type=click.Choice(["updown", "threshold"]), help="Another way to watch instead.")
@click.option("--world", multiple=True, metavar="NAME=FACTOR", help="Multiply a constant of [world].")
@click.option("--jobs", type=click.IntRange(1, 256), help="Processes at once; default: the cores.")
@click.option(
    "--kept",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Go on where an evaluation was broken off.",
)
def evaluate(  # noqa: PLR0913 - its options
    *,
    folder: Path,
    out: Path | None,
    pictures: Path | None,
    baseline: str | None,
    world: tuple[str, ...],
    jobs: int | None,
    kept: Path | None,
) -> None:
    """Judge the rules by scenarios: a file, or every .toml of a folder; the last line is JSON."""
    from simulators.evaluate import command  # noqa: PLC0415 - --help must not load everything

    ways = (baseline or "rules",)
    how = command.How(jobs or cores(), ways, command.factors(world), kept)
    sys.exit(command.run(folder, how, out=out, pictures=pictures))


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--seed", type=click.IntRange(0), required=True, help="Fixes everything that is drawn.")
@click.option("--count", type=click.IntRange(1, 100_000), help="How many scenarios.")
@click.option(
    "--mix",
    type=click.Choice(["mixed", "quiet"]),
    help="mixed: as things happen (default); quiet: nuisances.",
)
@click.option(
    "--each-cause", type=click.IntRange(1, 1000), help="Draw until every cause has so many outages."
)
def generate(*, folder: Path, seed: int, count: int | None, mix: str | None, each_cause: int | None) -> None:
    """Draw scenarios from realistic frequencies into a folder, one file each."""
    from simulators.generate import strata, write  # noqa: PLC0415 - same

    if (count is None) == (each_cause is None) or (each_cause and mix):
        raise click.UsageError("give --count, with or without --mix, or --each-cause")
    if each_cause is not None:
        drafts = strata.each_cause(seed, each_cause)
    else:
        draw = strata.quiet if mix == "quiet" else write.drawn
        drafts = (draw(seed, number) for number in range(count or 0))
    for path in write.files(folder, seed, drafts):
        click.echo(path)


cli.add_command(bench)
for each in instruments.ALL:
    cli.add_command(each)


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def main() -> None:
    """Run the command line."""
    commands.run(cli, "vigia-sim", AgentError, CertsError, BenchError, DemoError)


if __name__ == "__main__":
    main()
