"""``vigia-sim``: simulated devices and facilities."""

from __future__ import annotations

import asyncio
import sys
from importlib.metadata import version
from pathlib import Path

import click

from agent.errors import AgentError
from certs.errors import CertsError
from collector import commands


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
@click.option(
    "--sample-s", type=click.FloatRange(0.2), help="Interval of samples; default: a third of the frame's."
)
@click.option("--host", default="localhost", show_default=True, help="Where the broker listens for devices.")
@click.option("--port", type=click.IntRange(1, 65535), help="Default: the authority's device port.")
@click.option("--seed", type=int, default=1, show_default=True, help="Fixes all that looks like chance.")
def fleet(  # noqa: PLR0913 - one argument an option
    *,
    pki: Path,
    devices: int,
    seconds: float,
    frame_s: float,
    sample_s: float | None,
    host: str,
    port: int | None,
    seed: int,
) -> None:
    """Run real agents with simulated readers against a broker; the last line says what was sent, as JSON.

    The collector must know the facilities of simulators/sample/sites.csv and read the authority's enrolments.
    """
    from simulators import load  # noqa: PLC0415 - --help must not load everything
    from simulators.plans import Timing  # noqa: PLC0415 - same

    timing = Timing(sample_s=sample_s or frame_s / 3, frame_s=frame_s)
    account = asyncio.run(
        load.run(load.Load(pki.absolute(), devices, seconds, timing, host=host, port=port, seed=seed))
    )
    click.echo(account.line())
    sys.exit(0 if account.ok else 1)


def main() -> None:
    """Run the command line."""
    commands.run(cli, "vigia-sim", AgentError, CertsError)


if __name__ == "__main__":
    main()
