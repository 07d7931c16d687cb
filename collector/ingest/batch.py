"""A batch on its way through the pipeline: messages, what was found out of each, what became of it.

Stages before ``receive`` look at one message alone and never at the state; what they found stays valid
when the batch is tried again. From ``receive`` on a batch is one unit of work on the state: ``rewind``
forgets it whole, so that it can be done again from there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from collector.model import Outcome, Quality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from collector.model import Frame, Observation, Point, Reason, Received, Table
    from collector.storage.state import DeviceState, Incarnation


class Address(NamedTuple):
    """What a topic says: who speaks, of what kind."""

    shard: str
    device: str
    kind: str


class Signed(NamedTuple):
    """The payload of a message whose signature was verified, and the key that signed it."""

    kid: str
    payload: bytes


@dataclass(slots=True)
class Verdict:
    """How a message ended, and why."""

    outcome: Outcome
    reason: Reason | None = None
    detail: str = ""


@dataclass(slots=True)
class Work:
    """What the unit of work found out of one frame; made anew at every attempt."""

    verdict: Verdict | None = None
    incarnation: Incarnation | None = None
    new: bool = False  # its seq was never seen before
    current: bool = False  # the highest of its device so far
    time_ms: int = 0  # of sealing
    quality: Quality = Quality.SYNCED
    newest_ms: int = 0  # of its samples
    points: Sequence[Point] = ()
    observations: list[tuple[str, Observation]] = field(default_factory=list)  # (site, what)


@dataclass(slots=True)
class Item:
    """One message of a batch."""

    received: Received
    address: Address | None = None
    signed: Signed | None = None
    frame: Frame | None = None
    held: list[tuple[Table, Reason]] = field(default_factory=list)  # tables kept for requeue
    early: Verdict | None = None  # ended before the unit of work
    work: Work = field(default_factory=Work)

    @property
    def verdict(self) -> Verdict | None:
        """How it ended; None while it is still open."""
        return self.early or self.work.verdict

    def reject(self, outcome: Outcome, reason: Reason, detail: str = "") -> None:
        """End it before the unit of work."""
        self.early = Verdict(outcome, reason, detail)

    def finish(self, outcome: Outcome, reason: Reason | None = None, detail: str = "") -> None:
        """End it within the unit of work."""
        self.work.verdict = Verdict(outcome, reason, detail)


@dataclass(slots=True)
class Batch:
    """Messages in the order of their arrival. ``session`` is the state's, open during the unit of work."""

    items: list[Item]
    session: Session | None = None
    states: dict[str, DeviceState] = field(default_factory=dict)
    begun: bool = False  # incarnations were seen for the first time
    late: set[tuple[str, int]] = field(default_factory=set)  # hours whose means lack what was written
    at: int = 0  # the stage to go on with
    attempts: int = 1  # at its unit of work

    @classmethod
    def of(cls, received: list[Received]) -> Batch:
        """Make a batch of messages."""
        return cls([Item(message) for message in received])

    @property
    def shards(self) -> list[str]:
        """The shards it touches."""
        return sorted({item.received.shard for item in self.items})

    def devices(self) -> set[str]:
        """Return the devices whose frames it holds."""
        return {item.frame.device for item in self.items if item.frame is not None}

    def open(self) -> list[Item]:
        """Return the messages whose fate is still open."""
        return [item for item in self.items if item.verdict is None]

    def framed(self) -> list[tuple[Item, Frame]]:
        """Return the open messages that have a frame, with it."""
        return [(item, item.frame) for item in self.items if item.frame is not None and item.verdict is None]

    def database(self) -> Session:
        """Return the session of the unit of work."""
        if self.session is None:
            raise RuntimeError("no unit of work is open")
        return self.session

    def rewind(self) -> None:
        """Forget the unit of work; what is not committed is rolled back."""
        self.release()
        for item in self.items:
            item.work = Work()

    def release(self) -> None:
        """Give the session back."""
        if self.session is not None:
            self.session.close()
        self.session = None
        self.states = {}
        self.begun = False
        self.late = set()


class Stage(Protocol):
    """One step of the pipeline. ``name`` is the label of its metric."""

    name: str

    def __call__(self, batch: Batch) -> None:
        """Do it for every open message."""
