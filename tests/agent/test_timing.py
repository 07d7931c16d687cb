"""Waiting with a limit: what a cancellation in the very moment of the limit does."""

from __future__ import annotations

import asyncio

import pytest

from agent.timing import LimitReached, within
from tests.agent.virtual import VirtualClock


class Ticking(VirtualClock):
    """A clock whose waits all end when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.tick = asyncio.Event()

    async def sleep_ms(self, duration_ms: int) -> None:
        await self.tick.wait()


async def for_ever(clock: Ticking) -> None:
    """Wait again and again, as every loop of the agent does."""
    while True:
        try:
            await within(clock, asyncio.Event().wait(), 10)
        except LimitReached:
            clock.tick.clear()


@pytest.mark.parametrize("turns", range(6))
def test_who_cancels_in_the_moment_of_the_limit_is_obeyed(turns: int) -> None:
    async def story() -> None:
        clock = Ticking()
        task = asyncio.create_task(for_ever(clock))
        await asyncio.sleep(0.001)
        clock.tick.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=1)
        assert done
        assert task.cancelled()

    asyncio.run(story())
