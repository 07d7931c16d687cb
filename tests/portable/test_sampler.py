"""The sampler on both interpreters, in real time: one reader fails, one hangs, one turns."""

import asyncio

from agent.errors import ReaderError
from agent.log import Log
from agent.ports.clock import SystemClock
from agent.sampler import Sampler
from agent.samples import tables
from agent.timing import LimitReached, wait_for_event, within

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

    from agent.readers.port import Reader
    from agent.samples import Sample


class Scripted:
    """A reader of one flag that turns at the third read, fails, or hangs."""

    def __init__(self, name: str) -> None:
        """Behave as the name says."""
        self.name = name
        self.interval_ms = 100
        self.watch_ms = 20
        self.watched = ("carrier",)
        self.reads = 0

    async def read(self) -> "list[Any]":
        """Return one row."""
        self.reads += 1
        if self.name == "failing":
            raise ReaderError("gone")
        if self.name == "hanging":
            await asyncio.Event().wait()
        return [("net", "eth0", {"carrier": 1 if self.reads < 3 else 0})]


async def test_one_reader_costs_its_own_data_only() -> None:
    """The good one is read and its turn is told, whatever the others do."""
    clock = SystemClock()
    turned = asyncio.Event()
    events = []

    async def on_event(samples: "list[Sample]") -> None:
        events.append(samples)
        turned.set()

    readers: "list[Reader]" = [Scripted("failing"), Scripted("hanging"), Scripted("good")]
    sampler = Sampler(clock, readers, Log(clock.uptime_ms, len), on_event)
    sampler.start()
    assert await wait_for_event(clock, turned, 30_000)
    await sampler.stop()
    assert events[0][0].fields["carrier"] == 0
    assert len(events) == 1
    assert tables(sampler.take(), clock.uptime_ms())


async def test_within_cancels_what_takes_too_long() -> None:
    """Work that hangs is given up, work that ends is returned, an error comes through."""
    clock = SystemClock()

    async def answer() -> int:
        return 5

    async def fail() -> int:
        raise ReaderError("bad")

    assert await within(clock, answer(), 30_000) == 5
    for work, error in ((asyncio.Event().wait(), LimitReached), (fail(), ReaderError)):
        try:
            await within(clock, work, 20)
        except error:
            continue
        raise AssertionError("no error")
