"""The simulated device of a bench: the real agent, a clock that can be wrong, flash that can be lost.

Everything between reading and broker is the product's own. Pulling its plug ends the agent where it stands
and takes its RAM with it; the next start is a new boot with a new kernel boot id. Flash survives.
"""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from agent import config as agent_config
from agent.build import build
from agent.cpython.signer import Signer
from agent.log import Log
from certs import keys
from simulators.bench.instruments import readers
from simulators.clock import DeviceClock, now_ms
from simulators.link import Link
from simulators.storage import MortalFiles

if TYPE_CHECKING:
    from pathlib import Path

    from agent.loop import Agent
    from simulators.bench.facility import Facility
    from simulators.bench.pace import Pace

OFF_BY_S: Final = 600  # of a clock that is broken on purpose
_FAREWELL_S: Final = 5.0


class BenchClock(DeviceClock):
    """The clock of one boot, as the switches have it."""

    def __init__(self, facility: Facility) -> None:
        super().__init__()
        self._facility = facility

    def wall_ms(self) -> int | None:
        """Milliseconds since 1970 UTC; None while it is not set."""
        panel, broken = self._facility.panel, "clock" in self._facility.broken
        if panel.text("clock") == "unset":
            return None
        offset_s = panel.number("clock_offset") if panel.text("clock") == "wrong" else 0.0
        return now_ms() + round(1000 * offset_s) + (1000 * OFF_BY_S if broken else 0)


class Unit:
    """A device of a facility. ``port`` is where it finds the broker; ``pki`` has what it was issued."""

    def __init__(self, facility: Facility, pace: Pace, pki: Path, scratch: Path, port: int) -> None:
        self.facility = facility
        self.name = facility.part.id
        self.link = Link("127.0.0.1", port)
        self.failure = ""
        self._pace = pace
        self._issued = pki / "devices" / self.name
        self._ram, self._flash = scratch / "ram" / self.name, scratch / "flash" / self.name
        self._log = scratch / "log" / f"{self.name}.log"
        self._agent: Agent | None = None
        self._run: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._files = MortalFiles()
        self._was_linked = True

    async def follow(self) -> None:
        """Have power and a way out as the facility has them now."""
        facility = self.facility
        facility.settle()
        powered, connected = facility.powered(), facility.connected()
        slow(self.link, facility)
        if powered and connected:
            self._reconnect()
        else:
            self.link.cut()  # a dead device sends no farewell either: the broker finds out by its keepalive
        self._was_linked = facility.panel.is_on("link")
        if not powered:
            await self._die()
        elif self._run is None:
            self._boot()

    async def stop(self) -> None:
        """Stop as a service manager would: seal, spool, say goodbye."""
        run, self._run = self._run, None
        if run is not None:
            self._stop.set()
            await asyncio.wait([run], timeout=_FAREWELL_S)
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)
        await self.link.close()

    def _reconnect(self) -> None:
        if not self._was_linked and "link" in self.facility.broken:
            _lose(self._ram)
        self.link.restore()

    def _boot(self) -> None:
        clock = BenchClock(self.facility)
        self._stop, self._files = asyncio.Event(), MortalFiles()
        for folder in (self._ram, self._flash, self._log.parent):
            folder.mkdir(parents=True, exist_ok=True)
        self._agent = build(
            self._config(),
            clock=clock,
            readers=readers(self.facility, self._pace, now_ms, clock.uptime_ms),
            signer=Signer(keys.private_der(keys.new())) if "signature" in self.facility.broken else None,
            fs=self._files,
            log=Log(clock.uptime_ms, self._note),
        )
        self._run = asyncio.create_task(self._agent.run(self._stop), name=self.name)
        self._run.add_done_callback(self._ended)

    async def _die(self) -> None:
        run, self._run = self._run, None
        if run is None:
            return
        self.link.cut()
        self.link.strand()
        self._files.die()
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        shutil.rmtree(self._ram, ignore_errors=True)
        if "spool" in self.facility.broken:
            _lose(self._flash)

    def _ended(self, run: asyncio.Task[None]) -> None:
        """Remember why an agent ended that was not told to."""
        if run.cancelled():
            return
        if (error := run.exception()) is not None:
            self.failure = f"{type(error).__name__}: {error}"

    def _note(self, line: str) -> None:
        with self._log.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC):%H:%M:%S}Z {line}")

    def _config(self) -> dict[str, Any]:
        """Return what was issued, with this bench's broker, folders and intervals."""
        config = agent_config.load(str(self._issued / "agent.json"))
        # the line listens on the loopback, the broker's certificate names localhost
        config["broker"] |= {"host": "localhost", "port": self.link.port}
        config["spool"] |= {"ram_dir": str(self._ram), "flash_dir": str(self._flash)}
        config["intervals"] |= self._pace.timing.table()
        return config


def _lose(folder: Path) -> None:
    """Lose the spooled frames of a folder; what else an agent keeps there stays."""
    for path in folder.glob("*.seg"):
        path.unlink()


def slow(link: Link, facility: Facility) -> None:
    """Let a line be as slow as the sliders say."""
    rate = facility.panel.number("link_rate") * 125.0  # kbit/s
    link.slow(delay_s=facility.panel.number("link_delay") / 1000.0, rate=rate or None)
