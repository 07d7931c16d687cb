"""A line that can also be slow."""

from __future__ import annotations

import asyncio
import contextlib

from simulators.link import Link

_CHUNK = 65_536


class SlowLink(Link):
    """``delay_s`` is added to everything that passes, in both directions."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self.delay_s = 0.0

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one direction, as slowly as the line is."""
        slowed = asyncio.StreamReader()
        feeding = asyncio.create_task(self._feed(reader, slowed))
        try:
            await super()._pump(slowed, writer)
        finally:
            feeding.cancel()

    async def _feed(self, reader: asyncio.StreamReader, slowed: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                await asyncio.sleep(self.delay_s)
                slowed.feed_data(data)
        slowed.feed_eof()
