"""One device in a process of its own: the real agent, journalled from outside.

``python -m simulators.chaos.device SPEC`` runs it until SIGTERM or the end of standard input; lines there are
commands (``clock <ms|none>``, ``ob <ups>``, ``tear``, ``drain``). SIGKILL is the harness's business.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent import config as agent_config
from agent import segment
from agent.build import build
from agent.log import Log
from agent.ports.files import Files
from agent.samples import clean, packed
from agent.wire import cbor, cose
from simulators.chaos import readers
from simulators.chaos.clock import ChaosClock, old_clock
from simulators.chaos.journal import Journal
from simulators.chaos.spec import Spec

if TYPE_CHECKING:
    from agent.loop import Agent
    from agent.segment import Record
    from agent.shelf import Entry
    from agent.spool import Spool

OLD_DAYS = 40
_POLL_S = 0.02
_TABLES = 9  # key of the tables in a payload, WIRE.md


class ChaosFiles(Files):
    """The device's files; notes what is on flash, and tears a flash write when told to."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.tear = False

    def append(self, path: str, data: bytes, *, sync: bool) -> None:
        """Append; with ``tear`` the power goes in the middle of a flash write."""
        if sync and self.tear:
            half = data[: len(data) * 2 // 3]
            whole, torn = segment.scan(half)
            super().append(path, half, sync=True)
            self._journal.note("flash", [_name(record) for _, _, record in whole])
            self._journal.note("torn", torn)
            os.kill(os.getpid(), signal.SIGKILL)
        super().append(path, data, sync=sync)
        if sync:
            self._journal.note("flash", [_name(record) for _, _, record in segment.scan(data)[0]])


def _name(what: Record | Entry) -> list[Any]:
    return [what.incarnation.hex(), what.seq]


def watch(spool: Spool, journal: Journal) -> None:
    """Let the journal know of every frame before the spool does, and of its end."""
    add, done, lose, drop = spool.add, spool.done, spool.lose, spool._drop  # noqa: SLF001 - the one place where a full spool gives up a frame

    def journalled_add(record: Record) -> Entry:
        digest = hashlib.sha256(record.frame).hexdigest()
        journal.note(
            "sealing", *_name(record), record.kind, digest, counters(bytes(record.frame)), time.monotonic_ns()
        )
        entry = add(record)
        journal.note("kept", *_name(record))
        return entry

    def journalled_done(entry: Entry) -> None:
        journal.note("outcome", *_name(entry), "stored")
        done(entry)

    def journalled_lose(entry: Entry, reason: str) -> None:
        journal.note("outcome", *_name(entry), reason)
        lose(entry, reason)

    def journalled_drop(entry: Entry, *more: Any, **options: Any) -> None:
        journal.note("outcome", *_name(entry), "dropped")
        drop(entry, *more, **options)

    wraps = {
        "add": journalled_add,
        "done": journalled_done,
        "lose": journalled_lose,
        "_drop": journalled_drop,
    }
    for name, wrapped in wraps.items():
        setattr(spool, name, wrapped)


def counters(message: bytes) -> list[int]:
    """Return the counters of a frame's samples."""
    payload = cbor.decode(cose.parse_sign1(message)[2])
    found: list[int] = []
    for measurement, _, names, rows in payload.get(_TABLES, []):
        if measurement == readers.MEASUREMENT and readers.FIELD in names:
            column = names.index(readers.FIELD) + 1
            found += [row[column] for row in rows if row[column] is not None]
    return found


class Device:
    """The agent of one life, and the commands it gets."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.journal = Journal(Path(spec.journal))
        self.clock = ChaosClock(spec.boot_ns, bytes.fromhex(spec.boot_id), spec.offset_ms)
        self.files = ChaosFiles(self.journal)
        self.on_battery = set(spec.on_battery)
        self.config = _config(spec)
        self.agent: Agent
        self.draining = False

    async def run(self) -> None:
        """Run until stopped."""
        if self.spec.old_frame:
            await self._seal_old()
        log = Log(self.clock.uptime_ms)
        self.agent = build(self.config, clock=self.clock, readers=self._readers(), fs=self.files, log=log)
        spool = self.agent.parts.spool
        watch(spool, self.journal)
        me = self.agent.parts.identity
        waiting, dropped = spool.frames(), dict(spool.dropped)
        self.journal.note("boot", me.incarnation.hex(), me.kernel_boot.hex(), me.boot, waiting, dropped)
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        listening = asyncio.create_task(self._listen(stop))
        await self.agent.run(stop)
        listening.cancel()

    async def _seal_old(self) -> None:
        """Leave a frame in flash that was sealed 40 days ago, by the agent's own parts."""
        clock = old_clock(OLD_DAYS)
        log = Log(clock.uptime_ms)
        agent = build(self.config, clock=clock, readers=[], fs=self.files, log=log)
        watch(agent.parts.spool, self.journal)
        samples, _ = clean(clock.uptime_ms(), [readers.counted(self.spec.first - 1, "old")])
        await agent.parts.sealer.data(packed(samples))
        agent.parts.spool.flush()

    def _readers(self) -> list[Any]:
        spec = self.spec
        found: list[Any] = [readers.CounterReader(spec.sample_ms, spec.first, spec.life, self.clock)]
        if spec.upses:
            found.append(readers.UpsReader(spec.sample_ms, spec.upses, self.on_battery))
        if spec.conflict:
            found.append(readers.ConflictReader(spec.sample_ms))
        if spec.padded:
            found.append(readers.PadReader(spec.sample_ms))
        return found

    async def _listen(self, stop: asyncio.Event) -> None:
        """Do what the harness says; stop when it is gone."""
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
        while line := (await reader.readline()).decode():
            word, _, rest = line.strip().partition(" ")
            self._obey(word, rest)
            if word == "drain":
                await self._drain()
        stop.set()

    def _obey(self, word: str, rest: str) -> None:
        if word == "clock":
            self.clock.step(None if rest == "none" else int(rest))
        elif word == "ob":
            self.on_battery.add(rest)
        elif word == "tear":
            self.files.tear = True

    async def _drain(self) -> None:
        """Seal nothing more but births, and say when nothing waits; then seal nothing at all.

        A start that has sealed nothing yet has not said its birth: what it lost, the centre hears with it.
        """
        sealer, spool = self.agent.parts.sealer, self.agent.parts.spool
        for name in ("data", "event"):
            setattr(sealer, name, _nothing)
        while True:
            async with sealer._lock:  # noqa: SLF001 - what is being sealed now is sealed first
                if sealer.next_seq and not spool.frames():
                    break
            await asyncio.sleep(_POLL_S)
        setattr(sealer, "birth", _nothing)  # noqa: B010 - a method
        self.journal.note("drained")


async def _nothing(*_arguments: Any, **_options: Any) -> None:
    """Seal nothing."""


def _config(spec: Spec) -> dict[str, Any]:
    config = agent_config.load(spec.config)
    # the line listens on the loopback, the broker's certificate names localhost
    config["broker"] |= {"host": "localhost", "port": spec.port}
    config["spool"] |= {"ram_dir": spec.ram, "flash_dir": spec.flash, "limit_kib": spec.limit_kib}
    config["intervals"] |= spec.intervals
    return config


def main() -> None:
    """Run the device of a specification."""
    spec = Spec(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    asyncio.run(Device(spec).run())


if __name__ == "__main__":
    main()
