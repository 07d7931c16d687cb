"""What stands on the table: a facility, a device in it or a real one beside it, and what is seen of it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from simulators.bench import controls
from simulators.bench.facility import UPS, Facility
from simulators.bench.failure import BenchError
from simulators.bench.seen import Seen
from simulators.bench.sources import FacilityMeter, FacilityUps
from simulators.bench.unit import Unit, slow
from simulators.clock import now_ms
from simulators.link import Link
from simulators.protocols.meter import Bus, Meter, MeterServer
from simulators.protocols.meter_map import PZEM
from simulators.protocols.upsd import Upsd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.bench.centre import Centre
    from simulators.bench.pace import Pace

FOLLOW_S: Final = 0.1
LOOK_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Setup:
    """Who is tested, and what of it is real. ``broken``: faults of a virtual facility, to see them found."""

    device: str
    site: str
    real_device: bool = False
    real_ups: bool = False
    real_meter: bool = False
    broken: frozenset[str] = frozenset()
    listen: str = "127.0.0.1"  # where a real device finds line, upsd and meter
    line_port: int = 0
    upsd_port: int = 0
    meter_port: int = 0


class Stand:
    """Follows its facility while ``async with`` lasts."""

    def __init__(self, setup: Setup, centre: Centre, pace: Pace) -> None:
        self.setup = setup
        self.pace = pace
        self.seen = Seen(now_ms())
        self.facility = Facility(setup.site, setup.device, pace, now_ms, setup.broken)
        self._centre = centre
        self._scratch = centre.workdir.devices
        self._unit: Unit | None = None
        self._line: Link | None = None
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Switch on."""
        port = self._centre.ports.device
        if self.setup.real_device:
            self._line = Link("127.0.0.1", port)
            await self._line.open(self.setup.listen, self.setup.line_port)
            self._stack.push_async_callback(self._line.close)
            await self._serve()
        else:
            self._unit = Unit(self.facility, self.pace, self._centre.workdir.pki, self._scratch, port)
            await self._unit.link.open()
        self._tasks = [
            asyncio.create_task(self._follow(), name=f"{self.setup.device} follows"),
            asyncio.create_task(self._watch(), name=f"{self.setup.device} is watched"),
        ]
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """Switch off in order."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._unit is not None:
            await self._unit.stop()
        await self._stack.aclose()

    # --- what the runner asks -------------------------------------------------------------------------

    def look(self) -> Seen:
        """Return what was seen last."""
        return self.seen

    def knob(self, name: str) -> str:
        """Return how a knob stands."""
        return self.facility.panel.text(name)

    def turn(self, name: str, text: str) -> None:
        """Turn a knob; ``BenchError`` for what is real and has its own. KnobError: it does not take this."""
        if self.by_hand(name):
            raise BenchError(f"{name}: is real here; somebody has to do that by hand")
        self.facility.turn(name, text)

    def by_hand(self, name: str) -> bool:
        """Tell whether a person has to do this."""
        setup = self.setup
        if name in controls.OF_DEVICE or controls.is_radio(name):  # a real one's are named as it likes
            return setup.real_device
        if name in controls.MEASURED:
            return setup.real_meter
        return setup.real_ups and (name in controls.OF_UPS or name in controls.OF_MAINS)

    def measure(self) -> Mapping[str, float] | None:
        """Return what a multimeter would show; a person reads the one beside a real meter."""
        if self.setup.real_meter:
            return None
        leg = self.facility.leg()
        return {"volts": round(leg.volts, 1), "amperes": round(leg.amperes, 3)}

    def incidents(self, lang: str) -> list[dict[str, Any]]:
        """Return what the collector concluded, in words."""
        return self._centre.witness.incidents(self.setup.site, lang)

    @property
    def failure(self) -> str:
        """Why the simulated device's agent ended by itself, if it did."""
        return self._unit.failure if self._unit else ""

    async def _serve(self) -> None:
        """Let a real device read the facility's UPS and meter, where it has none of its own."""
        setup = self.setup
        if not setup.real_ups:
            upsd = Upsd({UPS: FacilityUps(self.facility)}, host=setup.listen, port=setup.upsd_port)
            await self._stack.enter_async_context(upsd)
        if not setup.real_meter:
            bus = Bus({1: Meter(PZEM, FacilityMeter(self.facility))})
            await self._stack.enter_async_context(MeterServer(bus, host=setup.listen, port=setup.meter_port))

    # --- meanwhile --------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        while True:
            if self._unit is not None:
                await self._unit.follow()
            else:
                self._settle()
            await asyncio.sleep(FOLLOW_S)

    def _settle(self) -> None:
        """Let the line of a real device be as the switches have it."""
        self.facility.settle()
        if self._line is None:
            return
        slow(self._line, self.facility)
        if self.facility.panel.is_on("link"):
            self._line.restore()
        else:
            self._line.cut()

    async def _watch(self) -> None:
        while True:
            self.seen = await asyncio.to_thread(self._centre.witness.look, self.setup.device, self.setup.site)
            await asyncio.sleep(LOOK_S)
