"""A connection to NUT's upsd: questions and answers over TCP, one at a time.

Nothing here waits without end by itself, but nothing is timed either: the caller bounds a whole read, because
a slow server can answer a byte at a time. Memory is bounded here: length of a line, length of a list. After
any failure the connection is of no use (an answer may be half read): the caller drops it.
"""

import asyncio

from agent.errors import ReaderError
from agent.readers import nut

_CHUNK = 512


class UpsdClient:
    """Talks to one server; connects at the first question. ``credentials``: user and password, or None."""

    def __init__(self, host: str, port: int, credentials: tuple[str, str] | None = None) -> None:
        self._host = host
        self._port = port
        self._credentials = credentials
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._buffer = b""

    async def get(self, ups: str, variable: str) -> str:
        """Return one variable's text; RefusedError with upsd's code when it has none."""
        await self._say("GET VAR " + ups + " " + variable)
        return nut.single(nut.answer(await self._line()), ["VAR", ups, variable])

    async def variables(self, ups: str) -> dict[str, str]:
        """Return all variables of a UPS."""
        found = {}
        for line in await self._list("VAR " + ups):
            if len(line) != 4:  # noqa: PLR2004 (VAR ups name value)
                raise ReaderError("garbage", "not a variable")
            found[line[2]] = line[3]
        return found

    async def names(self) -> list[str]:
        """Return the names of the server's UPSes; names that cannot be one are left out."""
        lines = await self._list("UPS")
        return [line[1] for line in lines if len(line) > 1 and nut.valid_name(line[1])]

    async def _list(self, subject: str) -> list[list[str]]:
        await self._say("LIST " + subject)
        if " ".join(nut.answer(await self._line())) != "BEGIN LIST " + subject:
            raise ReaderError("garbage", "expected the beginning of a list")
        lines: list[list[str]] = []
        left = nut.MAX_LIST
        while left > 0:
            text = await self._line()
            left -= len(text) + 1
            line = nut.answer(text)
            if " ".join(line) == "END LIST " + subject:
                return lines
            if not " ".join(line).startswith(subject):
                raise ReaderError("garbage", "a list with a line that is none of its own")
            lines.append(line)
        raise ReaderError("garbage", "a list without an end")

    async def _say(self, command: str) -> None:
        if self._writer is None:
            await self._connect()
        await self._send(command)

    async def _connect(self) -> None:
        self._buffer = b""
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        if self._credentials:
            await self._introduce("USERNAME", self._credentials[0])
            await self._introduce("PASSWORD", self._credentials[1])

    async def _introduce(self, keyword: str, value: str) -> None:
        await self._send(keyword + " " + nut.quoted(value))
        nut.answer(await self._line())

    async def _send(self, command: str) -> None:
        if self._writer is None:
            raise ReaderError("server_lost", "not connected")
        self._writer.write(command.encode() + b"\n")
        await self._writer.drain()

    async def _line(self) -> str:
        while b"\n" not in self._buffer:
            if len(self._buffer) > nut.MAX_LINE:
                raise ReaderError("garbage", "a line without an end")
            data = await self._reader.read(_CHUNK) if self._reader else b""
            if not data:
                raise ReaderError("server_lost", "the server closed the connection")
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        return nut.text_of(line)

    async def drop(self) -> None:
        """Close the connection, if there is one, without waiting for the peer."""
        writer, self._reader, self._writer = self._writer, None, None
        if writer is None:
            return
        transport = getattr(writer, "transport", None)  # MicroPython's streams have none
        if transport is not None:
            transport.abort()
        else:
            await writer.wait_closed()
