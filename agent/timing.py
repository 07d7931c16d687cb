"""Waiting with a limit, on the clock that was passed in, so that tests run in virtual time.

MicroPython's asyncio has neither ``timeout()`` nor ``wait()``; these two are made of tasks alone.
"""

import asyncio

from agent.errors import AgentError

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any, Protocol, TypeVar

    T = TypeVar("T")

    class Clock(Protocol):
        """What the agent asks of time; see agent.ports.clock.SystemClock."""

        def uptime_ms(self) -> int:
            """Milliseconds since the kernel's start."""

        def wall_ms(self) -> "int | None":
            """Milliseconds since 1970 UTC, None unless synchronised."""

        async def sleep_ms(self, duration_ms: int) -> None:
            """Let others run for so long."""

        def kernel_boot(self) -> bytes:
            """16 bytes, new at every start of the kernel."""

        def random_bytes(self, count: int) -> bytes:
            """Random bytes."""


class LimitReached(AgentError):  # noqa: N818 - running out of time is an answer here, not a fault
    """What was waited for took longer than its limit and was cancelled."""


async def wait_for_event(clock: "Clock", event: asyncio.Event, limit_ms: int) -> bool:
    """Return when ``event`` is set (True) or after ``limit_ms`` (False); the event stays as it is."""
    if event.is_set():
        return True
    if limit_ms <= 0:
        return False
    try:
        await within(clock, event.wait(), limit_ms)
    except LimitReached:
        return False
    return True


async def within(clock: "Clock", work: "Coroutine[Any, Any, T]", limit_ms: int) -> "T":
    """Return the result of ``work``; cancel it and raise LimitReached when it takes longer."""
    task = asyncio.create_task(work)
    expired: list[bool] = []

    async def expire() -> None:
        await clock.sleep_ms(limit_ms)
        expired.append(True)
        task.cancel()

    timer = asyncio.create_task(expire())
    try:
        return await task
    except asyncio.CancelledError:
        if not expired or _cancelled():  # both at once: whoever cancels this task must not see it go on
            raise
        raise LimitReached("timeout", "not done within " + str(limit_ms) + " ms")
    finally:
        timer.cancel()


def _cancelled() -> bool:
    """Tell whether the current task itself was cancelled, not only what it waited for.

    MicroPython's tasks do not know: one that waits for another hands a cancellation on and sees only its
    end. The sampler's loops, whose end is waited for, also look at a flag.
    """
    cancelling = getattr(asyncio.current_task(), "cancelling", None)
    return cancelling is not None and cancelling() > 0
