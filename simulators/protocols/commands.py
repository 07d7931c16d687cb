"""The commands ``vigia-sim upsd``, ``meter``, ``ubus`` and ``link``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from simulators.protocols import link_source, meter_source, ubus_source, ups_source
from simulators.protocols.shell import table

_SET = """Knobs are turned by --set name=value at the start and by typing name=value while it runs; show lists
them, quit ends it. Without a terminal it runs on until SIGTERM."""
F = TypeVar("F", bound=Callable[..., Any])
_LISTEN = "Where to listen; 0.0.0.0 for a device on the table."

_turned = click.option(
    "--set", "turned", multiple=True, metavar="NAME=VALUE", help="Turn a knob; repeatable."
)
_host = click.option("--host", default="127.0.0.1", show_default=True, help=_LISTEN)


def _port(default: int) -> Callable[[F], F]:
    text = "0: a free one, which is printed."
    kind = click.IntRange(0, 65535)
    return click.option("--port", type=kind, default=default, show_default=True, help=text)


def _epilog(knobs: str, more: str = "") -> str:
    return f"{_SET}\n\n{more}\n\n\b\nKnobs, where they stand at first:\n{knobs}"


@click.command(
    epilog=_epilog(
        table(ups_source.KNOBS) + "\n  server=up  upsd itself (up, mute, down)",
        "Of several UPSes one is meant by sai:input.voltage=90. Any other variable of NUT can be pinned "
        "(ups.status=OL OVER) and released again (ups.status=).",
    )
)
@click.option("--ups", "names", multiple=True, default=("sai",), show_default=True, help="A UPS; repeatable.")
@_host
@_port(3493)
@_turned
def upsd(*, names: tuple[str, ...], host: str, port: int, turned: tuple[str, ...]) -> None:
    """Serve simulated UPSes as NUT's upsd does, to upsc, upscmd, upsrw, upsmon and the agent.

    The battery fills and empties in real time. Status is refreshed every 2 s and values every 30 s, as by a
    real driver. User vigia, password secreto.
    """
    from simulators.protocols import run  # noqa: PLC0415 - --help must not load everything

    asyncio.run(run.upsd(names, host, port, turned))


@click.command(
    epilog=_epilog(
        table(meter_source.KNOBS),
        "Of several meters one is meant by its address: 2:voltage=90. Faults: silent (no answer), crc (wrong "
        "check sum; over Modbus TCP, which has none, silence), exception (SLAVE DEVICE FAILURE), swapped "
        "(current transformer put on backwards: negative power from an SDM120; a PZEM has no sign). Below 80 "
        "V both kinds are silent: they live on the line that they measure.",
    )
)
@click.option(
    "--unit", "units", multiple=True, default=("1=pzem",), show_default=True, metavar="ADDRESS=KIND",
    help="A meter on the bus, pzem (PZEM-004T v3) or sdm120; repeatable.",
)  # fmt: skip
@_host
@_port(5020)
@click.option(
    "--rtu-over-tcp", "rtu", is_flag=True, help="Frames as on the wire, as plain serial servers do."
)
@click.option(
    "--pty", "link", type=click.Path(path_type=Path, dir_okay=False),
    help="Modbus RTU on a new pseudo-terminal with this name instead of TCP.",
)  # fmt: skip
@click.option(
    "--serial", "device", type=click.Path(path_type=Path, exists=True),
    help="Modbus RTU on a real serial port instead of TCP, 8N1.",
)  # fmt: skip
@click.option("--baud", type=int, default=9600, show_default=True, help="Speed of the serial port.")
@_turned
def meter(  # noqa: PLR0913 - one argument an option
    *,
    units: tuple[str, ...],
    host: str,
    port: int,
    rtu: bool,
    link: Path | None,
    device: Path | None,
    baud: int,
    turned: tuple[str, ...],
) -> None:
    """Serve simulated mains meters on one Modbus bus."""
    from simulators.protocols import run  # noqa: PLC0415 - same

    asyncio.run(run.meter(units, (host, port, rtu), (link, device, baud), turned))


@click.command(
    epilog=_epilog(
        table(ubus_source.KnobRouter().knobs()),
        "The knobs are also in FOLDER/knobs: a second call with --once --set wan=down turns them under a "
        "first one that runs, and so does an editor.",
    )
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--once", is_flag=True, help="Write the answers and end; uptime and air time then stand still.")
@_turned
def ubus(*, folder: Path, once: bool, turned: tuple[str, ...]) -> None:
    """Make a command ubus in FOLDER/bin that answers as a router's would: access points, clients, way out.

    Put that folder first on PATH of an agent. It is a shell script; on a router it runs as well.
    """
    from simulators.protocols import run  # noqa: PLC0415 - same

    asyncio.run(run.ubus(folder, turned, once=once))


@click.command(epilog=_epilog(table(link_source.KNOBS)))
@click.option("--to", required=True, metavar="HOST:PORT", help="Where the line leads, such as the broker.")
@_host
@_port(0)
@_turned
def link(*, to: str, host: str, port: int, turned: tuple[str, ...]) -> None:
    """Carry TCP connections over a line that can be cut, refuse, be late or be narrow."""
    from simulators.protocols import run  # noqa: PLC0415 - same

    asyncio.run(run.link(to, host, port, turned))


ALL = (upsd, meter, ubus, link)
