"""``vigia-sim fleet``: a load of real agents for some time, and what became of their frames."""

from __future__ import annotations

import asyncio
import json
import tempfile
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from certs.authority import Authority
from simulators import sample
from simulators.clock import now_ms
from simulators.fleet import Fleet
from simulators.plans import Bench, DevicePlan, Timing
from simulators.world.facility import FacilityPlan
from simulators.world.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable

SETTLE_S = 20.0
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Load:
    """What to run: devices of the authority ``pki``; ``port`` None: where it says that devices connect."""

    pki: Path
    devices: int
    seconds: float
    timing: Timing
    host: str = "localhost"
    port: int | None = None
    seed: int = 1
    settle_s: float = SETTLE_S


@dataclass(frozen=True, slots=True)
class Sent:
    """What a device says at its end. Its seqs go from 0 to ``highest_seq``; -1: it sealed nothing.

    ``sent`` counts a frame once for each connection on which it went out first, ``resent`` its repetitions;
    ``waiting`` frames lay in the spool without an answer when the agent ended.
    """

    incarnation: str
    sealed: int
    highest_seq: int
    sent: int
    resent: int
    acked: int
    refused: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Account:
    """What was sent: the sums of ``by_device``, in which loss is what the centre has not stored of it.

    ``connected`` is before the end, ``failed`` are agents that ended by themselves.
    """

    devices: int
    connected: int
    sealed: int
    sent: int
    resent: int
    acked: int
    refused: int
    waiting: int
    failed: int
    seconds: float
    ok: bool
    by_device: dict[str, Sent]

    def line(self) -> str:
        """Return the sums as one line of JSON."""
        sums = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "by_device"}
        return json.dumps(sums)

    def everything(self) -> str:
        """Return all of it as JSON."""
        return json.dumps(asdict(self), indent=1) + "\n"


def plans(count: int) -> list[DevicePlan]:
    """Return devices ``fleet-00001`` and so on, dealt out over the sample facilities."""
    sites = sample.sites()
    return [DevicePlan(f"fleet-{n + 1:05d}", sites[n % len(sites)].id) for n in range(count)]


def enrol(authority: Authority, wanted: Iterable[DevicePlan]) -> int:
    """Issue the devices that the authority has not issued yet; return how many."""
    missing = [plan for plan in wanted if not (authority.folder / "devices" / plan.name).exists()]
    for plan in missing:
        authority.issue(plan.name, plan.site)
    return len(missing)


async def run(load: Load) -> Account:
    """Run the load, wait until it is acked (at most ``settle_s``), stop, account for it all."""
    wanted = plans(load.devices)
    authority = Authority.open(load.pki)
    enrol(authority, wanted)
    port = load.port or authority.settings.device_port
    loop = asyncio.get_running_loop()
    start = loop.time()
    with tempfile.TemporaryDirectory(prefix="vigia-fleet-") as scratch:
        bench = Bench(load.pki, Path(scratch), load.host, port, load.timing)
        async with Fleet(wanted, _world(load.seed), bench) as fleet:
            await asyncio.sleep(load.seconds)
            await _settle(fleet, loop.time() + load.settle_s)
            connected = sum(one.get("link") == "up" for one in fleet.statuses().values())
            failed = fleet.failed()
        # now everybody has said the last word
        sent = {name: _sent(said) for name, said in fleet.statuses().items()}
        return _account(sent, connected, len(failed), loop.time() - start)


def _world(seed: int) -> World:
    """Return facilities where nothing happens."""
    return World((FacilityPlan(site.id, site.kind) for site in sample.sites()), seed=seed, start_ms=now_ms())


async def _settle(fleet: Fleet, deadline: float) -> None:
    """Wait for a moment at which nothing is old in the spools: what was sealed then is acked now."""
    loop = asyncio.get_running_loop()
    marks = {name: said.get("sealed", 0) for name, said in fleet.statuses().items()}
    while loop.time() < deadline:
        if all(_settled(said) >= marks[name] for name, said in fleet.statuses().items()):
            return
        await asyncio.sleep(_POLL_S)


def _settled(said: dict[str, Any]) -> int:
    """Count the frames of a device whose fate it knows."""
    return _count(said, "acked") + _count(said, "refused")


def _count(said: dict[str, Any], name: str) -> int:
    """Return one of a device's counters."""
    return int(said.get("counts", {}).get(name, 0))


def _sent(said: dict[str, Any]) -> Sent:
    """Take what counts of what an agent says."""
    sealed = int(said.get("sealed", 0))
    return Sent(
        incarnation=str(said.get("incarnation", "")),
        sealed=sealed,
        highest_seq=sealed - 1,
        sent=_count(said, "sent"),
        resent=_count(said, "resent"),
        acked=_count(said, "acked"),
        refused=_count(said, "refused"),
        waiting=int(said.get("spooled", 0)),
    )


def _account(sent: dict[str, Sent], connected: int, failed: int, seconds: float) -> Account:
    """Add up what the agents say."""

    def total(name: str) -> int:
        return sum(int(getattr(one, name)) for one in sent.values())

    refused = total("refused")
    return Account(
        devices=len(sent),
        connected=connected,
        sealed=total("sealed"),
        sent=total("sent"),
        resent=total("resent"),
        acked=total("acked"),
        refused=refused,
        waiting=total("waiting"),
        failed=failed,
        seconds=round(seconds, 1),
        ok=connected == len(sent) and not failed and not refused,
        by_device=sent,
    )
