"""``vigia-collector window`` and ``group``: announced work, and sites that operators put together."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from collector.clock import SystemClock
from collector.commands import config_option
from collector.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.orm import Session

    from collector.storage.state import WorkWindow


@contextmanager
def _session(path: Path) -> Iterator[tuple[Session, ZoneInfo]]:
    """Open the state for one command, and tell the zone of its times."""
    from sqlalchemy.orm import Session  # noqa: PLC0415 - --help must not load everything

    from collector import build, config  # noqa: PLC0415 - same

    loaded = config.load(path)
    engine = build.open_state(loaded)
    try:
        with Session(engine) as session, session.begin():
            yield session, ZoneInfo(loaded.web.timezone)
    finally:
        engine.dispose()


def _ms(text: str, zone: ZoneInfo) -> int:
    """Read a moment: ISO 8601, in the zone of the pages when it names none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"'{text}' is no time: write 2026-03-18T10:00") from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1000)


@click.group()
def window() -> None:
    """Announced work, and our own in which nobody is told."""


def _scoped(function: Callable[..., Any]) -> Callable[..., Any]:
    for name, words in (
        ("provider", "Everything with this provider."),
        ("circuit", "Everything on this circuit of the utility."),
        ("group", "The sites of this group."),
        ("site", "One site."),
    ):
        function = click.option(f"--{name}", help=words)(function)
    circle = click.option(
        "--circle", nargs=3, type=float, metavar="LAT LON METRES", help="Everything within a circle."
    )
    return circle(function)


@window.command("add")
@config_option
@click.argument("begin")
@click.argument("end")
@click.option("--what", default="", help="What is done, in your words.")
@click.option("--maintenance", is_flag=True, help="Work of our own: recorded as ever, told after its end.")
@_scoped
def add(path: Path, begin: str, end: str, what: str, maintenance: bool, **scope: Any) -> None:  # noqa: FBT001 - a flag of the command line
    """Announce work from BEGIN to END (2026-03-18T10:00, local time); without a scope everywhere."""
    from collector.around import windows  # noqa: PLC0415 - --help must not load everything

    circle = dict(zip(("lat", "lon", "radius_m"), scope.pop("circle") or (), strict=False))
    names = {"site": "site_id", "group": "group_name"}
    given = {names.get(name, name): value for name, value in scope.items() if value} | circle
    kind = windows.MAINTENANCE if maintenance else windows.PLANNED
    with _session(path) as (session, zone):
        values = {"kind": kind, "from_ms": _ms(begin, zone), "to_ms": _ms(end, zone), "what": what, **given}
        row = windows.add(session, values, "command line", SystemClock().now_ms())
        click.echo(_line(row, zone))


@window.command("list")
@config_option
@click.option("--all", "past", is_flag=True, help="Those that are over or were removed as well.")
def show(path: Path, past: bool) -> None:  # noqa: FBT001 - a flag of the command line
    """List windows that are on or to come."""
    from collector.around import windows  # noqa: PLC0415 - --help must not load everything

    with _session(path) as (session, zone):
        for row in windows.listed(session, SystemClock().now_ms(), past=past):
            click.echo(_line(row, zone))


@window.command("remove")
@config_option
@click.argument("number", type=int)
def remove(path: Path, number: int) -> None:
    """Take window NUMBER back; what it has explained stays said."""
    from collector.around import windows  # noqa: PLC0415 - --help must not load everything

    with _session(path) as (session, zone):
        click.echo(_line(windows.cancel(session, number, SystemClock().now_ms()), zone))


def _line(row: WorkWindow, zone: ZoneInfo) -> str:
    begin, end = (
        f"{datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone):%Y-%m-%d %H:%M}"
        for at_ms in (row.from_ms, row.to_ms)
    )
    scopes = ("site_id", "group_name", "circuit", "provider")
    named = [f"{name.partition('_')[0]} {getattr(row, name)}" for name in scopes if getattr(row, name)]
    circle = [f"{row.radius_m:.0f} m around {row.lat}, {row.lon}"] if row.radius_m is not None else []
    taken = " (removed)" if row.cancelled_ms is not None else ""
    where = (named + circle or ["everywhere"])[0]
    return f"{row.id}: {row.kind}, {begin} to {end}, {where}{': ' + row.what if row.what else ''}{taken}"


@click.group()
def group() -> None:
    """Sites that are known to share something: a building complex, a street, a transformer."""


@group.command("add")
@config_option
@click.argument("name")
@click.argument("sites", nargs=-1, required=True)
def group_add(path: Path, name: str, sites: tuple[str, ...]) -> None:
    """Put SITES into group NAME."""
    from collector.around import groups  # noqa: PLC0415 - --help must not load everything

    with _session(path) as (session, _):
        groups.add(session, name, sites)
    click.echo(f"{name}: {', '.join(sites)}")


@group.command("remove")
@config_option
@click.argument("name")
@click.argument("sites", nargs=-1)
def group_remove(path: Path, name: str, sites: tuple[str, ...]) -> None:
    """Take SITES, or all, out of group NAME."""
    from collector.around import groups  # noqa: PLC0415 - --help must not load everything

    with _session(path) as (session, _):
        gone = groups.remove(session, name, sites)
    click.echo(f"{name}: {gone} removed")


@group.command("list")
@config_option
def group_list(path: Path) -> None:
    """List the groups."""
    from collector.around import groups  # noqa: PLC0415 - --help must not load everything

    with _session(path) as (session, _):
        for name, sites in groups.listed(session).items():
            click.echo(f"{name}: {', '.join(sites)}")
