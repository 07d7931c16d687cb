"""One direction of a slow line: bytes come out later, evenly, and in order."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from simulators.protocols.sources import Impairment

_STEP_S: Final = 0.02  # a limited rate is cut into pieces of so long
_MOST_PIECE: Final = 65_536
_MOST_WAITING: Final = 16  # pieces as read; then nothing more is read, and the sender notices


class Pace:
    """What passes in one direction over all connections of a line."""

    def __init__(self) -> None:
        self._free_s = 0.0

    async def take(self, size: int, rate: float) -> None:
        """Wait until so many bytes have passed at so many bytes per second."""
        now = asyncio.get_running_loop().time()
        self._free_s = max(now, self._free_s) + size / rate
        await asyncio.sleep(self._free_s - now)


class Lane:
    """Holds what is on its way. ``deliver`` takes what arrives, None at the end; it may wait."""

    def __init__(
        self,
        impairment: Callable[[], Impairment],
        pace: Pace,
        deliver: Callable[[bytes | None], Awaitable[None]],
    ) -> None:
        self._impairment = impairment
        self._pace = pace
        self._deliver = deliver
        self._waiting: asyncio.Queue[tuple[float, bytes | None]] = asyncio.Queue(_MOST_WAITING)
        self._due_s = 0.0

    async def put(self, data: bytes | None) -> None:
        """Send something on its way; it waits while too much is."""
        wrong = self._impairment()
        later_s = wrong.delay_s + random.uniform(0.0, wrong.jitter_s)  # noqa: S311 - a line's mood
        self._due_s = max(self._due_s, asyncio.get_running_loop().time() + later_s)
        await self._waiting.put((self._due_s, data))

    async def run(self) -> None:
        """Deliver until the end."""
        loop = asyncio.get_running_loop()
        while True:
            due_s, data = await self._waiting.get()
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            if data is None:
                await self._deliver(None)
                return
            while data:
                size = self._piece()
                piece, data = data[:size], data[size:]
                rate = self._impairment().rate
                if rate is not None:
                    await self._pace.take(len(piece), rate)
                await self._deliver(piece)

    def _piece(self) -> int:
        rate = self._impairment().rate
        return _MOST_PIECE if rate is None else max(1, min(_MOST_PIECE, int(rate * _STEP_S)))
