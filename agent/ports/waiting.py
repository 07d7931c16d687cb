"""Waiting for a socket without polling it, on both interpreters' loops; and a stopwatch finer than 1 ms.

``readable`` and ``writable`` return what ``await`` takes: a coroutine, on MicroPython a generator.
"""

import asyncio
import time

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

_core: "Any" = getattr(asyncio, "core", None)  # MicroPython alone shows the queue that its loop polls

if _core is not None:

    def readable(sock: "Any") -> "Any":
        """Return when there is something to read, or the connection has failed."""
        yield _core._io_queue.queue_read(sock)  # noqa: SLF001 - as asyncio.Stream does it there

    def writable(sock: "Any") -> "Any":
        """Return when the socket is connected, or has failed to."""
        yield _core._io_queue.queue_write(sock)  # noqa: SLF001 - same

    def now_us() -> int:
        """Return a stamp for ``since_ms``."""
        return int(time.ticks_us())  # type: ignore[attr-defined]  # MicroPython's own

    def since_ms(stamp_us: int) -> float:
        """Return the milliseconds since a stamp of ``now_us``."""
        return float(time.ticks_diff(time.ticks_us(), stamp_us)) / 1000  # type: ignore[attr-defined]  # same

else:

    def readable(sock: "Any") -> "Any":
        """Return when there is something to read, or the connection has failed."""
        loop = asyncio.get_running_loop()
        return _told(sock.fileno(), loop.add_reader, loop.remove_reader)

    def writable(sock: "Any") -> "Any":
        """Return when the socket is connected, or has failed to."""
        loop = asyncio.get_running_loop()
        return _told(sock.fileno(), loop.add_writer, loop.remove_writer)

    async def _told(descriptor: int, add: "Any", remove: "Any") -> None:
        told = asyncio.get_running_loop().create_future()
        add(descriptor, _settle, told)
        try:
            await told
        finally:
            remove(descriptor)

    def _settle(told: "asyncio.Future[None]") -> None:
        if not told.done():
            told.set_result(None)

    def now_us() -> int:
        """Return a stamp for ``since_ms``."""
        return time.perf_counter_ns() // 1000

    def since_ms(stamp_us: int) -> float:
        """Return the milliseconds since a stamp of ``now_us``."""
        return (time.perf_counter_ns() // 1000 - stamp_us) / 1000
