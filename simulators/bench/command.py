"""``vigia-sim bench``: the page, or the sequence by itself; ``set``, ``run``, ``show`` talk to a page."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from simulators.bench.bench import Options

PORT: Final = 8090
ADDRESS: Final = f"http://127.0.0.1:{PORT}"
FAULTS: Final = ("signature", "clock", "ups", "usb", "spool", "modem", "radio", "tamper", "meter", "link")
_address = click.option(
    "--url", default=ADDRESS, show_default=True, help="Of the page; with ?key=... if it has one."
)


@click.group(invoke_without_command=True)
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, show_default=True, help="Of the page.")
@click.option(
    "--listen",
    default="127.0.0.1",
    show_default=True,
    help="Address of this machine where page, line, upsd and meter are reached; a real device needs one.",
)
@click.option(
    "--auto",
    is_flag=True,
    help="No page: take all steps that need nobody and exit, 0 when none failed, else 1.",
)
@click.option(
    "--lang", type=click.Choice(["es", "en"]), default="es", show_default=True, help="What is said."
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the certificate there.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep authority and enrolments here from one day to the next; default: a temporary folder.",
)
@click.option("--device", help="A real device on the table, by its name; default: a virtual facility.")
@click.option("--own-ups", is_flag=True, help="The real device reads a UPS of its own.")
@click.option("--own-meter", is_flag=True, help="The real device reads a meter of its own.")
@click.option("--line-port", type=click.IntRange(1, 65535), default=8883, show_default=True, help="MQTT.")
@click.option("--upsd-port", type=click.IntRange(1, 65535), default=3493, show_default=True, help="NUT.")
@click.option(
    "--meter-port", type=click.IntRange(1, 65535), default=5020, show_default=True, help="Modbus TCP."
)
@click.option(
    "--cut-s", type=click.FloatRange(1, 86_400), help="How long the link is cut; a real device: 600."
)
@click.option("--broken", type=click.Choice(FAULTS), multiple=True, help="A fault on purpose, for practice.")
@click.option("--technician", default="", help="Who tests, for the certificate.")
@click.option("--serial", default="", help="Of the device, for the certificate.")
@click.option("--firmware", default="", help="Of the device; default: what it says.")
@click.pass_context
def bench(context: click.Context, /, **given: Any) -> None:
    """Prove a router, a UPS or an alert on the table, on a local page or by command."""
    if context.invoked_subcommand is not None:
        return
    if given["broken"] and given["device"]:
        raise click.UsageError("--broken is for the virtual facility")
    from simulators.bench import serve  # noqa: PLC0415 - --help must not load everything

    auto, port, lang, out = (given[name] for name in ("auto", "port", "lang", "out"))
    sys.exit(asyncio.run(serve.run(_options(given), auto=auto, port=port, lang=lang, out=out)))


def _options(given: dict[str, Any]) -> Options:
    from simulators.bench.bench import Options, Paper  # noqa: PLC0415 - same
    from simulators.bench.pace import QUICK, REAL  # noqa: PLC0415 - same

    listen = given["listen"]
    return Options(
        folder=given["folder"],
        device=given["device"],
        real_ups=given["own_ups"],
        real_meter=given["own_meter"],
        listen=listen,
        hosts=("localhost",) if listen == "127.0.0.1" else (_name(listen), "localhost"),
        line_port=given["line_port"] if given["device"] else 0,
        upsd_port=given["upsd_port"],
        meter_port=given["meter_port"],
        pace=(REAL if given["device"] else QUICK).with_cut(given["cut_s"]),
        broken=frozenset(given["broken"]),
        hands=not given["auto"],
        paper=Paper(given["technician"], given["serial"], given["firmware"]),
    )


def _name(listen: str) -> str:
    """Return by what a device finds this machine: every address has none of its own."""
    import socket  # noqa: PLC0415 - same

    return socket.gethostname() if listen in {"0.0.0.0", "::"} else listen  # noqa: S104 - compared, not bound


@bench.command("set")
@click.argument("assignments", nargs=-1, required=True, metavar="NAME=VALUE...")
@_address
def set_(assignments: tuple[str, ...], url: str) -> None:
    """Turn switches and sliders of the bench that runs: mains=0 ups_load=80 clock=unset."""
    from simulators.bench.client import Client  # noqa: PLC0415 - same
    from simulators.protocols.knobs import assignment  # noqa: PLC0415 - same

    Client(url).post("set", dict(assignment(text) for text in assignments))


@bench.command("run")
@click.argument("steps", nargs=-1, metavar="[STEP]...")
@_address
@click.option(
    "--lang", type=click.Choice(["es", "en"]), default="es", show_default=True, help="What is said."
)
def run_(steps: tuple[str, ...], url: str, lang: str) -> None:
    """Take steps of the bench that runs, or all, and say what came of them; exit 1 when one failed."""
    from simulators.bench.client import Client  # noqa: PLC0415 - same

    sys.exit(Client(url).take(steps, lang, click.echo))


@bench.command()
@_address
@click.option(
    "--lang", type=click.Choice(["es", "en"]), default="es", show_default=True, help="What is said."
)
def show(url: str, lang: str) -> None:
    """Print everything that the page of the bench that runs shows, as JSON."""
    import json  # noqa: PLC0415 - same

    from simulators.bench.client import Client  # noqa: PLC0415 - same

    click.echo(json.dumps(Client(url).state(lang), ensure_ascii=False, indent=2))
