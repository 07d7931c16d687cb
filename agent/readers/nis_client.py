"""A connection to apcupsd's network information server. Who calls bounds the time; memory is bounded here."""

import asyncio

from agent.errors import ReaderError
from agent.ports.starttls import abort
from agent.readers import nis

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable


class NisClient:
    """A connection to one apcupsd."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    def connected(self) -> bool:
        """Tell whether there is a connection."""
        return self._writer is not None

    async def connect(self) -> None:
        """Make the connection."""
        await self.drop()
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)

    async def status(self, take: "Callable[[str, str], None]") -> None:
        """Ask for the status and give each record to ``take(key, value)``."""
        if self._writer is None or self._reader is None:
            raise ReaderError("server_lost", "not connected")
        self._writer.write(nis.command("status"))
        await self._writer.drain()
        for _ in range(nis.MAX_RECORDS):
            size = nis.length(await self._reader.readexactly(2))
            if size == nis.END:
                return
            key, value = nis.pair(await self._reader.readexactly(size))
            take(key, value)
        raise ReaderError("garbage", "an answer without an end")

    async def drop(self) -> None:
        """Close the connection, if there is one, without waiting for the peer."""
        writer, self._reader, self._writer = self._writer, None, None
        if writer is not None:
            await abort(writer)
