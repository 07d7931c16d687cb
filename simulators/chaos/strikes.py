"""The faults of a run, as they are brought about."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from simulators.chaos.bench import UPSES
from simulators.chaos.plan import UPS, Fault
from simulators.chaos.servers import PATIENCE_S, ChaosError, until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from simulators.chaos.bench import Bench
    from simulators.chaos.plan import Strike

_POLL_S = 0.05


class Strikes:
    """Strikes the parts of a bench; ``hit`` gets the name of every fault that happened."""

    def __init__(self, bench: Bench, hit: list[str]) -> None:
        self.turned: set[str] = set()  # UPS that left the line
        self._bench = bench
        self._hits = hit
        # while a server is down and starts, nobody else ends it or fills its disk
        self._broker_busy = asyncio.Lock()
        self._store_busy = asyncio.Lock()
        self._table: dict[Fault, Callable[[Strike], Awaitable[None]]] = {
            Fault.KILL_AGENT: self._kill_agent,
            Fault.KILL_BROKER: self._kill_broker,
            Fault.KILL_INGEST: self._kill_ingest,
            Fault.KILL_STORE: self._kill_store,
            Fault.LINK_CUT: self._cut,
            Fault.SPOOL_FULL: self._fill_spool,
            Fault.LINK_SLOW: self._slow,
            Fault.LINK_DROP: self._drop,
            Fault.DISK_BROKER: self._fill_broker,
            Fault.DISK_STORE: self._fill_store,
            Fault.CLOCK_STEP: self._step,
            Fault.POWER_CUT: self._power_cut,
            Fault.FLASH_TORN: self._tear,
        }

    async def strike(self, strike: Strike) -> None:
        """Bring a fault about and, where it has an end, end it."""
        await self._table[strike.fault](strike)

    async def turn(self, ups: str) -> None:
        """Let a UPS leave the line, for the rest of the run."""
        unit = self._bench.units[UPS]
        unit.spec.on_battery.append(ups)
        unit.tell(f"ob {ups}")
        self.turned.add(ups)

    def _hit(self, fault: Fault) -> None:
        self._hits.append(fault.value)

    async def _kill_agent(self, strike: Strike) -> None:
        unit = self._bench.units[strike.device]
        async with unit.busy:
            unit.process.kill()
            self._hit(strike.fault)
            await asyncio.sleep(strike.for_s)
            unit.start()

    async def _kill_broker(self, strike: Strike) -> None:
        broker = self._bench.broker
        async with self._broker_busy:
            broker.kill()
            self._hit(strike.fault)
            await asyncio.sleep(strike.for_s)
            await broker.start()

    async def _kill_ingest(self, strike: Strike) -> None:
        self._bench.ingest.strike()
        self._hit(strike.fault)

    async def _kill_store(self, strike: Strike) -> None:
        store = self._bench.store
        async with self._store_busy:
            if self._bench.plan.number % 2:
                store.kill()
            else:
                store.tear()
            self._hit(strike.fault)
            await asyncio.sleep(strike.for_s)
            self._bench.store_disk.free()  # with a full disk it could not start
            await store.start()

    async def _cut(self, strike: Strike) -> None:
        link = self._bench.units[strike.device].link
        link.cut()
        self._hit(Fault.LINK_CUT)
        await asyncio.sleep(strike.for_s)
        link.restore()

    async def _fill_spool(self, strike: Strike) -> None:
        """Cut the line until the spool has dropped frames."""
        unit = self._bench.units[strike.device]
        path = unit.folder / f"{unit.name}.journal"
        unit.link.cut()
        await asyncio.sleep(strike.for_s)
        await until(lambda: '"dropped"]' in path.read_text(encoding="ascii"), "a full spool")
        unit.link.restore()

    async def _slow(self, strike: Strike) -> None:
        link = self._bench.units[strike.device].link
        link.slow(delay_s=strike.amount / 1000)
        self._hit(strike.fault)
        await asyncio.sleep(strike.for_s)
        link.slow()

    async def _drop(self, strike: Strike) -> None:
        await self._bench.units[strike.device].link.drop()
        self._hit(strike.fault)

    async def _fill_broker(self, strike: Strike) -> None:
        """Fill the broker's disk, make it save, and kill it without another chance to."""
        bench = self._bench
        async with self._broker_busy:
            bench.broker_disk.fill(bench.broker.pid)
            bench.broker.save()
            self._hit(strike.fault)
            await asyncio.sleep(strike.for_s)
            bench.broker.save()
            await asyncio.sleep(0.2)
            bench.broker.kill()
            bench.broker_disk.free()
            await bench.broker.start()

    async def _fill_store(self, strike: Strike) -> None:
        """Fill InfluxDB's disk until a write has failed: what is left of pages takes the first ones.

        A kill in between makes room, as it could not start otherwise.
        """
        bench, loop = self._bench, asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_S
        while not await asyncio.to_thread(bench.store.is_broken):
            if loop.time() > deadline:
                raise ChaosError("no write failed on InfluxDB's full disk")
            async with self._store_busy:
                bench.store_disk.fill(bench.store.pid)
            await asyncio.sleep(_POLL_S)
        self._hit(strike.fault)
        await asyncio.sleep(strike.for_s)
        bench.store_disk.free()

    async def _step(self, strike: Strike) -> None:
        unit = self._bench.units[strike.device]
        unit.spec.offset_ms = strike.amount
        unit.tell(f"clock {strike.amount}")
        self._hit(strike.fault)

    async def _power_cut(self, strike: Strike) -> None:
        unit = self._bench.units[strike.device]
        async with unit.busy:
            unit.lose_power()
            self._hit(strike.fault)
            await asyncio.sleep(strike.for_s)
            unit.link.restore()
            unit.start()

    async def _tear(self, strike: Strike) -> None:
        """Cut the power in the middle of a flash write: on battery an event is flushed at once."""
        unit = self._bench.units[strike.device]
        unit.tell("tear")
        await self.turn(UPSES[1])
        await until(lambda: unit.process.pid is None, "the flash write to be torn")
        self._hit(Fault.POWER_CUT)
        await self._power_cut(strike)
