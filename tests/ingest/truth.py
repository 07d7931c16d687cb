"""Devices whose clocks do what they like, and what the stages make of their frames, held against the truth.

``python -m tests.ingest.truth --examples 20000 --seed 1`` runs long. An example is a list of steps, drawn by
a seed; a step that makes no sense where it stands does nothing, so that any sublist is an example too and a
failure can be cut down. The stages from ``receive`` to ``commit`` are those of production, on SQLite in
memory; signatures, the store and the rules are left out, and every example is a device of its own.

Every sample carries a number of its own. The truth knows when it was taken and what the device's clock said;
what is written is looked at in every attempt. Devices keep to the protocol: a birth after every connection,
then the newest first.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from collector.ingest.batch import Address, Batch
from collector.ingest.clock import FRESH_MS
from collector.ingest.reception import ReceiveStage
from collector.ingest.resolve import PointsStage, ResolveStage
from collector.ingest.settle import CommitStage
from collector.model import Frame, Outcome, Received, Rows, Table
from collector.storage.points import FramePoints
from collector.storage.state import Base

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from collector.ingest.batch import Item, Stage

Step = tuple[Any, ...]

START_MS = 1_760_000_000_000
DELAY_MS = 2_000  # the way here, at most
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
OFFSETS = (0, 0, 0, 40_000, -50_000, None, None, None, 2 * HOUR, -3 * HOUR, -40 * DAY, 90 * SECOND)
STEPS_OF_A_CLOCK = (HOUR, -HOUR, 45_000, -45_000, 90_000, -90_000, -DAY)
PAUSES = (SECOND, 20 * SECOND, 5 * MINUTE, 2 * HOUR, 3 * DAY)
SITE = "casa"
# of an incarnation: its anchor, another when a fault was found; a bound is tightened now and then
SHIFTS = {"anchored": 1, "arrival": 2, "bounded": 4}


@dataclass(eq=False)
class Sealed:
    """A frame and the truth about it."""

    frame: Frame
    truth_ms: int
    offset_ms: int | None
    numbers: tuple[float, float]
    machine: Machine
    nth: int  # of its machine's frames
    kernel_ms: int  # when its kernel began
    first_ms: int | None = None  # when it first came here
    first_live: bool = False
    plain: bool = False  # its machine's incarnations could be told apart and ordered then
    fresh: bool = False  # it was the newest of its machine when it first came
    newer: bool = False  # something newer had been stored when it first came


@dataclass(eq=False)
class Machine:
    """One machine with a card: a kernel's boots, an agent's starts, a spool."""

    incarnation: str
    boot: int
    kernel: str
    kernel_ms: int
    offset_ms: int | None
    seq: int = 0
    session: int = 0
    connected: bool = False
    rolled_back: bool = False
    has_lied: bool = False  # a frame was sealed without a clock, or with one that is wrong
    spool: list[Sealed] = field(default_factory=list)
    sealed: int = 0
    stored: int = -1  # the newest of its frames that is stored
    stored_ms: int = 0  # and when it was sealed


class Clock:
    def __init__(self) -> None:
        self.now = START_MS

    def now_ms(self) -> int:
        return self.now

    def mono(self) -> float:
        return self.now / 1000


class Nobody:
    """Registry, leases, quarantine, names, rules and log of which nothing is wanted here."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def site_of(self, _device: str, _time_ms: int) -> str:
        return SITE

    def keep(self, *_: object) -> list[str]:
        return []

    def check(self, *_: object) -> None:
        pass

    save = saved = info = check

    def problem(self, reason: str, _text: str) -> None:
        self.said.append(reason)


class Commit(CommitStage):
    """The stage without the rules: the properties look at what they would have been told."""

    def _tell_rules(self, batch: Batch, doubts: object) -> None:
        pass


class Centre:
    """The stages that the properties are about, with one state for many examples."""

    def __init__(self) -> None:
        self.engine = create_engine("sqlite://", poolclass=StaticPool)
        Base.metadata.create_all(self.engine)
        self.clock = Clock()
        self.begin()

    def begin(self) -> None:
        """Everything that a process holds in memory is new."""
        nobody: Any = Nobody()
        self.before: list[Stage] = [
            ReceiveStage(self.engine),
            ResolveStage(nobody, nobody),
            PointsStage(nobody),
        ]
        self.commit = Commit(nobody, nobody, nobody, nobody, nobody, nobody, self.clock)


class ViolationError(AssertionError):
    """Something does not hold."""


def demand(holds: bool, *what: object) -> None:  # noqa: FBT001 - reads like assert
    if not holds:
        raise ViolationError(*what)


class Life:
    """One example: a device, its copies, and what was written of it."""

    def __init__(self, centre: Centre, name: str) -> None:
        self.centre = centre
        self.clock = centre.clock
        self.clock.now = START_MS
        self.name = name
        self.numbers = itertools.count(1)
        self.names = itertools.count(1)
        self.written: dict[float, tuple[int, str]] = {}
        self.sealed: dict[float, Sealed] = {}
        self.sent: list[Sealed] = []
        self.machine = self._machine(20, None)
        self.copies: list[Machine] = []
        self.known: set[int] = set()
        self.kernels: dict[int, bool] = {}  # by their beginning: whether what came first told when that was

    def _machine(self, boot: int, offset_ms: int | None) -> Machine:
        incarnation = f"{self.name}-{next(self.names)}"
        return Machine(incarnation, boot, f"k-{incarnation}", self.clock.now - 90 * SECOND, offset_ms)

    # --- what devices do ----------------------------------------------------------------------------

    def seal(self, machine: Machine, kind: str = "data") -> Sealed:
        now, offset = self.clock.now, machine.offset_ms
        first, second = float(next(self.numbers)), float(next(self.numbers))
        frame = Frame(
            kid=self.name, device=self.name, topic="t", shard="0", kind=kind, incarnation=machine.incarnation,
            boot=machine.boot, kernel_boot=machine.kernel, seq=machine.seq,
            uptime_ms=now - machine.kernel_ms, wall_ms=None if offset is None else now + offset,
            tables=(Table("system", None, ("load1",), ((-5_000, first), (0, second))),),
            dropped={}, session=machine.session if kind == "birth" else None, hello={}, arrival_ms=0,
            digest=b"%08d" % first, stop=False,
        )  # fmt: skip
        made = Sealed(frame, now, offset, (first, second), machine, machine.sealed, machine.kernel_ms)
        self.sealed[first] = self.sealed[second] = made
        machine.has_lied |= offset != 0
        machine.seq += 1
        machine.sealed += 1
        machine.spool.append(made)
        return made

    def restart(self, machine: Machine, *, kernel: bool, back: int) -> None:
        machine.incarnation = f"{self.name}-{next(self.names)}"
        machine.rolled_back |= back > 0
        machine.boot = max(0, machine.boot + 1 - back)
        machine.seq = machine.session = 0
        machine.connected = False
        if kernel:
            machine.kernel, machine.kernel_ms = f"k-{machine.incarnation}", self.clock.now - 20 * SECOND

    def hand_over(self, machine: Machine, count: int, *, together: bool = False) -> None:
        """The newest first, each after its way or in one batch."""
        taken = [machine.spool.pop() for _ in range(min(count, len(machine.spool)))]
        for frames in [taken] if together else [[one] for one in taken]:
            if frames:
                self.take(frames)

    def step(self, step: Step) -> None:
        getattr(self, f"do_{step[0]}")(*step[1:])

    def do_pass(self, ms: int) -> None:
        self.clock.now += ms

    def do_sample(self, delay: int) -> None:
        self.seal(self.machine)
        self.clock.now += delay
        if self.machine.connected:
            self.hand_over(self.machine, 1)
        self.clock.now += 6 * SECOND

    def do_connect(self, delay: int, backlog: int, together: bool) -> None:  # noqa: FBT001 - a step
        if not self.machine.connected:
            self.machine.connected = True
            self.machine.session += 1
            self.seal(self.machine, "birth")
            self.clock.now += delay
            self.hand_over(self.machine, 1 + backlog, together=together)

    def do_cut(self) -> None:
        self.machine.connected = False

    def do_backlog(self, count: int, together: bool) -> None:  # noqa: FBT001 - a step
        if self.machine.connected:
            self.hand_over(self.machine, count, together=together)

    def do_clock(self, ms: int | None) -> None:
        """The clock steps, or is set (None)."""
        if ms is None:
            self.machine.offset_ms = 0
        elif self.machine.offset_ms is not None:
            self.machine.offset_ms += ms

    def do_agent(self, back: int) -> None:
        self.clock.now += 2 * SECOND
        self.restart(self.machine, kernel=False, back=back)

    def do_reboot(self, offset_ms: int | None, back: int) -> None:
        self.clock.now += 40 * SECOND
        self.restart(self.machine, kernel=True, back=back)
        self.machine.offset_ms = offset_ms

    def do_copy(self, offset_ms: int | None) -> None:
        """The card is copied; the copy lives beside the original from now on."""
        if not self.copies:
            copy = self._machine(self.machine.boot, offset_ms)
            self.restart(copy, kernel=True, back=0)
            self.copies.append(copy)

    def do_copy_speaks(self, delay: int) -> None:
        for copy in self.copies:
            if not copy.connected:
                copy.session += 1
            self.seal(copy, "data" if copy.connected else "birth")
            copy.connected = True
            self.clock.now += delay
            self.hand_over(copy, 1)
            self.clock.now += 6 * SECOND

    # --- what happens at the centre -----------------------------------------------------------------

    def do_hold(self, count: int, ms: int) -> None:
        """The ingest was away: the broker hands out later what came, in its order."""
        frames, self.machine.spool = self.machine.spool[:count], self.machine.spool[count:]
        self.clock.now += ms
        if frames:
            self.take(frames, live=False)

    def do_hold_birth(self, ms: int) -> None:
        """The same with a connection: its birth waits in the broker, with what was there before it."""
        self.machine.connected = True
        self.machine.session += 1
        self.seal(self.machine, "birth")
        self.do_hold(len(self.machine.spool), ms)

    def do_crash(self, where: str, ms: int, live: bool) -> None:  # noqa: FBT001 - a step
        """The ingest dies; what was not acknowledged comes again, as a resumed session says or as if live."""
        if not self.machine.connected:
            self.machine.connected = True
            self.machine.session += 1
            self.seal(self.machine, "birth")
        else:
            self.seal(self.machine)
        frames = [self.machine.spool.pop()]
        self.take(frames, until=where)
        self.clock.now += ms
        self.centre.begin()
        self.take(frames, live=live)

    def do_again(self, nth: int, live: bool, restart: bool) -> None:  # noqa: FBT001 - a step
        if self.sent:
            if restart:
                self.centre.begin()
            sealed = self.sent[nth % len(self.sent)]
            [item] = self.take([sealed], live=live)
            demand(item.verdict is not None and item.verdict.outcome is Outcome.DUPLICATE, item.verdict)

    # --- the centre ---------------------------------------------------------------------------------

    def take(self, frames: Sequence[Sealed], *, live: bool = True, until: str = "") -> list[Item]:
        """One batch through the stages; ``until`` the resolved times, the write, or to the end."""
        now = self.clock.now
        batch = Batch.of([Received("0", "t", b"", 1, 1, now, live=live) for _ in frames])
        for item, sealed in zip(batch.items, frames, strict=True):
            item.address = Address("0", self.name, sealed.frame.kind)
            item.frame = _at(sealed.frame, now)
            if sealed.first_ms is None:
                machine = sealed.machine
                sealed.first_ms, sealed.first_live = now, live
                # without the counter the clock orders incarnations, to a minute
                slack = FRESH_MS if machine.rolled_back else 0
                sealed.newer = machine.stored > sealed.nth and machine.stored_ms > sealed.truth_ms + slack
                # without counter and clock nothing orders incarnations, and a copy looks like either
                sealed.plain = not (self.copies or (machine.rolled_back and machine.has_lied))
                sealed.fresh = not sealed.newer and sealed.plain
        for stage in self.centre.before:
            stage(batch)
            if until == "resolve" and stage.name == "resolve":
                batch.release()
                return batch.items
        self._look(batch)
        if until != "write":
            self.centre.commit(batch)
            for item, sealed in zip(batch.items, frames, strict=True):
                refused = item.verdict is not None and item.verdict.outcome is Outcome.REFUSED
                ahead = (sealed.frame.wall_ms or 0) > now + FRESH_MS
                demand(not refused or ahead, "lost", sealed, item.verdict)
                if item.work.new and sealed.nth > sealed.machine.stored:
                    sealed.machine.stored, sealed.machine.stored_ms = sealed.nth, sealed.truth_ms
            if until != "commit":
                self.sent += [sealed for sealed in frames if sealed not in self.sent]
        batch.release()
        return batch.items

    def _look(self, batch: Batch) -> None:
        """Note what would be written now; a number that was written before stays where it was."""
        self._look_at_neighbours(batch)
        for item in batch.items:
            if item.verdict is not None:
                continue
            for time_ms, number in _written(item):
                place = time_ms, item.work.quality.value
                demand(self.written.setdefault(number, place) == place, "a second time", number, place)
            for _, told in item.work.observations:
                for row in told.readings() if isinstance(told, Rows) and told.current else ():
                    self._may_be_live(self.sealed[row.fields["load1"]])  # type: ignore[index]

    def _look_at_neighbours(self, batch: Batch) -> None:
        """What nothing dates lies before the next kernel began, when that is known."""
        came: dict[int, list[tuple[Sealed, int, str]]] = {}
        for item in batch.items:
            for time_ms, number in _written(item):
                sealed = self.sealed[number]
                came.setdefault(sealed.kernel_ms, []).append((sealed, time_ms, item.work.quality.value))
        for kernel_ms, found in came.items():
            dated = all(how == "arrival" or (how == "synced" and not s.offset_ms) for s, _, how in found)
            self.kernels.setdefault(kernel_ms, dated and all(s.plain for s, _, _ in found))
        for kernel_ms in came.keys() - self.known:
            self.known.add(kernel_ms)
            later = min((at for at, dated in self.kernels.items() if dated and at > kernel_ms), default=None)
            for sealed, time_ms, how in came[kernel_ms]:
                if how == "bounded" and sealed.plain and later is not None:
                    demand(time_ms <= later + FRESH_MS, "after its successor", sealed, time_ms, later)

    def _may_be_live(self, sealed: Sealed) -> None:
        if sealed.plain:
            demand(not sealed.newer, "history told as live", sealed)

    # --- what must hold -----------------------------------------------------------------------------

    def check(self) -> None:
        """Hold all that was written against the truth."""
        errors: dict[tuple[str, str], set[int]] = {}
        for number, (time_ms, how) in self.written.items():
            sealed = self.sealed[number]
            truth_ms = sealed.truth_ms - (5_000 if number == sealed.numbers[0] else 0)
            _check_error(sealed, time_ms - truth_ms, how)
            if how != "synced":
                errors.setdefault((sealed.frame.incarnation, how), set()).add(time_ms - truth_ms)
        for key, found in errors.items():
            # whole incarnations are shifted, never sample against sample
            demand(len(found) <= SHIFTS[key[1]], "samples moved", key, found)


def _written(item: Item) -> list[tuple[int, float]]:
    """Return the time and the number of every row of a frame."""
    points = item.work.points
    if not points:
        return []
    assert isinstance(points, FramePoints)
    return [
        (time_ms, row[1])
        for part in points.parts
        for time_ms, row in zip(part.times_ms, part.rows, strict=True)
    ]


def _check_error(sealed: Sealed, error_ms: int, how: str) -> None:
    """An error is what the stated quality allows, and what could be known to be wrong is not believed."""
    frame, first_ms = sealed.frame, sealed.first_ms or 0
    if how == "synced":
        demand(error_ms == sealed.offset_ms, "not its own clock", sealed, error_ms)
        ahead_ms = (frame.wall_ms or 0) - first_ms
        demand(ahead_ms <= FRESH_MS or not sealed.plain, "a time to come", sealed)
        believable = (
            not (frame.kind == "birth" and sealed.fresh and sealed.first_live) or ahead_ms >= -FRESH_MS
        )
        demand(believable, "a clock that is known to be behind", sealed)
    if how == "arrival" and sealed.plain:
        demand(0 <= error_ms <= DELAY_MS, "not its arrival", sealed, error_ms)
    demand(
        not sealed.plain or sealed.truth_ms + error_ms <= first_ms + FRESH_MS + 5_000,
        "after its arrival",
        sealed,
        error_ms,
    )


def _at(frame: Frame, arrival_ms: int) -> Frame:
    return frame._replace(arrival_ms=arrival_ms)


# --- examples -----------------------------------------------------------------------------------------


def _delay(r: random.Random) -> int:
    return r.randint(0, DELAY_MS)


def _back(r: random.Random) -> int:
    return r.choice((0, 0, 0, 7))


DRAW: dict[str, tuple[int, Callable[[random.Random], Step]]] = {
    "pass": (3, lambda r: (r.choice(PAUSES),)),
    "sample": (8, lambda r: (_delay(r),)),
    "connect": (6, lambda r: (_delay(r), r.randint(0, 6), r.random() < 0.3)),
    "cut": (3, lambda r: ()),
    "backlog": (4, lambda r: (r.randint(1, 4), r.random() < 0.5)),
    "clock": (2, lambda r: (r.choice((*STEPS_OF_A_CLOCK, None, None)),)),
    "agent": (2, lambda r: (_back(r),)),
    "reboot": (3, lambda r: (r.choice(OFFSETS), _back(r))),
    "hold": (2, lambda r: (r.randint(1, 4), r.choice((20 * SECOND, HOUR)))),
    "hold_birth": (2, lambda r: (r.choice((20 * SECOND, 10 * MINUTE, HOUR)),)),
    "crash": (3, lambda r: (
        r.choice(("resolve", "write", "commit")), r.choice((SECOND, 10 * MINUTE, 3 * HOUR)), r.random() < 0.5
    )),
    "again": (2, lambda r: (r.randrange(100), r.random() < 0.5, r.random() < 0.3)),
    "copy": (1, lambda r: (r.choice(OFFSETS),)),
    "copy_speaks": (1, lambda r: (_delay(r),)),
}  # fmt: skip
KINDS = [name for name, (weight, _) in DRAW.items() for _ in range(weight)]


def draw(seed: str, most: int = 24) -> list[Step]:
    """Return the steps of an example; the first one says what the clock is at the beginning."""
    r = random.Random(seed)  # noqa: S311 - examples, no secrets
    steps: list[Step] = [("reboot", r.choice(OFFSETS), 0)]
    for _ in range(r.randint(3, most)):
        kind = r.choice(KINDS)
        steps.append((kind, *DRAW[kind][1](r)))
    return steps


class Examples:
    """Runs examples on one centre after the other."""

    PER_CENTRE = 200  # a state that grows gets slower

    def __init__(self) -> None:
        self._run = 0

    def play(self, steps: Sequence[Step]) -> ViolationError | None:
        """Run one example; return what did not hold."""
        if self._run % self.PER_CENTRE == 0:
            self._centre = Centre()
        self._run += 1
        self._centre.begin()
        life = Life(self._centre, f"d{self._run}")
        try:
            for step in steps:
                life.step(step)
            life.check()
        except ViolationError as violation:
            return violation
        return None

    def shrink(self, steps: list[Step]) -> list[Step]:
        """Leave out steps as long as something does not hold."""
        shrunk = True
        while shrunk:
            shrunk = False
            for at in reversed(range(len(steps))):
                fewer = steps[:at] + steps[at + 1 :]
                if self.play(fewer) is not None:
                    steps, shrunk = fewer, True
        return steps

    def search(self, seed: str, count: int) -> list[Step] | None:
        """Return the smallest example found that does not hold, None when all of them do."""
        for steps in self.some(seed, count):
            if self.play(steps) is not None:
                return self.shrink(steps)
        return None

    @staticmethod
    def some(seed: str, count: int) -> Iterator[list[Step]]:
        """Draw examples."""
        return (draw(f"{seed}/{number}") for number in range(count))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=20_000)
    parser.add_argument("--seed", default="1")
    options = parser.parse_args()
    examples, begun = Examples(), time.monotonic()
    found = examples.search(options.seed, options.examples)
    sys.stdout.write(f"{options.examples} examples, {time.monotonic() - begun:.0f} s\n")
    if found is not None:
        lines = [f"    {step}," for step in found]
        sys.stdout.write("\n".join(["does not hold:", *lines, repr(examples.play(found))]) + "\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
