"""A stand-in for upsd that misbehaves as a test wants, and a clock on the machine's own time."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from agent.readers.ups import Ups
from agent.readers.upsd_client import UpsdClient
from tests.cases.still import Clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable


class RealClock(Clock):
    def uptime_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000


@asynccontextmanager
async def serving(
    behave: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """Serve every connection with ``behave``; gives the port."""
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await behave(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def ups_reader(
    port: int, names: list[str] | None = None, watch_ms: int = 2000, sample_ms: int = 10_000
) -> Ups:
    return Ups(RealClock(), sample_ms, watch_ms, UpsdClient("127.0.0.1", port), names)


def script(*answers: bytes) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """Answer the lines that come with these, one after the other, and then nothing more."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readline()
            writer.write(answer)
            await writer.drain()
        await reader.read()

    return behave
