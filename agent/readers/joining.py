"""A connection that is made in the background and, when it fails, made again after pauses that grow.

A read never waits longer for it than its own limit: an address that swallows packets, a slow handshake or a
server that is away costs the reads meanwhile, and nothing else.
"""

import asyncio

from agent.errors import ReaderError
from agent.timing import LimitReached, within

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from agent.timing import Clock

LIMIT_MS = 10_000  # a TLS handshake takes a router of 580 MHz a second of its own
# By failures in a row. The first try after a success is at once: a restarted server is back soon.
PAUSES_MS = (0, 0, 2000, 4000, 8000, 16_000)
# What a connection can fail of; a certificate that is refused is a ValueError on MicroPython.
FAILURES = (OSError, EOFError, ValueError, ReaderError, LimitReached)


class Joining:
    """Makes a connection by ``connect()``, one attempt at a time."""

    def __init__(
        self,
        clock: "Clock",
        connected: "Callable[[], bool]",
        connect: "Callable[[], Coroutine[Any, Any, None]]",
    ) -> None:
        """Begin without a connection; ``connected()`` tells whether there is one."""
        self._clock = clock
        self._connected = connected
        self._connect = connect
        self._task: "asyncio.Task[None] | None" = None
        self._settled = asyncio.Event()
        self._failures = 0
        self._next_ms = 0
        self._last: Exception | None = None

    def under_way(self) -> bool:
        """Tell whether an attempt is being made: the connection is not the caller's to drop."""
        return self._task is not None

    async def joined(self) -> None:
        """Return when there is a connection; raise what the attempt failed of, or ReaderError in a pause."""
        if self._task is None:
            if self._connected():
                return
            if self._clock.uptime_ms() < self._next_ms:
                raise ReaderError("server_lost", "waiting before the next attempt: " + str(self._last))
            self._settled.clear()
            self._task = asyncio.create_task(self._attempt())
        await self._settled.wait()
        if not self._connected():
            raise ReaderError(getattr(self._last, "reason", "server_lost"), str(self._last))

    def worked(self) -> None:
        """Note that the server answers as it should."""
        self._failures = 0

    def failed(self, error: Exception) -> None:
        """Note that it did not, whether or not there was a connection."""
        self._last = error
        self._failures += 1
        self._next_ms = self._clock.uptime_ms() + PAUSES_MS[min(self._failures, len(PAUSES_MS) - 1)]

    async def close(self) -> None:
        """Give up an attempt that is being made."""
        if self._task is not None:
            self._task.cancel()
            await self._settled.wait()

    async def _attempt(self) -> None:
        try:
            await within(self._clock, self._connect(), LIMIT_MS)
        except FAILURES as error:
            self.failed(error)
        finally:
            self._task = None
            self._settled.set()
