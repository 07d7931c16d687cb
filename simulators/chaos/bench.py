"""Everything a run starts: certificates, configuration, servers, devices behind their lines."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.wire.topics import shard_of
from certs.authority import Authority
from collector import build
from collector import config as collector_config
from simulators.chaos import centre
from simulators.chaos.disk import Disk
from simulators.chaos.plan import CLOCK, DEVICES, PLAIN, UPS, Fault
from simulators.chaos.servers import ORG, TOKEN, Broker, ChaosError, Ingest, Process, Store, free_port
from simulators.chaos.spec import Spec
from simulators.link import Link

if TYPE_CHECKING:
    from pathlib import Path

    from simulators.chaos.plan import Plan

SITES = {UPS: "chaos-site-one", CLOCK: "chaos-site-two", PLAIN: "chaos-site-one"}
UPSES = ["ups0", "ups1"]
INTERVALS = {
    "sample_s": 0.1,
    "watch_s": 0.2,
    "frame_s": 0.3,
    "keepalive_s": 2,
    "resend_s": 1,
    "reconnect_s": 0.5,
}
BROKER_MIB, STORE_MIB = 2, 48
PADDED_KIB, SPOOL_KIB = 128, 512
_COUNTERS_OF_DEVICE, _COUNTERS_OF_LIFE = 10**9, 10**6
_CONFIG = """
[broker]
host = "localhost"
port = {broker_port}

[ingest]
shards = "{shards}"
batch_ms = 100
ack_interval_ms = 100

[registry]
sites_file = "sites.csv"

[store.influx]
url = "{influx_url}"
org = "{org}"
token_file = "influx.token"
timeout_ms = 3000

# what faults do to links is not what this run asks of the rules
[rules.thresholds]
silence_intervals = 10000
death_grace_ms = 86400000

[alerts.channels.crew]
url_file = "crew.url"
"""


@dataclass(slots=True)
class Unit:
    """A device of the run: its line, its process, what it is told at its next start."""

    name: str
    folder: Path
    link: Link
    spec: Spec
    process: Process
    cuts: list[int] = field(default_factory=list)  # power cuts, monotonic ns
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    def start(self) -> None:
        """Start the agent for its next life."""
        self.spec.life += 1
        self.spec.first += _COUNTERS_OF_LIFE
        path = self.folder / f"{self.name}.spec"
        path.write_text(self.spec.text(), encoding="utf-8")
        command = [sys.executable, "-m", "simulators.chaos.device", str(path)]
        self.process.spawn(command, stdin=subprocess.PIPE)
        self.spec.old_frame = self.spec.conflict = False

    def tell(self, command: str) -> None:
        """Send a command; a dead agent hears nothing."""
        running = self.process.running
        if running is None or running.stdin is None or running.poll() is not None:
            return
        try:
            os.write(running.stdin.fileno(), f"{command}\n".encode())
        except OSError:
            return

    def lose_power(self) -> None:
        """Die with everything in RAM; the next start is another kernel's."""
        self.link.cut()
        self.link.strand()
        self.process.kill()
        self.cuts.append(time.monotonic_ns())
        shutil.rmtree(self.spec.ram, ignore_errors=True)
        self.spec.boot_ns, self.spec.boot_id = time.monotonic_ns(), os.urandom(16).hex()

    def is_drained(self) -> bool:
        """Whether the journal says that nothing waits; ``ChaosError`` when the process ended."""
        if self.process.pid is None:
            raise ChaosError(f"{self.name} ended: {self.process.said()[-800:]}")
        return '["drained"]' in (self.folder / f"{self.name}.journal").read_text(encoding="ascii")


class Bench:
    """The parts of one run below ``folder``."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self.plan = plan
        self.authority = Authority.create(folder / "pki", device_port=free_port(), collector_port=free_port())
        self.units: dict[str, Unit] = {}
        self._spool = folder / "devices"
        disks = plan.disks
        self.broker_disk = Disk(
            folder / "broker-data", size_mib=BROKER_MIB if Fault.DISK_BROKER in disks else None
        )
        self.store_disk = Disk(
            folder / "store-data", size_mib=STORE_MIB if Fault.DISK_STORE in disks else None
        )
        self.broker_disk.open()
        self.store_disk.open()
        self.broker = Broker(folder, self.authority, self.broker_disk, stock=plan.stock)
        self.store = Store(folder, self.store_disk)
        path = self._write_config()
        self.config = collector_config.load(path)
        self.ingest = Ingest(folder, path, plan.windows)

    def _write_config(self) -> Path:
        text = _CONFIG.format(
            broker_port=self.authority.settings.collector_port,
            shards="".join(sorted({shard_of(site) for site in SITES.values()})),
            influx_url=self.store.url,
            org=ORG,
        )
        path = self.folder / "collector.toml"
        path.write_text(text, encoding="utf-8")
        (self.folder / "influx.token").write_text(TOKEN, encoding="utf-8")
        (self.folder / "crew.url").write_text("json://127.0.0.1:9/", encoding="utf-8")
        rows = [f"{site},{site},{site},community-center,true" for site in sorted(set(SITES.values()))]
        head = "id,name_es,name_en,kind,sample"
        (self.folder / "sites.csv").write_text("\n".join([head, *rows, ""]), encoding="utf-8")
        return path

    async def start(self) -> None:
        """Start servers, ingest and devices."""
        self.broker.configure()
        await self.ingest.warm()
        await asyncio.gather(self.store.start(), self.broker.start())
        for name in DEVICES:
            self.authority.issue(name, SITES[name])
        self.store.set_up()
        await asyncio.to_thread(build.provision, self.config)
        if self.plan.odd_frames:
            centre.spoil_type(self.config)
        self.ingest.start()
        for number, name in enumerate(DEVICES):
            self.units[name] = await self._unit(number, name)
        for unit in self.units.values():
            unit.start()

    async def _unit(self, number: int, name: str) -> Unit:
        plan = self.plan
        link = Link("127.0.0.1", self.broker.port)
        await link.open()
        for part in ("ram", "flash"):
            (self._spool / name / part).mkdir(parents=True)
        padded = plan.padded and name == PLAIN
        spec = Spec(
            config=str(self.folder / "pki" / "devices" / name / "agent.json"),
            journal=str(self.folder / f"{name}.journal"),
            ram=str(self._spool / name / "ram"),
            flash=str(self._spool / name / "flash"),
            port=link.port,
            boot_ns=time.monotonic_ns() - 60_000_000_000,
            boot_id=os.urandom(16).hex(),
            first=(number + 1) * _COUNTERS_OF_DEVICE,
            offset_ms=None if plan.clock is Fault.CLOCK_UNSET and name == CLOCK else 0,
            upses=UPSES if name == UPS else [],
            conflict=plan.odd_frames and name == UPS,
            old_frame=plan.odd_frames and name == UPS,
            padded=padded,
            limit_kib=PADDED_KIB if padded else SPOOL_KIB,
            intervals=dict(INTERVALS),
        )
        return Unit(name, self.folder, link, spec, Process(self.folder / f"{name}.log"))

    async def stop(self) -> None:
        """End everything, last started first."""
        for unit in self.units.values():
            unit.process.kill()
            await unit.link.close()
        await self.ingest.stop()
        self.broker.end(signal.SIGTERM)
        self.store.kill()
        self.broker_disk.close()
        self.store_disk.close()
