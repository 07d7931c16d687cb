"""One run: start, strike, heal, drain, compare.

``python -m simulators.chaos.run NUMBER SEED [KEEP]`` does one in a process of its own and prints its result
as JSON. When its standard input ends, whoever began it is gone: it takes down what it started and ends too.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulators.chaos import centre, journal
from simulators.chaos.bench import UPSES, Bench
from simulators.chaos.compare import check_boots, compare
from simulators.chaos.plan import DEVICES, FAULT_S, UPS, Fault
from simulators.chaos.plan import plan as make_plan
from simulators.chaos.readers import CONFLICT_AT
from simulators.chaos.servers import PATIENCE_S, ChaosError, until
from simulators.chaos.strikes import Strikes

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from simulators.chaos.bench import Unit
    from simulators.chaos.compare import Verdict
    from simulators.chaos.plan import Plan

STALL_S, POLL_S, OPERATE_S = 1.0, 0.05, 0.2


@dataclass(slots=True)
class Result:
    """What became of one run; ``wrong`` is empty when all is well."""

    number: int
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    hit: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    disk: str = ""
    phases: dict[str, float] = field(default_factory=dict)  # seconds
    power: dict[str, int] = field(default_factory=dict)  # lost to power cuts, by kind; the oldest's age

    def table(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def run(plan: Plan, keep: str | None) -> Result:
    """Do one run in a folder of its own; ``keep``: leave the folder of a failed run there."""
    folder = Path(tempfile.mkdtemp(prefix=f"chaos{plan.number}-"))
    started = time.monotonic()
    result = Result(plan.number)
    try:
        asyncio.run(_unless_alone(Run(folder, plan, result)))
    except ChaosError as error:
        result.wrong.append(f"harness: {error}")
    except asyncio.CancelledError:
        result.wrong.append("harness: given up")
    result.seconds = round(time.monotonic() - started, 1)
    if result.wrong and keep is not None:
        shutil.copytree(folder, Path(keep) / f"run-{plan.seed}-{plan.number}", dirs_exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    return result


async def _unless_alone(what: Run) -> None:
    """Do a run; give up when standard input ends."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    running = asyncio.create_task(what.run())
    alone = asyncio.create_task(reader.read())
    await asyncio.wait((running, alone), return_when=asyncio.FIRST_COMPLETED)
    alone.cancel()
    if not running.done():
        running.cancel()
    await running


class Run:
    """The course of one run."""

    def __init__(self, folder: Path, plan: Plan, result: Result) -> None:
        self._folder = folder
        self._plan = plan
        self._result = result
        self._bench = Bench(folder, plan)
        self._strikes = Strikes(self._bench, result.hit)
        self._drained_all = asyncio.Event()
        self._operator: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Start, strike, heal, drain, compare."""
        bench = self._bench
        try:
            for phase in (self._start, self._inject, self._heal, self._drain, self._judge):
                started = time.monotonic()
                await phase()
                self._result.phases[phase.__name__.strip("_")] = round(time.monotonic() - started, 1)
        finally:
            if self._operator is not None:
                self._operator.cancel()
            await bench.stop()

    async def _start(self) -> None:
        """Start everything; return when every agent has begun its journal and odd frames are sealed."""
        await self._bench.start()
        for name in DEVICES:
            path = self._folder / f"{name}.journal"
            await until(path.exists, f"{name} to start")
        if self._plan.odd_frames:
            await until(self._odd_are_sealed, "the odd frames to be sealed")

    def _odd_are_sealed(self) -> bool:
        """Whether the spool has the old frame and the type conflict: a kill takes neither any more."""
        first = self._bench.units[UPS].spec.first
        account = journal.read(self._folder / f"{UPS}.journal", UPS)
        kept = {counter for frame in account.sealed.values() if frame.kept for counter in frame.counters}
        return first - 1 in kept and max(kept) > first + CONFLICT_AT + 1  # the readers may be a sample apart

    async def _inject(self) -> None:
        """Let every strike fall at its time; UPS leave the line meanwhile."""
        plan, strikes = self._plan, self._strikes
        faults = [self._at(strike.at_s, strikes.strike(strike)) for strike in plan.strikes]
        turns = [self._at(at_s, strikes.turn(ups)) for ups, at_s in zip(UPSES, plan.turns, strict=False)]
        await asyncio.gather(*faults, *turns, asyncio.sleep(FAULT_S))

    async def _at(self, at_s: float, what: Awaitable[None]) -> None:
        await asyncio.sleep(at_s)
        await what

    # --- afterwards ---------------------------------------------------------------------------------

    async def _heal(self) -> None:
        """Take every fault away; every turn has to become an incident."""
        bench = self._bench
        bench.broker_disk.free()
        bench.store_disk.free()
        for server in (bench.broker, bench.store):
            if server.pid is None:
                await server.start()
        self._operator = asyncio.create_task(self._operate())
        for unit in bench.units.values():
            unit.link.restore()
            unit.link.slow()
            if unit.process.pid is None:
                unit.process.kill()
                unit.start()
        wanted = {f"{UPS}/{ups}" for ups in self._strikes.turned}
        failed = bench.ingest.failed
        await until(lambda: failed or wanted <= centre.open_incidents(bench.config), f"incidents of {wanted}")
        await until(lambda: failed or not bench.ingest.armed, f"windows {bench.ingest.armed} to be hit")
        if failed:
            raise ChaosError(failed[0])

    async def _operate(self) -> None:
        """Restart InfluxDB when the ingest asks for it, as docs/operations.md tells the operator to."""
        store = self._bench.store
        while not self._drained_all.is_set():
            if await asyncio.to_thread(store.is_broken):
                store.kill()
                self._result.notes.append("InfluxDB restarted after its disk was full")
                await store.start()
            await asyncio.sleep(OPERATE_S)

    async def _drain(self) -> None:
        """Wait until every sealed frame has an end at its device."""
        units = self._bench.units.values()
        for unit in units:
            unit.tell("drain")
        await asyncio.gather(*(self._drained(unit) for unit in units))
        self._drained_all.set()
        if self._operator is not None:
            await self._operator
        store = self._bench.store
        store.kill()  # what only its memory has does not count
        await store.start()

    async def _drained(self, unit: Unit) -> None:
        """Wait for one device; one that hears nothing for a while gets a new connection and sends all anew.

        An ack that died with the ingest is waited for through doubling intervals, longer than a run may take.
        """
        path = self._folder / f"{unit.name}.journal"
        loop = asyncio.get_running_loop()
        deadline, known, news, patience_s = loop.time() + PATIENCE_S, 0, loop.time(), STALL_S
        while not unit.is_drained():
            now, size = loop.time(), path.stat().st_size
            if size > known:
                known, news = size, now
            elif now - news > patience_s:
                self._result.notes.append(f"{unit.name}: reconnected to drain")
                await unit.link.drop()
                news = now
                patience_s *= 2  # on a busy machine a connection takes longer than the first of these
            if now > deadline:
                raise ChaosError(f"the spool of {unit.name} does not drain")
            await asyncio.sleep(POLL_S)

    async def _judge(self) -> None:
        """Compare, and put everything into the result."""
        bench, result, plan = self._bench, self._result, self._plan
        accounts = [journal.read(self._folder / f"{name}.journal", name) for name in DEVICES]
        state = centre.state(bench.config)
        found = await asyncio.to_thread(centre.points, bench.config)
        cuts = {unit.name: unit.cuts for unit in bench.units.values()}
        verdict = compare(accounts, centre.centre(state, found), cuts)
        result.wrong += verdict.faults() + self._incidents(state) + _set_aside(state, accounts)
        for account in accounts:
            result.wrong += check_boots(account, len(cuts[account.device]), state.dropped)
        result.counts = _counts(verdict)
        result.reasons = dict(verdict.reasons)
        result.power = {**verdict.power_kinds, "oldest_ms": verdict.power_oldest_ns // 1_000_000}
        result.hit += [*bench.ingest.windows_hit(), *self._quiet_hits(verdict, state, accounts, found)]
        result.disk = " ".join({disk.kind for disk in (bench.broker_disk, bench.store_disk)} - {"none"})
        events, torn = verdict.power_kinds["event"], result.hit.count(Fault.FLASH_TORN.value)
        if (
            events > torn
        ):  # on battery an event goes to flash at once: only the write that was torn may lose it
            result.wrong.append(f"{events} events lost to power cuts, {torn} of which were being written")
        if not plan.power and verdict.power_lost:
            result.wrong.append(f"{verdict.power_lost} frames lost to power cuts in a run without any")

    def _incidents(self, state: centre.State) -> list[str]:
        """Say which turns of UPS do not have exactly one incident with exactly one message."""
        wanted = dict.fromkeys((f"{UPS}/{ups}" for ups in self._strikes.turned), 1)
        wrong = []
        if dict(state.incidents) != wanted:
            wrong.append(f"incidents {dict(state.incidents)} instead of {wanted}")
        if dict(state.messages) != wanted:
            wrong.append(f"messages {dict(state.messages)} instead of {wanted}")
        return wrong

    def _quiet_hits(
        self,
        verdict: Verdict,
        state: centre.State,
        accounts: list[journal.Account],
        found: tuple[tuple[int, Any], ...],
    ) -> list[str]:
        """Faults that are no strikes, where they are seen to have happened."""
        long_bucket = self._bench.config.store.influx.long_bucket
        seen = {
            Fault.STOCK_BROKER: self._plan.stock,
            Fault.CLOCK_UNSET: self._plan.clock is Fault.CLOCK_UNSET and bool(accounts[1].sealed),
            Fault.TYPE_CONFLICT: "type_conflict" in state.refused.values(),
            Fault.OLD_FRAME: any(place[0].startswith(f"{long_bucket}/") for _, place in found),
            Fault.SPOOL_FULL: verdict.dropped > 0,
        }
        missed = self._plan.faults() & {fault for fault, happened in seen.items() if not happened}
        disk_was_full = Fault.DISK_STORE.value in self._result.hit
        if Fault.TYPE_CONFLICT in missed and disk_was_full and centre.has_forgotten_type(self._bench.config):
            missed.remove(Fault.TYPE_CONFLICT)
            self._result.notes.append("InfluxDB forgot a field's type after its disk was full")
        self._result.wrong += [f"planned and not seen: {fault.value}" for fault in sorted(missed)]
        return [fault.value for fault, happened in seen.items() if happened]


def _counts(verdict: Verdict) -> dict[str, int]:
    return {
        "sealed": verdict.sealed,
        "stored": verdict.stored,
        "refused": verdict.refused,
        "dropped": verdict.dropped,
        "power_lost": verdict.power_lost,
        "lost": len(verdict.lost),
        "doubled": len(verdict.doubled) + len(verdict.foreign),
    }


def _set_aside(state: centre.State, accounts: list[journal.Account]) -> list[str]:
    """Say which quarantined messages are not, byte for byte, frames that a device sealed and had refused."""
    digests = {frame.digest: name for account in accounts for name, frame in account.sealed.items()}
    return [
        f"quarantined as {reason}: {digests.get(digest, 'a message nobody sealed')}"
        for reason, digest in state.quarantined
        if digests.get(digest) not in state.refused
    ]


def main() -> None:
    """Do the run that the command line names."""
    number, seed, *keep = sys.argv[1:]
    result = run(make_plan(int(number), int(seed)), keep[0] if keep else None)
    print(json.dumps(result.table()))  # noqa: T201 - read by simulators.chaos


if __name__ == "__main__":
    main()
