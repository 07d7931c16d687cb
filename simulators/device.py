"""One simulated device: the real agent, readers that read the world, a line that can be cut.

Everything between reading and broker is the product's own: sampler, frames, signatures, spool, publisher,
TLS. Switching the power off ends the agent where it stands and takes its RAM with it; switching it on is a
new boot with a new kernel boot id. Flash survives.
"""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from agent import config as agent_config
from agent.build import build
from agent.log import Log
from simulators.clock import DeviceClock, now_ms
from simulators.instruments import readers_of
from simulators.link import Link
from simulators.storage import MortalFiles
from simulators.world.machine import State

if TYPE_CHECKING:
    from pathlib import Path

    from agent.loop import Agent
    from simulators.plans import Bench, DevicePlan
    from simulators.world.place import Place


class SimulatedDevice:
    """A device at a place of the world: open its ``link`` first, then ``power_on`` or ``follow``."""

    def __init__(self, plan: DevicePlan, place: Place, bench: Bench) -> None:
        self.plan = plan
        self.link = Link(bench.host, bench.port)
        self._place = place
        self._part = place.site.part(plan.name)
        self._bench = bench
        self._boots = 0  # of its machine, when the agent was started
        self._agent: Agent | None = None
        self._run: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._files = MortalFiles()
        self.failure = ""

    @property
    def running(self) -> bool:
        """Tell whether the agent runs."""
        return self._run is not None and not self._run.done()

    def power_on(self) -> None:
        """Boot."""
        if self.running:
            return
        clock = DeviceClock()
        self._stop = asyncio.Event()
        self._files = MortalFiles()
        log = Log(clock.uptime_ms, self._note)
        readers: Any = readers_of(
            self._place, self._part, self._bench.timing.readers(), now_ms, clock.uptime_ms
        )
        self._boots = self._place.machines[self._part.id].boots
        self._agent = build(self._config(), clock=clock, readers=readers, fs=self._files, log=log)
        self._run = asyncio.create_task(self._agent.run(self._stop), name=self.plan.name)
        self._run.add_done_callback(self._ended)

    async def follow(self, t_ms: int) -> None:
        """Have power and a line as the world says at this time."""
        self._place.advance(t_ms)
        machine = self._place.machines[self._part.id]
        if self._place.way(self._part.id).up:
            self.link.restore()
        else:
            self.link.cut()  # a dead device sends no farewell either: the broker finds out by its keepalive
        if machine.state is not State.UP or (self._run is not None and machine.boots != self._boots):
            await self.power_off()
        elif self._run is None:
            self.power_on()

    async def power_off(self) -> None:
        """Die where it stands: no farewell reaches the broker, what was in RAM is gone."""
        if self._run is None:
            return
        self.link.cut()
        self.link.strand()
        self._files.die()
        await self._end(orderly=False)
        shutil.rmtree(self._ram, ignore_errors=True)

    async def stop(self) -> None:
        """Stop as a service manager would: seal, spool, say goodbye."""
        await self._end(orderly=True)

    def status(self) -> dict[str, Any]:
        """Return what the agent says of itself; empty before the first boot."""
        return self._agent.status() if self._agent is not None else {}

    async def _end(self, *, orderly: bool) -> None:
        """End the agent's task."""
        if self._run is None:
            return
        if orderly:
            self._stop.set()
        else:
            self._run.cancel()
        run, self._run = self._run, None
        await asyncio.gather(run, return_exceptions=True)

    def _note(self, line: str) -> None:
        """Keep a line of the agent's log, with the time that the system's log would add."""
        time = datetime.now(UTC).strftime("%H:%M:%S")
        with (self._bench.scratch / "log" / f"{self.plan.name}.log").open("a", encoding="utf-8") as file:
            file.write(f"{time}Z {line}")

    def _ended(self, run: asyncio.Task[None]) -> None:
        """Remember why an agent ended that was not told to."""
        if run.cancelled():
            return
        if (error := run.exception()) is not None:
            self.failure = f"{type(error).__name__}: {error}"
        elif not self._stop.is_set():
            self.failure = "the agent returned without being told to stop"

    @property
    def _ram(self) -> Path:
        """Folder that plays the tmpfs."""
        return self._bench.scratch / "ram" / self.plan.name

    def _config(self) -> dict[str, Any]:
        """Return the issued configuration, with this run's broker, folders and intervals."""
        config = agent_config.load(str(self._bench.pki / "devices" / self.plan.name / "agent.json"))
        flash = self._bench.scratch / "flash" / self.plan.name
        for folder in (self._ram, flash, self._bench.scratch / "log"):
            folder.mkdir(parents=True, exist_ok=True)
        # the line listens on the loopback, the broker's certificate names localhost
        config["broker"] |= {"host": "localhost", "port": self.link.port}
        config["spool"] |= {"ram_dir": str(self._ram), "flash_dir": str(flash)}
        config["intervals"] |= self._bench.timing.table()
        return config
