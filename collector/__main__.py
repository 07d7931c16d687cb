"""``vigia-collector``: the centre's command line."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector import __version__, cli_windows, commands
from collector.clock import SystemClock
from collector.commands import config_option

if TYPE_CHECKING:
    from collector.config import Config


def _load(path: Path) -> Config:
    """Read the configuration and prepare log and metrics; before anything else is imported."""
    from collector import config, log, metrics  # noqa: PLC0415 - --help must not load everything

    loaded = config.load(path)
    log.configure(loaded.log)
    metrics.prepare(loaded.metrics.dir)
    return loaded


def _stop_event() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vigia-collector")
def cli() -> None:
    """Receive signed telemetry, store it, tell outages and electrical faults, alert, show."""


@cli.command()
@config_option
def run(path: Path) -> None:
    """Run all parts: ingest, alerts, web, and InfluxDB or the embedded broker when configured."""
    config = _load(path)
    from collector import build  # noqa: PLC0415 - after metrics.prepare

    build.run_all(config, path, _stop_event())


@cli.command()
@config_option
def ingest(path: Path) -> None:
    """Receive frames, verify, store and acknowledge them, and judge what they say."""
    config = _load(path)
    from collector import build  # noqa: PLC0415 - after metrics.prepare

    build.run_ingest(config, _stop_event())


@cli.command()
@config_option
def alerts(path: Path) -> None:
    """Deliver alerts."""
    config = _load(path)
    from collector import build  # noqa: PLC0415 - after metrics.prepare

    build.run_alerts(config, _stop_event())


@cli.command()
@config_option
def probes(path: Path) -> None:
    """Ask the broker, the store and the way out whether they are there."""
    config = _load(path)
    from collector import build  # noqa: PLC0415 - after metrics.prepare

    build.run_probes(config, _stop_event())


@cli.command()
@config_option
def doctor(path: Path) -> None:
    """Ask each of the centre's probes once and say what it found."""
    config = _load(path)
    from collector import build  # noqa: PLC0415 - after metrics.prepare

    lines, well = build.doctor(config)
    for line in lines:
        click.echo(line)
    if not well:
        sys.exit(commands.FAILED)


@cli.command()
@config_option
def web(path: Path) -> None:
    """Serve the dashboard and the API."""
    config = _load(path)
    from collector import build  # noqa: PLC0415 - after metrics.prepare

    build.run_web(config)


@cli.command()
@config_option
def broker(path: Path) -> None:
    """Run the embedded MQTT broker (demonstrations and tests; a borough uses Mosquitto)."""
    config = _load(path)
    from collector.broker.embedded import serve  # noqa: PLC0415 - needs amqtt, an extra
    from collector.log import Reporter  # noqa: PLC0415 - after metrics.prepare
    from collector.metrics import Metrics  # noqa: PLC0415 - same

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await serve(config.broker, lambda: None, stop, Reporter("broker", Metrics()))

    asyncio.run(main())


@cli.command("check-config")
@config_option
def check_config(path: Path) -> None:
    """Read the configuration and say what is wrong with it or missing."""
    config = _load(path)
    from collector import build  # noqa: PLC0415 - after metrics.prepare

    problems = build.check(config)
    for problem in problems:
        click.echo(f"{path}: {problem}", err=True)
    if problems:
        sys.exit(commands.FAILED)
    click.echo(f"{path}: OK")


@cli.command()
@config_option
def provision(path: Path) -> None:
    """Create or upgrade tables, facilities, devices, buckets, retention and downsampling."""
    config = _load(path)
    from collector import build  # noqa: PLC0415 - after metrics.prepare

    for line in build.provision(config):
        click.echo(line)


@cli.command()
@config_option
@click.option("--measurement", help="Only tables of this measurement.")
def requeue(path: Path, measurement: str | None) -> None:
    """Store held tables whose measurement is known now, at their true time."""
    config = _load(path)
    from collector import build  # noqa: PLC0415 - after metrics.prepare

    for line in build.requeue(config, measurement):
        click.echo(line)


@cli.command()
@config_option
def quarantine(path: Path) -> None:
    """List what was not accepted: reasons and counts, and what waits for requeue."""
    config = _load(path)
    from collector import build  # noqa: PLC0415 - after metrics.prepare

    for line in build.quarantine(config):
        click.echo(line)


@cli.command("mend-influx")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def mend_influx(folder: Path) -> None:
    """Mend the logs of an InfluxDB that is stopped; FOLDER has its influxd.bolt and engine."""
    from collector.storage import influx_wal  # noqa: PLC0415 - --help must not load everything

    for line in influx_wal.mend(folder):
        click.echo(line)


@cli.group()
def user() -> None:
    """People who may sign in, and API tokens."""


@user.command("add")
@config_option
@click.argument("name")
@click.option("--role", type=click.Choice(["viewer", "crew", "admin"]), default="viewer", show_default=True)
@click.option(
    "--password-file", type=click.File(), help="Read the password from a file (- for standard input)."
)
def user_add(path: Path, name: str, role: str, password_file: Any) -> None:
    """Add a person, or give an existing one a new password and role."""
    config = _load(path)
    from sqlalchemy.orm import Session  # noqa: PLC0415 - --help must not load everything

    from collector import build  # noqa: PLC0415 - after metrics.prepare
    from collector.web.users import add_user  # noqa: PLC0415 - same

    if password_file is not None:
        password = password_file.readline().rstrip("\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    with Session(build.open_state(config)) as session, session.begin():
        add_user(session, name, password, role)
    click.echo(f"{name}: {role}")


@user.command("token")
@config_option
@click.argument("label")
@click.option("--role", type=click.Choice(["viewer", "crew", "admin"]), default="viewer", show_default=True)
def user_token(path: Path, label: str, role: str) -> None:
    """Make an API token and print it; it is shown this once."""
    config = _load(path)
    from sqlalchemy.orm import Session  # noqa: PLC0415 - --help must not load everything

    from collector import build  # noqa: PLC0415 - after metrics.prepare
    from collector.web.users import add_token  # noqa: PLC0415 - same

    with Session(build.open_state(config)) as session, session.begin():
        token = add_token(session, label, role, SystemClock().now_ms())
    click.echo(token)


cli.add_command(cli_windows.window)
cli.add_command(cli_windows.group)


def main() -> None:
    """Run the command line."""
    commands.run(cli, "vigia-collector")


if __name__ == "__main__":
    main()
