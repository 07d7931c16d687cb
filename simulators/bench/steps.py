"""What a step of the guided sequence is, and where it may stand: the state machine as a table. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from simulators.bench.pace import Pace
from simulators.bench.seen import Seen  # noqa: TC001 - the aliases below are made at run time


class State(StrEnum):
    """Where a step stands."""

    TODO = "todo"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Turn(StrEnum):
    """What can happen to a step."""

    START = "start"  # also again: a step can be repeated
    NEXT = "next"  # one phase was seen, another follows
    DONE = "done"  # the last one was seen
    WRONG = "wrong"  # something was seen that must not be
    LIMIT = "limit"  # what had to be seen was not, in time
    SKIP = "skip"  # somebody left it out, or the device has no such part
    STOP = "stop"  # somebody broke it off


_ENDED: Final[dict[Turn, State]] = {Turn.START: State.RUNNING, Turn.SKIP: State.SKIPPED}
TABLE: Final[dict[State, dict[Turn, State]]] = {
    State.TODO: {Turn.START: State.RUNNING, Turn.SKIP: State.SKIPPED},
    State.RUNNING: {
        Turn.NEXT: State.RUNNING,
        Turn.DONE: State.PASSED,
        Turn.WRONG: State.FAILED,
        Turn.LIMIT: State.FAILED,
        Turn.SKIP: State.SKIPPED,
        Turn.STOP: State.TODO,
    },
    State.PASSED: _ENDED,
    State.FAILED: _ENDED,
    State.SKIPPED: _ENDED,
}


class NotNowError(Exception):
    """A step does not stand so that this could happen to it."""


def after(state: State, turn: Turn) -> State:
    """Return where a step stands then; NotNowError when the table has no such turn."""
    if turn not in TABLE[state]:
        raise NotNowError(f"a step that is {state.value} cannot take {turn.value}")
    return TABLE[state][turn]


class Sight(StrEnum):
    """What a look says."""

    WAIT = "wait"
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Note:
    """Something measured or found: a code that `words` puts into a sentence, and its numbers."""

    code: str
    params: Mapping[str, float | int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look came to."""

    sight: Sight
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """What a check judges. ``trail`` are all looks of this phase, the newest last.

    ``first`` is what was seen as the step began, ``before`` as the phase began (at ``began_ms``). ``entered``
    is what the technician measured by hand, at ``entered_ms``.
    """

    first: Seen
    before: Seen
    trail: tuple[Seen, ...]
    began_ms: int
    pace: Pace
    entered: Mapping[str, float] = field(default_factory=dict)
    entered_ms: int = 0
    confirmed: bool = True

    @property
    def now(self) -> Seen:
        """What is seen now."""
        return self.trail[-1]

    @property
    def waited_s(self) -> float:
        """Seconds since the phase began."""
        return (self.now.at_ms - self.began_ms) / 1000.0


Check = Callable[[View], Look]
Seconds = Callable[[Pace], float]


@dataclass(frozen=True, slots=True)
class Phase:
    """Turn these knobs (or have a person do it, within ``by_hand`` more), then see this within ``limit``.

    ``confirm``: where a person does it, that person says when it is done. ``ask``: numbers that a person
    reads off an instrument. ``subject`` names the part in words, as the radio of several. ``optional``: a
    person may leave it out where doing it takes too long.
    """

    name: str
    see: Check
    do: Mapping[str, str] = field(default_factory=dict)
    limit: Seconds = lambda pace: pace.see_s
    by_hand: Seconds = lambda pace: pace.hands_s
    optional: bool = False
    confirm: bool = False
    ask: tuple[str, ...] = ()
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the sequence. ``needs`` is the measurement without which there is nothing to test.

    ``gate``: nothing behind it means anything if it fails.
    """

    name: str
    phases: Callable[[Seen], tuple[Phase, ...]]
    needs: str | None = None
    gate: bool = False


@dataclass(slots=True)
class Record:
    """What became of a step. ``reason`` is the code of why it failed or was skipped."""

    step: Step
    state: State = State.TODO
    phases: tuple[Phase, ...] = ()
    at: int = 0  # the phase that runs or ran last
    began_ms: int = 0
    phase_ms: int = 0
    ended_ms: int = 0
    notes: list[tuple[int, Note]] = field(default_factory=list)  # with the phase that found it
    reason: Note | None = None
    runs: int = 0

    def found(self, notes: Iterable[Note]) -> None:
        """Keep what the phase that runs found; where nothing was done, how long it took says nothing."""
        done = bool(self.phases[self.at].do)
        self.notes += [(self.at, note) for note in notes if done or note.code != "after"]

    def take(self, turn: Turn) -> None:
        """Take a turn of the table; NotNowError when there is none."""
        self.state = after(self.state, turn)

    @property
    def phase(self) -> Phase | None:
        """The phase that runs."""
        return self.phases[self.at] if self.state is State.RUNNING and self.at < len(self.phases) else None
