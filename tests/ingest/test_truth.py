"""Clock resolution against a simulated truth: whatever a device's clock does, the store can be relied on.

Every sample carries a number of its own. The truth knows when it was taken and what the device's clock said
then; the store is asked when it was written, and how that is known. Devices keep to the protocol: a birth
after every connection, then the newest first.
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from collector.ingest.batch import Batch
from collector.ingest.clock import FRESH_MS
from tests.ingest.world import START_MS, Sealer, World

DELAY_MS = 2_000  # the way here, at most
SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
OFFSETS = st.sampled_from([0, 0, 40_000, -50_000, None, None, 2 * HOUR, -3 * HOUR])


@dataclass
class Sealed:
    """A frame and the truth about it."""

    message: tuple[str, bytes]
    incarnation: bytes
    seq: int
    truth_ms: int
    offset_ms: int | None
    numbers: tuple[float, float]


@dataclass
class Machine:
    """One machine with a card: a kernel's boots, an agent's starts, a spool."""

    sealer: Sealer
    seq: int = 0
    session: int = 0
    connected: bool = False
    spool: list[Sealed] = field(default_factory=list)


class Killed(BaseException):
    """The ingest ends here."""


class WatchedStore:
    """Notes when each number was written, at every attempt."""

    def __init__(self, store):
        self._store = store
        self.written: dict[float, set[tuple[int, str, str]]] = {}
        self.dies = False

    def write(self, frames):
        answer = self._store.write(frames)
        for points in frames:
            for point in points:
                fields = dict(point.fields)
                how = fields.get("time_quality", "synced")
                where = dict(point.tags)["site"]
                self.written.setdefault(fields["load1"], set()).add((point.time_ms, how, where))
        if self.dies:
            raise Killed
        return answer

    def __getattr__(self, name):
        return getattr(self._store, name)


class Truth(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        sealer = Sealer(incarnation=b"inc-0001", boot=20)
        self.world = World(Path(mkdtemp(prefix="vigia-truth-")), [sealer])
        self.world.config = self.world.config.model_copy(
            update={"ingest": self.world.config.ingest.model_copy(update={"bucket_burst": 100_000})}
        )
        self.store = self.world.store = WatchedStore(self.world.store)
        self.world.restart()
        self.numbers = itertools.count(1)
        self.names = itertools.count(2)
        self.known: dict[float, Sealed] = {}
        self.sent: list[Sealed] = []
        sealer.started_ms = START_MS - 90 * SECOND
        self.machine = Machine(sealer)
        self.copies: list[Machine] = []

    @initialize(offset=OFFSETS)
    def begin(self, offset):
        self.machine.sealer.clock_ms = offset

    # --- what devices do ----------------------------------------------------------------------------

    def seal(self, machine, kind="data"):
        clock, sealer = self.world.clock, machine.sealer
        first, second = float(next(self.numbers)), float(next(self.numbers))
        tables = [["system", None, ["load1"], [[-5_000, first], [0, second]]]]
        values = {"session": machine.session} if kind == "birth" else {}
        message = sealer.seal(kind, clock.now, seq=machine.seq, tables=tables, **values)
        made = Sealed(message, sealer.incarnation, machine.seq, clock.now, sealer.clock_ms, (first, second))
        self.known[first] = self.known[second] = made
        machine.seq += 1
        machine.spool.append(made)

    def start(self, machine, *, kernel, back=0):
        now, boot = self.world.clock.now, max(0, machine.sealer.boot + 1 - back)
        name = b"inc-%04d" % next(self.names)
        kernel_boot = b"k" + name + b"-kernel" if kernel else None
        sealer = machine.sealer.restarted(name, boot=boot, kernel_boot=kernel_boot)
        if kernel:
            sealer.started_ms = now - 20 * SECOND
        machine.sealer, machine.seq, machine.session, machine.connected = sealer, 0, 0, False

    def hand_over(self, machine, count, *, live=True):
        """The newest first, each after its way."""
        for _ in range(min(count, len(machine.spool))):
            self.take([machine.spool.pop()], live=live)

    def take(self, frames, *, live=True):
        self.sent += frames
        return self.world.take(*[frame.message for frame in frames], live=live)

    @rule(ms=st.sampled_from([SECOND, 20 * SECOND, 5 * MINUTE, 2 * HOUR]))
    def time_passes(self, ms):
        self.world.clock.step(ms)

    @rule(delay=st.integers(0, DELAY_MS))
    def sample(self, delay):
        self.seal(self.machine)
        self.world.clock.step(delay)
        if self.machine.connected:
            self.hand_over(self.machine, 1)
        self.world.clock.step(6 * SECOND)

    @precondition(lambda self: not self.machine.connected)
    @rule(delay=st.integers(0, DELAY_MS), backlog=st.integers(0, 6))
    def connect(self, delay, backlog):
        self.machine.connected = True
        self.machine.session += 1
        self.seal(self.machine, "birth")
        self.world.clock.step(delay)
        self.hand_over(self.machine, 1 + backlog)

    @precondition(lambda self: self.machine.connected)
    @rule()
    def link_breaks(self):
        self.machine.connected = False

    @precondition(lambda self: self.machine.connected and self.machine.spool)
    @rule(count=st.integers(1, 4))
    def backlog(self, count):
        self.hand_over(self.machine, count)

    @rule(ms=st.sampled_from([HOUR, -HOUR, 45_000, -45_000]))
    def clock_steps(self, ms):
        if self.machine.sealer.clock_ms is not None:
            self.machine.sealer.clock_ms += ms

    @rule()
    def clock_is_set(self):
        self.machine.sealer.clock_ms = 0

    @rule(back=st.sampled_from([0, 0, 7]))
    def agent_restarts(self, back):
        self.world.clock.step(2 * SECOND)
        self.start(self.machine, kernel=False, back=back)

    @rule(offset=OFFSETS, back=st.sampled_from([0, 0, 7]))
    def machine_restarts(self, offset, back):
        self.world.clock.step(40 * SECOND)
        self.start(self.machine, kernel=True, back=back)
        self.machine.sealer.clock_ms = offset

    # --- what happens at the centre -----------------------------------------------------------------

    @precondition(lambda self: self.machine.spool)
    @rule(count=st.integers(1, 4), ms=st.sampled_from([20 * SECOND, HOUR]))
    def broker_holds_back(self, count, ms):
        """The ingest was away: the broker hands out later what came, in its order."""
        frames, self.machine.spool = self.machine.spool[:count], self.machine.spool[count:]
        self.world.clock.step(ms)
        self.take(frames, live=False)

    @rule(ms=st.sampled_from([SECOND, 10 * MINUTE]))
    def ingest_dies_after_the_write(self, ms):
        """It is delivered again to the next process, later; a first birth too, which others are dated by."""
        if not self.machine.connected:
            self.machine.connected = True
            self.machine.session += 1
        self.seal(self.machine, "data" if self.machine.seq else "birth")
        frame = self.machine.spool.pop()
        self.store.dies = True
        batch = Batch.of([self.world.received(frame.message)])
        with contextlib.suppress(Killed):
            self.world.pipeline.run(batch, threading.Event())
        self.store.dies = False
        self.world.clock.step(ms)
        self.world.restart()
        self.take([frame], live=False)  # as the source says of what a resumed session hands out

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), live=st.booleans(), restart=st.booleans())
    def delivered_again(self, data, live, restart):
        if restart:
            self.world.restart()
        frame = data.draw(st.sampled_from(self.sent))
        [(outcome, _)] = self.world.take(frame.message, live=live)
        assert outcome == "duplicate"

    @rule(offset=st.sampled_from([0, None, 30_000]))
    def card_is_copied(self, offset):
        if not self.copies:
            copy = Machine(self.machine.sealer)
            self.start(copy, kernel=True)
            copy.sealer.clock_ms = offset
            self.copies.append(copy)

    @precondition(lambda self: self.copies)
    @rule(delay=st.integers(0, DELAY_MS))
    def copy_speaks(self, delay):
        [copy] = self.copies
        self.seal(copy, "data" if copy.connected else "birth")
        copy.connected = True
        self.world.clock.step(delay)
        self.hand_over(copy, 1)
        self.world.clock.step(6 * SECOND)

    # --- what must hold -----------------------------------------------------------------------------

    @invariant()
    def every_number_has_one_time(self):
        assert all(len(places) == 1 for places in self.store.written.values())

    @invariant()
    def times_are_within_their_stated_error(self):
        shifts: dict[tuple[bytes, str], set[int]] = {}
        for number, places in self.store.written.items():
            sealed = self.known[number]
            truth_ms = sealed.truth_ms - (5_000 if number == sealed.numbers[0] else 0)
            [(time_ms, how, _)] = places
            error_ms = time_ms - truth_ms
            if how == "synced":
                assert error_ms == sealed.offset_ms
            else:
                shifts.setdefault((sealed.incarnation, how), set()).add(error_ms)
            if how == "arrival":
                assert 0 <= error_ms <= DELAY_MS, (sealed, error_ms)
            assert time_ms <= self.world.clock.now + FRESH_MS
        # whole incarnations are shifted; samples never move against each other
        assert all(len(found) <= 2 for found in shifts.values()), shifts

    @invariant()
    def no_two_samples_fall_together(self):
        by_frame: dict[int, list[int]] = {}
        for number, places in self.store.written.items():
            by_frame.setdefault(id(self.known[number]), []).extend(time_ms for time_ms, _, _ in places)
        assert all(len(times) < 2 or max(times) - min(times) == 5_000 for times in by_frame.values())

    def teardown(self):
        self.world.close()
        shutil.rmtree(self.world.config.base)


Truth.TestCase.settings = settings(
    max_examples=20,
    stateful_step_count=30,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
TestTruth = Truth.TestCase
