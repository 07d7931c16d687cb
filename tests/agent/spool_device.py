"""A device's spool on a file system that fails, and what is known of every frame that went into it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from agent.errors import SpoolError
from agent.log import Log
from agent.segment import Record
from agent.shelf import SEGMENT_BYTES, Entry
from agent.spool import MEMORY_BYTES, Spool
from tests.agent.unsafe_files import FLASH, RAM, CutError, UnsafeFiles

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 4 * SEGMENT_BYTES
QUIET = Log(lambda: 0, lambda _line: None)
Key = tuple[bytes, int]


def record(boot: int, seq: int, kind: str, size: int) -> Record:
    frame = random.Random(boot * 100_000 + seq).randbytes(size)  # noqa: S311 - test data
    return Record(kind, boot, b"inc%05d" % boot, seq, f"vigia/v1/a/mx-001/{kind}", frame)


def key_of(entry: Entry) -> Key:
    return entry.incarnation, entry.seq


class Device:
    """A spool, the file system under it, and what is known of every frame that went in."""

    def __init__(self, seed: int) -> None:
        self.files = UnsafeFiles(random.Random(seed))  # noqa: S311 - test data
        self.sealed: dict[Key, Record] = {}
        self.settled: set[Key] = set()  # acked or refused
        self.unsure: dict[Key, Record] = {}  # the process died while they were being added
        self.excused: set[Key] = set()  # lost to what the next start states, or could not write down
        self.returned: set[Key] = set()  # acked, yet there again after a restart: their file lived on
        self.flips = 0
        self.boot = self.kernel = 0
        self.running = self.unwritten = False
        self.start()

    def start(self) -> None:
        if self.running:  # a process that was cut off while it started has counted nothing yet
            self.unwritten = self.unwritten or self.spool._account.stale(self.spool._held_now())
        self.running = False
        self.boot += 1
        self.seq = 0
        self.spool: Spool = Spool(self.files, (RAM, FLASH), LIMIT, QUIET)
        self.spool.recover("mx-001", b"%016d" % self.kernel)
        self.running = True
        self.returned |= self.settled & self.waiting()

    # --- what it does ---

    def add(self, kind: str = "data", size: int = 1500) -> None:
        new = record(self.boot, self.seq, kind, size)
        self.seq += 1
        self.unsure[new.incarnation, new.seq] = new
        self.spool.add(new)
        del self.unsure[new.incarnation, new.seq]
        self.sealed[new.incarnation, new.seq] = new

    def ack(self, entry: Entry) -> None:
        self.settled.add(key_of(entry))
        self.spool.done(entry)

    def refuse(self, entry: Entry) -> None:
        self.settled.add(key_of(entry))
        self.spool.lose(entry, "refused")

    def work(self, what: str) -> None:
        """Do one of the things a process does."""
        entries = self.spool.entries()
        if what in {"data", "event", "birth"}:
            self.add(what)
        elif what == "flush":
            self.spool.flush()
        elif what == "ack" and entries:
            self.ack(entries[0])
        elif what == "refuse" and entries:
            self.refuse(entries[-1])
        elif what == "start":
            self.start()

    # --- what happens to it ---

    def cut(self, work: Callable[[], object], steps: int) -> bool:
        """Do something that may be cut off after so many steps; True when it was."""
        self.files.cut_after = steps
        try:
            work()
        except CutError:
            return True
        finally:
            self.files.cut_after = None
        return False

    def kill(self) -> None:
        """Only what the account could not be written for may be missing from it."""
        self.files.kill()
        self.start()
        if self.unwritten and len(self.missing() - self.excused) > self.counted():
            self.excused = self.missing()
        self.unwritten = False

    def power_cut(self) -> None:
        """What lay in flash is still there; what was in RAM alone is excused, for the next start says so."""
        in_flash = {key_of(entry) for entry in self.spool.entries() if self.spool._on_flash(entry)}
        self.files.power_cut()
        self.kernel += 1
        self.start()
        assert not self.spool.continued  # from this the agent says ram_wiped
        assert in_flash <= self.waiting() | self.settled
        self.excused = self.missing()

    def decay(self) -> None:
        if self.files.decay():
            self.flips += 1
            for entry in self.spool.entries():  # as the publisher does it
                try:
                    self.spool.read(entry)
                except SpoolError:
                    self.spool.lose(entry, "unreadable")

    # --- what holds ---

    def waiting(self) -> set[Key]:
        return {key_of(entry) for entry in self.spool.entries()}

    def missing(self) -> set[Key]:
        return self.sealed.keys() - self.settled - self.waiting()

    def counted(self) -> int:
        return sum(self.spool.dropped.get(name, 0) for name in ("data", "event", "unreadable"))

    def check(self, *, exact: bool) -> None:
        for entry in self.spool.entries():
            known = self.sealed.get(key_of(entry)) or self.unsure[key_of(entry)]
            assert entry.kind == known.kind
            assert self.spool.read(entry) == known.frame
        lost = len(self.missing() - self.excused)
        torn = self.flips if self.spool.dropped.get("torn_bytes") else 0
        assert lost <= self.counted() + torn
        if exact:
            assert self.counted() <= lost + len(self.unsure) + len(self.returned)
        held = sum(entry.size for entry in self.spool.entries() if entry.held is not None)
        assert held <= MEMORY_BYTES
