"""Takes the steps of the sequence one after the other: does or asks, looks, and ends each by its limit."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from simulators.bench.failure import BenchError
from simulators.bench.steps import Note, Phase, Record, Sight, State, Turn, View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from simulators.bench.pace import Pace
    from simulators.bench.seen import Seen
    from simulators.bench.steps import Step

LOOK_S: Final = 0.25
NEEDS_S: Final = 12.0  # for a part that the device has, and has not reported yet


class Table(Protocol):
    """What stands on the table, as the runner needs it."""

    def look(self) -> Seen:
        """Return what was seen last."""
        ...

    def knob(self, name: str) -> str:
        """Return how a knob stands."""
        ...

    def turn(self, name: str, text: str) -> None:
        """Turn a knob that the bench can turn."""
        ...

    def by_hand(self, name: str) -> bool:
        """Tell whether a person has to do this, for the thing is real."""
        ...

    def measure(self) -> Mapping[str, float] | None:
        """Return what a multimeter would show, None: a person has to read a real one."""
        ...


@dataclass(frozen=True, slots=True)
class Ask:
    """What a person is asked for now: knobs to turn by hand, a confirmation, numbers to enter."""

    do: tuple[tuple[str, str], ...] = ()
    confirm: bool = False
    numbers: tuple[str, ...] = ()
    optional: bool = False
    subject: str = ""


@dataclass(slots=True)
class _Hands:
    """What the person at the table said in this phase."""

    confirmed: bool = False
    left_out: bool = False
    entered: dict[str, float] = field(default_factory=dict)
    entered_ms: int = 0


class Runner:
    """The steps and what became of each. One runs at a time; calls come from the event loop's thread.

    Without ``hands`` nobody is there: a step that needs somebody is skipped.
    """

    def __init__(
        self,
        steps: Iterable[Step],
        table: Table,
        pace: Pace,
        now_ms: Callable[[], int],
        *,
        hands: bool = True,
    ) -> None:
        self.records = {step.name: Record(step) for step in steps}
        self.ask = Ask()
        self.deadline_ms = 0
        self._table = table
        self._pace = pace
        self._now_ms = now_ms
        self._with_hands = hands
        self._task: asyncio.Task[None] | None = None
        self._hands = _Hands()

    @property
    def running(self) -> Record | None:
        """The step that runs."""
        return next((one for one in self.records.values() if one.state is State.RUNNING), None)

    @property
    def busy(self) -> bool:
        """Tell whether steps run or one puts back what it turned."""
        return self._task is not None and not self._task.done()

    # --- what people and programs ask for ------------------------------------------------------------

    def start(self, names: Iterable[str] | None = None) -> None:
        """Take these steps, or all; ``BenchError`` when one runs or there is none of that name."""
        if self.busy:
            raise BenchError("a step is running; wait for its end or stop it")
        wanted = [self._record(name) for name in (self.records if names is None else names)]
        self._task = asyncio.create_task(self._take_all(wanted), name="bench sequence")

    async def finished(self) -> None:
        """Return when nothing runs any more."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
            if not self._task.cancelled() and (error := self._task.exception()) is not None:
                raise error

    async def stop(self) -> None:
        """Break off what runs, and put back what it turned."""
        task = self._task
        if task is not None and not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def skip(self, name: str) -> None:
        """Leave a step out; the one that runs is broken off and the next one taken."""
        record = self._record(name)
        if record.state is State.RUNNING:
            self._hands.left_out = True
            return
        record.take(Turn.SKIP)
        record.reason = Note("left_out")

    def confirm(self) -> None:
        """Say that what was asked for by hand is done."""
        self._hands.confirmed = True

    def leave_out(self) -> None:
        """Leave out the phase that runs, where it may be; ``BenchError`` elsewhere."""
        if not self.ask.optional:
            raise BenchError("this part cannot be left out; skip the whole step")
        self._hands.confirmed = self._hands.left_out = True

    def enter(self, numbers: Mapping[str, float]) -> None:
        """Take what was read off a multimeter; ``BenchError`` for what was not asked for."""
        if not numbers or not set(numbers) <= set(self.ask.numbers):
            raise BenchError("no step asks for this number now")
        self._hands.entered = dict(numbers)
        self._hands.entered_ms = self._now_ms()

    # --- one after the other ---------------------------------------------------------------------------

    async def _take_all(self, records: list[Record]) -> None:
        shut = False
        for record in records:
            if shut:
                record.take(Turn.SKIP)
                record.reason = Note("behind_gate")
                continue
            await self._take(record)
            shut = record.step.gate and record.state is State.FAILED and len(records) > 1

    async def _take(self, record: Record) -> None:
        """Take one step to its end and put back what it turned, however it ends."""
        stood: dict[str, str] = {}
        record.take(Turn.START)
        record.runs += 1
        self._hands = _Hands()
        record.notes, record.reason, record.phases, record.at = [], None, (), 0
        record.began_ms = record.phase_ms = self._now_ms()
        first = self._table.look()
        try:
            await self._phases(record, stood)
        except BaseException:  # broken off, or a fault of ours: it must not run for ever
            if record.state is State.RUNNING:
                record.take(Turn.STOP)
            raise
        finally:
            self.ask = Ask()
            record.ended_ms = self._now_ms()
            for name, text in stood.items():
                self._table.turn(name, text)
        if stood:
            await self._calm(record, first)

    async def _phases(self, record: Record, stood: dict[str, str]) -> None:
        first = await self._parts(record)
        if first is None:
            record.take(Turn.SKIP)
            record.reason = Note("lacks", {"part": record.step.needs or "device"})
            return
        record.phases = record.step.phases(first)
        for at, phase in enumerate(record.phases):
            record.at = at
            if record.reason is not None or not await self._phase(record, phase, first, stood):
                return
            record.take(Turn.DONE if at == len(record.phases) - 1 else Turn.NEXT)

    async def _parts(self, record: Record) -> Seen | None:
        """Return what is seen once the part that is tested has been reported; None: there is none."""
        needs, until_ms = record.step.needs, self._now_ms() + 1000 * NEEDS_S
        self.deadline_ms = round(until_ms)
        while True:
            seen = self._table.look()
            if needs is None or seen.row(needs) is not None:
                return seen
            if self._now_ms() >= until_ms or self._hands.left_out:
                return None
            await asyncio.sleep(LOOK_S)

    async def _phase(self, record: Record, phase: Phase, first: Seen, stood: dict[str, str]) -> bool:
        """Do or ask for what the phase wants and look until it is seen; False when the step has ended."""
        self._hands = _Hands()
        before, began_ms = self._table.look(), self._now_ms()
        by_hand = tuple((name, text) for name, text in phase.do.items() if self._table.by_hand(name))
        self._do(phase, stood, {name for name, _ in by_hand})
        numbers = self._numbers(phase)
        asked = bool(by_hand or numbers)
        if asked and not self._with_hands:
            record.take(Turn.SKIP)
            record.reason = Note("needs_hands")
            return False
        limit_s = phase.limit(self._pace) + (phase.by_hand(self._pace) if asked else 0.0)
        record.phase_ms, self.deadline_ms = began_ms, began_ms + round(1000 * limit_s)
        confirm = phase.confirm and bool(by_hand)
        self.ask = Ask(by_hand, confirm, numbers, phase.optional and asked, phase.subject)
        trail: list[Seen] = []
        while True:
            await asyncio.sleep(LOOK_S)
            if (seen := self._table.look()) is not (trail[-1] if trail else before):
                trail.append(seen)
            if self._hands.left_out:
                return self._left_out(record)
            over = self._now_ms() >= self.deadline_ms
            if not trail:
                trail.append(before)
            hands = self._hands
            confirmed = hands.confirmed or not confirm
            look = phase.see(
                View(
                    first,
                    before,
                    tuple(trail),
                    began_ms,
                    self._pace,
                    hands.entered,
                    hands.entered_ms,
                    confirmed,
                )
            )
            if look.sight is Sight.GOOD:
                record.found(look.notes)
                return True
            if look.sight is Sight.BAD or over:
                record.found(look.notes)
                record.take(Turn.WRONG if look.sight is Sight.BAD else Turn.LIMIT)
                code = "wrong" if look.sight is Sight.BAD else "limit"
                record.reason = Note(code, {"phase": phase.name, "seconds": round(limit_s)})
                return False

    def _left_out(self, record: Record) -> bool:
        """Leave out the phase where somebody said so of it, else the step."""
        if self.ask.optional and self._hands.confirmed:
            record.found([Note("part_left_out")])
            return True
        record.take(Turn.SKIP)
        record.reason = Note("left_out")
        return False

    def _do(self, phase: Phase, stood: dict[str, str], by_hand: set[str]) -> None:
        for name, text in phase.do.items():
            if name not in by_hand:
                stood.setdefault(name, self._table.knob(name))
                self._table.turn(name, text)

    def _numbers(self, phase: Phase) -> tuple[str, ...]:
        """Measure what can be measured here; return what a person has to read."""
        if not phase.ask:
            return ()
        measured = self._table.measure()
        if measured is None:
            return phase.ask
        self._hands.entered, self._hands.entered_ms = dict(measured), self._now_ms()
        return ()

    async def _calm(self, record: Record, first: Seen) -> None:
        """Wait until what the step stirred up is over, so that the next one begins from rest."""
        until_ms = self._now_ms() + 1000 * self._pace.see_s
        while self._now_ms() < until_ms:
            seen = self._table.look()
            still = seen.newly_open(first)
            heard = seen.arrival_ms is not None and seen.arrival_ms >= record.ended_ms
            if heard and still is None:
                return
            await asyncio.sleep(LOOK_S)

    def _record(self, name: str) -> Record:
        if name not in self.records:
            raise BenchError(f"no step '{name}'; there are {', '.join(self.records)}")
        return self.records[name]
