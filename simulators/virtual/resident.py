"""An agent that lives in the world: it runs while its machine does, and dies with it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from agent.build import build
from agent.config import check
from agent.log import Log
from agent.samples import packed
from collector.model import Arrival, Readings
from collector.rules.reads import reads
from simulators.instruments import readers_of
from simulators.instruments.base import Intervals
from simulators.virtual.carrier import KEEPALIVE_S, Transport
from simulators.virtual.clock import AgentClock, DeviceClock
from simulators.virtual.enrolment import ZeroSigner, ack_key
from simulators.virtual.files import FLASH, RAM, Disk, MemoryFiles
from simulators.virtual.notice import noticed
from simulators.world.machine import State

if TYPE_CHECKING:
    from pathlib import Path

    from agent.loop import Agent
    from collector.model import Observation
    from simulators.instruments.base import Reader
    from simulators.scenario.model import Constants, DevicePart
    from simulators.virtual.carrier import Broker
    from simulators.virtual.loop import VirtualTime
    from simulators.world.place import Place

INTERVALS = Intervals()
_FAREWELL_S = 5.0


class Resident:
    """The agent on one device of a place. ``sparing``: it makes no poll that can find nothing new."""

    def __init__(  # noqa: PLR0913, PLR0917 - where it lives, in one place
        self,
        part: DevicePart,
        place: Place,
        constants: Constants,
        time: VirtualTime,
        broker: Broker,
        folder: Path,
        seed: int,
        *,
        sparing: bool,
    ) -> None:
        self._sparing = sparing
        self.part = part
        self.place = place
        self._constants = constants
        self._time = time
        self._broker = broker
        self._folder = folder
        self._seed = seed
        self._disk = Disk()
        self._files = MemoryFiles(self._disk)
        self._unit = 1
        self._boots = 0
        self._booted_ms = 0
        self._clock: DeviceClock | None = None
        self._running: AgentClock | None = None
        self._readers: list[Reader] = []
        self._agent: Agent | None = None
        self._run: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._transport: Transport | None = None

    @property
    def running(self) -> bool:
        """Tell whether its agent runs."""
        return self._run is not None

    async def follow(self) -> None:
        """Be as the machine is now."""
        machine = self.place.machines[self.part.id]
        if machine.state is not State.UP:
            if self.running:
                await self._end_with_machine(machine.state)
            return
        if machine.boots != self._boots:
            if self.running:  # it fell and came back between two looks
                await self._end_with_machine(State.OFF)
            self._boot()
        crashed = self.place.befalls("agent_crash", self.part)
        if crashed and self.running:
            await self._end(orderly=False)
        elif not crashed and not self.running:
            self._start()
        self._hold(hung=self.place.hung(self.part.id))

    def doze(self, *, heard: bool) -> None:
        """Let time pass that is left out. Who is heard forgets what was not sent yet: newer will be told."""
        if self._clock is not None and self._agent is not None:
            self._clock.doze()
            if heard:
                self._agent.sampler.take()

    def wake(self) -> None:
        """Go on."""
        if self._clock is not None:
            self._clock.wake()

    async def keep(self) -> None:
        """Seal one frame with what is read now; a machine that stands still does not."""
        if self.running and self._agent is not None and not self.place.hung(self.part.id):
            found = await self._agent.sampler.read_once()
            samples = [sample for _, samples, _ in found for sample in samples]
            await self._agent.parts.sealer.data(packed(samples))

    async def glance(self) -> list[Observation]:
        """Return what the rules would be told of one sample now, past spool and reception."""
        now, device = self._time.now_ms(), self.part.id
        told: list[Observation] = [Arrival(device, now)]
        for reader in self._readers:
            for measurement, instance, fields in await reader.read():
                if reads(measurement, instance):
                    told.append(Readings(device, now, measurement, instance, dict(fields)))
        return told

    def _boot(self) -> None:
        machine = self.place.machines[self.part.id]
        if machine.unit != self._unit:
            self._disk, self._unit = Disk(), machine.unit
        self._boots = machine.boots
        self._booted_ms = machine.since_ms - 20_000  # the kernel is older than what it starts
        self._clock = DeviceClock(
            self._time, self.place, self.part, self._constants, self._booted_ms, self._seed
        )

    def _start(self) -> None:
        if self._clock is None:
            return
        clock = self._running = AgentClock(self._clock)
        self._stop = asyncio.Event()
        self._files = MemoryFiles(self._disk)
        self._transport = Transport(self._broker, self.part.id, lambda: self.place.way(self.part.id))
        self._readers = readers_of(self.place, self.part, INTERVALS, self._time.now_ms, clock.uptime_ms)
        readers: Any = noticed(self._readers, self.place, clock) if self._sparing else self._readers
        self._agent = build(
            self._config(),
            clock=clock,
            readers=readers,
            transport=self._transport,
            signer=ZeroSigner(self.part.id, self._unit),
            fs=self._files,
            log=Log(clock.uptime_ms, len),
        )
        self._run = asyncio.get_running_loop().create_task(self._agent.run(self._stop), name=self.part.id)

    def _hold(self, *, hung: bool) -> None:
        """Stand still, or go on."""
        if self._clock is None or self._transport is None:
            return
        self._transport.frozen = hung
        if hung:
            self._clock.freeze()
        else:
            self._clock.thaw()

    async def _end_with_machine(self, state: State) -> None:
        """Die as the machine does: an upgrade stops the agent first, anything else does not."""
        self._hold(hung=False)
        if state is State.AWAY and self.place.befalls("upgrade", self.part):
            await self._end(orderly=True)
        elif self._transport is not None:
            self._transport.dead = True
            self._files.die()
            await self._end(orderly=False)
        self._disk.wipe_ram()

    async def _end(self, *, orderly: bool) -> None:
        run, self._run = self._run, None
        if run is None:
            return
        if orderly:
            self._stop.set()
            await asyncio.wait([run], timeout=_FAREWELL_S)
        run.cancel()
        if self._running is not None:
            self._running.ended = True
        for failure in await asyncio.gather(run, return_exceptions=True):
            if isinstance(failure, Exception):
                raise failure

    def _config(self) -> dict[str, Any]:
        path = self._folder / f"{self.part.id}-{self._unit}.key"
        path.write_bytes(ack_key(self.part.id, self._unit))
        return check(
            {
                "device": self.part.id,
                "site": self.place.site.id,
                "broker": {"host": "localhost", "ca": "-", "cert": "-", "key": "-", "ack_key": str(path)},
                "spool": {"ram_dir": RAM, "flash_dir": FLASH},
                "intervals": {"keepalive_s": KEEPALIVE_S},
            }
        )
