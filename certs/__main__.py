"""The command line: ``vigia-certs init | issue | renew | export-mosquitto | deploy``.

Exit status: 0 done, 1 refused (one line on standard error says why), 2 wrong usage.
"""

from __future__ import annotations

import shlex
import sys
from importlib.metadata import version
from pathlib import Path

import click

from certs import deploy as deployment
from certs import mosquitto, names
from certs.authority import COLLECTOR_PORT, DAYS, DEVICE_PORT, Authority
from certs.enrolment import KINDS, Place
from certs.errors import CertsError
from certs.router import Router

_DIR = click.Path(path_type=Path, file_okay=False)
_PORT = click.IntRange(1, 65535)
_DAYS = click.IntRange(1, 36_500)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("vigia"), prog_name="vigia-certs")
def cli() -> None:
    """Keys and certificates of the broker, the collector and the devices."""


@cli.command()
@click.argument("folder", metavar="DIR", type=_DIR)
@click.option("--name", "hosts", multiple=True, help="Host name or address of the broker; may be repeated.")
@click.option(
    "--device-port", type=_PORT, default=DEVICE_PORT, show_default=True, help="Devices connect here."
)
@click.option(
    "--collector-port",
    type=_PORT,
    default=COLLECTOR_PORT,
    show_default=True,
    help="The collector connects here.",
)
def init(folder: Path, hosts: tuple[str, ...], device_port: int, collector_port: int) -> None:
    """Make a new authority in DIR, with the broker's and the collector's certificates."""
    if device_port == collector_port:
        raise CertsError("--device-port and --collector-port must differ")
    Authority.create(folder, hosts, device_port=device_port, collector_port=collector_port)
    click.echo(f"{folder}: authority made; next: vigia-certs issue {folder} DEVICE --site SITE")


@cli.command()
@click.argument("folder", metavar="DIR", type=_DIR)
@click.argument("device", metavar="DEVICE")
@click.option("--site", help="Facility id; needed for a new device.")
@click.option("--host", help="Where the device reaches the broker; default: the authority's first name.")
@click.option("--port", type=_PORT, help="Default: the authority's device port.")
@click.option("--kind", type=click.Choice(KINDS), help="What the device is; default: router.")
@click.option("--feed", help="What feeds it: mains, ups:<id> or poe:<device>.")
@click.option("--modem-feed", help="What feeds the modem it hangs on.")
@click.option("--uplink", help="Device it hangs on.")
@click.option("--serial", help="Serial number of the unit.")
@click.option("--renew", is_flag=True, help="New certificate for the same key.")
@click.option("--rotate", is_flag=True, help="New key; the earlier one stays enrolled.")
@click.option(
    "--days", type=_DAYS, default=DAYS, show_default=True, help="How long the certificate is valid."
)
def issue(  # noqa: PLR0913 - one argument an option
    *,
    folder: Path,
    device: str,
    site: str | None,
    host: str | None,
    port: int | None,
    kind: str | None,
    feed: str | None,
    modem_feed: str | None,
    uplink: str | None,
    serial: str | None,
    renew: bool,
    rotate: bool,
    days: int,
) -> None:
    """Issue DEVICE's certificate: DIR/devices/DEVICE goes to the device, DIR/enrolments/DEVICE.json stays."""
    if renew and rotate:
        raise click.UsageError("--renew and --rotate exclude each other")
    authority = Authority.open(folder)
    if renew or rotate:
        _refuse_changes(site, host, port, kind, feed, modem_feed, uplink, serial)
        issued = (
            authority.rotate_device(device, days=days)
            if rotate
            else authority.renew_device(device, days=days)
        )
    else:
        if site is None:
            raise click.UsageError("a new device needs --site")
        place = Place(kind or "router", feed, modem_feed, uplink, serial)
        issued = authority.issue(device, site, host=host, port=port, place=place, days=days)
    click.echo(f"{issued.folder}: kid {issued.enrolment.keys[-1].kid}")


@cli.command()
@click.argument("folder", metavar="DIR", type=_DIR)
@click.option(
    "--name", "hosts", multiple=True, help="New host names of the broker, replacing the earlier ones."
)
@click.option(
    "--days", type=_DAYS, default=DAYS, show_default=True, help="How long the certificates are valid."
)
def renew(folder: Path, hosts: tuple[str, ...], days: int) -> None:
    """Certify the broker and the collector anew; their keys stay."""
    Authority.open(folder).renew(hosts, days=days)
    click.echo(f"{folder}: certificates renewed; restart the broker and the collector")


@cli.command("export-mosquitto")
@click.argument("folder", metavar="DIR", type=_DIR)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write FILE, and 'acl' next to it."
)
@click.option("--data", type=_DIR, help="Mosquitto's persistence folder; default: 'data' next to the file.")
@click.option("--device-bind", default="", help="Address of the device listener; default: all.")
@click.option(
    "--collector-bind", default="127.0.0.1", show_default=True, help="Address of the collector listener."
)
def export_mosquitto(
    folder: Path, out: Path | None, data: Path | None, device_bind: str, collector_bind: str
) -> None:
    """Write Mosquitto's configuration and access list, or print both."""
    authority = Authority.open(folder)
    if out is None:
        broker = authority.mosquitto(data=data, device_bind=device_bind, collector_bind=collector_bind)
        click.echo(f"{mosquitto.conf(broker)}\n# ---- {broker.acl} ----\n{mosquitto.acl()}", nl=False)
        return
    path = authority.export_mosquitto(out, data=data, device_bind=device_bind, collector_bind=collector_bind)
    click.echo(f"{path}: written; run: mosquitto -c {path}")


@cli.command()
@click.argument("folder", metavar="DIR", type=_DIR)
@click.argument("device", metavar="DEVICE")
@click.argument("address", metavar="root@ROUTER")
@click.option(
    "--package",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The agent's .ipk, also for releases with apk; default: the one in build/packages.",
)
@click.option("--ssh", default="ssh", show_default=True, help="Command before the address, with its options.")
@click.option("--set-clock", is_flag=True, help="Set a clock that is days off by this machine's.")
@click.option("--replace", is_flag=True, help="Make it DEVICE although it is another one.")
@click.option("--remove", is_flag=True, help="Take the agent away; credentials and spool stay.")
@click.option("--purge", is_flag=True, help="With --remove: credentials, spool and configuration as well.")
def deploy(  # noqa: PLR0913 - one argument an option
    *,
    folder: Path,
    device: str,
    address: str,
    package: Path | None,
    ssh: str,
    set_clock: bool,
    replace: bool,
    remove: bool,
    purge: bool,
) -> None:
    """Put agent, configuration and DEVICE's credentials on an OpenWrt router over ssh, and see it report."""
    if purge and not remove:
        raise click.UsageError("--purge goes with --remove")
    if address.startswith("-"):
        raise click.UsageError(f"{address!r} is not an address")
    router = Router(address, tuple(shlex.split(ssh)))
    if remove:
        deployment.remove(router, purge=purge)
        click.echo(f"{address}: the agent is gone")
        return
    credentials = Authority.open(folder).folder / "devices" / names.device(device)
    if not credentials.is_dir():
        raise CertsError(f"{device}: was never issued: vigia-certs issue {folder} {device} --site SITE")
    found = package or _built_package()
    deployment.Deployment(router, device, credentials, found, click.echo).install(
        set_clock=set_clock, replace=replace
    )


def _built_package() -> Path:
    found = sorted(Path("build/packages").glob("vigia-agent_*.ipk"))
    if not found:
        raise CertsError("no package in build/packages: `make packages` makes it, or name one with --package")
    return found[-1]


def main() -> None:
    """Run the command line; a refusal is one line, never a traceback."""
    try:
        sys.exit(cli(prog_name="vigia-certs", standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except click.UsageError as error:
        click.echo(f"vigia-certs: {error.format_message()} (see --help)", err=True)
        sys.exit(2)
    except CertsError as error:
        click.echo(f"vigia-certs: {error}", err=True)
        sys.exit(1)
    except click.Abort:
        sys.exit(130)


def _refuse_changes(*options: str | int | None) -> None:
    if any(option is not None for option in options):
        raise click.UsageError("--renew and --rotate change nothing else; places change in the registry")


if __name__ == "__main__":
    main()
