"""An event loop whose time jumps to the next thing that is due: nobody waits for anything real."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping


class StalledError(RuntimeError):
    """Everybody waits for something that will never come."""


class _Jumper(selectors.SelectSelector):
    """Waits by moving the clock. Nothing real is ever registered but the loop's own waker."""

    def __init__(self, time: VirtualTime) -> None:
        super().__init__()
        self._time = time

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return at once; ``timeout`` seconds have passed."""
        if timeout is None:
            raise StalledError("nothing is scheduled and nothing can arrive: a task waits for ever")
        self._time.now_s += max(0.0, timeout)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """Return what is registered."""
        return super().get_map()


class VirtualTime:
    """Seconds since the beginning, and the wall clock that belongs to them."""

    def __init__(self, start_ms: int) -> None:
        self.now_s = 0.0
        self._start_ms = start_ms

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC, true time."""
        return self._start_ms + round(self.now_s * 1000.0)

    def mono(self) -> float:
        """Seconds that never go back."""
        return self.now_s


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop on a virtual time."""

    def __init__(self, time: VirtualTime) -> None:
        self._virtual = time
        super().__init__(_Jumper(time))

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._virtual.now_s


def run(time: VirtualTime, work: Coroutine[Any, Any, None]) -> None:
    """Run to the end of ``work``; tasks that it left are cancelled."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(time)) as runner:
        runner.run(work)
