"""``vigia-demo``: the whole chain on one machine, with the borough's 40 facilities simulated."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector import commands
from simulators.demo.failure import DemoError

if TYPE_CHECKING:
    from collections.abc import Coroutine


def _influxd() -> Path:
    """Return influxd of ``VIGIA_INFLUXD``, else of the cache that ``make influxd`` fills."""
    if named := os.environ.get("VIGIA_INFLUXD"):
        path = Path(named)
    else:
        home_cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        path = Path(os.environ.get("VIGIA_CACHE") or home_cache / "vigia") / "bin" / "influxd"
    if not path.is_file():
        raise DemoError(f"{path}: no influxd here; run `make influxd`, or set VIGIA_INFLUXD")
    return path


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("vigia"), prog_name="vigia-demo")
@click.option("--check", is_flag=True, help="Verify without a terminal; one line of figures, exit 0 or 1.")
@click.option(
    "--store",
    type=click.Choice(["embedded", "influx"]),
    default="embedded",
    show_default=True,
    help="Where readings go.",
)
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep everything here; default: a temporary folder.",
)
@click.option("--port", type=click.IntRange(1, 65535), help="Of the dashboard; default: 8080, or a free one.")
def cli(*, check: bool, store: str, folder: Path | None, port: int | None) -> None:
    """Play 40 facilities with real agents, broker, collector and dashboard on this machine."""
    from simulators.demo.run import Demo, Options  # noqa: PLC0415 - --help must not load everything
    from simulators.demo.speaker import Speaker  # noqa: PLC0415 - same

    influxd = _influxd() if store == "influx" else None
    demo = Demo(Options(check=check, influxd=influxd, folder=folder, port=port), Speaker())
    sys.exit(asyncio.run(_until_stopped(demo.run(), stopped_is_fine=not check)))


async def _until_stopped(work: Coroutine[Any, Any, bool], *, stopped_is_fine: bool) -> int:
    """Run; the first SIGINT or SIGTERM stops everything in order. Returns the exit code."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, lambda: None)
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        return 0 if await task else 1
    except asyncio.CancelledError:
        return 0 if stopped_is_fine else 1


def main() -> None:
    """Run the command line."""
    commands.run(cli, "vigia-demo", DemoError)


if __name__ == "__main__":
    main()
