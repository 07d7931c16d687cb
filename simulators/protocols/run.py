"""What ``vigia-sim upsd``, ``meter``, ``ubus`` and ``link`` run, until a signal or ``quit``."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

from simulators.link import Link
from simulators.protocols.knobs import KnobError, assignment
from simulators.protocols.link_source import KnobLink
from simulators.protocols.meter import Bus, Meter, MeterLine, MeterServer
from simulators.protocols.meter_map import KINDS
from simulators.protocols.meter_source import KnobMeter
from simulators.protocols.shell import Shell
from simulators.protocols.ubus import StandIn
from simulators.protocols.ubus_source import KnobRouter
from simulators.protocols.ups_source import KnobUps
from simulators.protocols.upsd import PASSWORD, USER, KnobServer, Upsd

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from simulators.protocols.knobs import Instrument

STATE = "knobs"  # file in a stand-in's folder: where its knobs stand


async def upsd(names: Sequence[str], host: str, port: int, turned: Iterable[str]) -> None:
    """Serve UPSes."""
    upses = {name: KnobUps(name) for name in names}
    async with Upsd(upses, host=host, port=port) as server:
        panel = KnobServer(server)
        instruments: dict[str, Instrument] = {**upses, "": panel}
        shell = Shell(instruments, panel.apply)
        await shell.begin(turned)
        for ups in upses.values():
            ups.look()
        account = f"user {USER}, password {PASSWORD}"
        click.echo(f"upsd on {server.host}:{server.port}: {', '.join(upses)}; {account}")
        await shell.run()


async def meter(
    units: Iterable[str],
    where: tuple[str, int, bool],
    serial: tuple[Path | None, Path | None, int],
    turned: Iterable[str],
) -> None:
    """Serve meters."""
    kinds = [_unit(text) for text in units]
    panels = {unit: KnobMeter() for unit, _ in kinds}
    bus = Bus({unit: Meter(KINDS[kind], panels[unit]) for unit, kind in kinds})
    shell = Shell({str(unit): panel for unit, panel in panels.items()}, _nothing)
    await shell.begin(turned)
    host, port, rtu = where
    link, device, baud = serial
    async with contextlib.AsyncExitStack() as stack:
        if link is not None or device is not None:
            line = await stack.enter_async_context(MeterLine(bus, port=device, baud=baud))
            if link is not None:
                link.unlink(missing_ok=True)
                link.symlink_to(line.path)
                stack.callback(link.unlink, missing_ok=True)
            click.echo(f"Modbus RTU on {link or line.path}: {_listed(kinds)}")
        else:
            server = await stack.enter_async_context(MeterServer(bus, host=host, port=port, rtu=rtu))
            framing = "Modbus RTU over TCP" if rtu else "Modbus TCP"
            click.echo(f"{framing} on {server.host}:{server.port}: {_listed(kinds)}")
        await shell.run()


async def ubus(folder: Path, turned: Iterable[str], *, once: bool) -> None:
    """Play a router's ubus. Its knobs are in a file, so that another call of this command can turn them."""
    router, standin = KnobRouter(), StandIn(folder)
    state = folder / STATE
    seen = _restore(router, state)

    async def apply() -> None:
        nonlocal seen
        standin.show(router.router())
        text = "".join(f"{knob.name}={router.value(knob.name)}\n" for knob in router.knobs())
        if text != seen:
            state.write_text(text)
            seen = text

    def tick() -> None:
        nonlocal seen
        if state.exists() and state.read_text() != seen:
            seen = _restore(router, state)
        standin.show(router.router())

    shell = Shell({"": router}, apply, tick)
    await shell.begin(turned)
    if not once:
        click.echo(f"ubus in {standin.folder.absolute()}: put it first on PATH")
        await shell.run()


async def link(to: str, host: str, port: int, turned: Iterable[str]) -> None:
    """Carry connections to another port, badly."""
    far, colon, far_port = to.rpartition(":")
    if not colon or not far_port.isdigit():
        raise KnobError(f"{to!r}: host:port, please")
    line = Link(far, int(far_port))
    await line.open(host, port)
    panel = KnobLink(line)
    shell = Shell({"": panel}, panel.apply)
    try:
        await shell.begin(turned)
        click.echo(f"line from {host}:{line.port} to {to}")
        await shell.run()
    finally:
        await line.close()


async def _nothing() -> None:
    """Apply nothing: a meter's knobs hold at once."""


def _unit(text: str) -> tuple[int, str]:
    """Return address and kind of ``1=pzem``."""
    address, kind = assignment(text)
    if kind not in KINDS or not address.isdigit() or not 1 <= int(address) <= 247:  # noqa: PLR2004 - Modbus
        raise KnobError(f"{text!r}: an address from 1 to 247 and one of {', '.join(KINDS)}, please")
    return int(address), kind


def _listed(kinds: Iterable[tuple[int, str]]) -> str:
    return ", ".join(f"{unit} {kind}" for unit, kind in kinds)


def _restore(router: KnobRouter, state: Path) -> str:
    """Turn the knobs as a file says; return what it says."""
    if not state.exists():
        return ""
    text = state.read_text()
    for line in text.splitlines():
        router.turn(*assignment(line))
    return text
