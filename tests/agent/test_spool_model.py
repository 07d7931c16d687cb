"""The spool against a model, on a file system that fails in every way: nothing is lost without being
counted.

Every frame that was sealed is acked, refused, waiting or lost. What is lost is in the account of what was
dropped, or it fell to a power cut or a changed byte: the next start says that there was one, and it cost no
more than it may (what was in RAM alone; the records it touched).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.agent.spool_device import Device, key_of
from tests.agent.unsafe_files import FLASH, RAM

if TYPE_CHECKING:
    import random

SHORT = settings(max_examples=40, stateful_step_count=30, deadline=None)


class Processes(RuleBasedStateMachine):
    """Processes that are killed at any step, on a file system that may be full or read-only."""

    exact = True  # until a fault keeps the account from being written

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> None:
        self.device = Device(seed)

    @rule(kind=st.sampled_from(["data", "data", "event", "birth"]), size=st.integers(1, 6000))
    def add(self, kind: str, size: int) -> None:
        self.device.add(kind, size)

    @rule(count=st.integers(10, 40), size=st.integers(500, 3000))
    def add_many(self, count: int, size: int) -> None:
        for at in range(count):
            self.device.add("event" if at % 10 == 0 else "data", size)

    @rule(chance=st.randoms(use_true_random=False), share=st.floats(0, 1))
    def ack(self, chance: random.Random, share: float) -> None:
        for entry in self.device.spool.entries():
            if chance.random() < share:
                self.device.ack(entry)

    @rule(chance=st.randoms(use_true_random=False))
    def refuse(self, chance: random.Random) -> None:
        if self.device.waiting():
            self.device.refuse(chance.choice(self.device.spool.entries()))

    @rule()
    def flush(self) -> None:
        self.device.spool.flush()

    @rule(
        what=st.sampled_from(["data", "event", "flush", "ack", "refuse", "start", "nothing"]),
        steps=st.integers(0, 12),
    )
    def killed(self, what: str, steps: int) -> None:
        self.device.cut(lambda: self.device.work(what), steps)
        self.device.kill()

    @invariant()
    def nothing_is_lost_uncounted(self) -> None:
        if hasattr(self, "device"):
            self.device.check(exact=self.exact)


class Faults(Processes):
    """The same on a file system that is full or read-only at times."""

    exact = False

    @rule(medium=st.sampled_from([RAM, FLASH]), room=st.one_of(st.none(), st.integers(0, 20_000)))
    def room(self, medium: str, room: int | None) -> None:
        self.device.files.room[medium] = room

    @rule(media=st.sets(st.sampled_from([RAM, FLASH])))
    def write_lock(self, media: set[str]) -> None:
        self.device.files.read_only = media


class PowerCuts(Processes):
    """The power fails at any step."""

    exact = False

    @rule(what=st.sampled_from(["data", "flush", "start", "nothing"]), steps=st.integers(0, 12))
    def power_cut(self, what: str, steps: int) -> None:
        in_flash = {key_of(e) for e in self.device.spool.entries() if self.device.spool._on_flash(e)}
        dropped = self.device.counted()
        self.device.cut(lambda: self.device.work(what), steps)
        given_up = self.device.counted() - dropped if what == "data" else 0
        self.device.power_cut()
        assert len(in_flash - self.device.waiting() - self.device.settled) <= max(given_up, 0)


class Decay(Processes):
    """Bits of segments flip."""

    exact = False

    @rule()
    def decay(self) -> None:
        self.device.decay()


TestProcesses = Processes.TestCase
TestFaults = Faults.TestCase
TestPowerCuts = PowerCuts.TestCase
TestDecay = Decay.TestCase
for case in (Processes, Faults, PowerCuts, Decay):
    case.TestCase.settings = SHORT
