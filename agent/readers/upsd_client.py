"""A connection to NUT's upsd: questions and answers over TCP or TLS, one at a time.

Nothing here waits without end by itself, but nothing is timed either: the caller bounds a whole read, because
a slow server can answer a byte at a time. Memory is bounded here: length of a line, length of a list, and a
list is handed on line by line. After any failure the connection is of no use (an answer may be half read):
the caller drops it.

There is no LOGIN: upsd counts who logged in, and the machine at the UPS then waits for them before it shuts
down. User and password are for servers whose rules ask for them; upsd checks them at commands we never give.
"""

import asyncio

from agent.errors import ReaderError
from agent.ports import starttls
from agent.readers import nut

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 512


class UpsdClient:
    """Talks to one server. ``credentials``: user and password; ``ca`` (DER): STARTTLS, or no connection."""

    def __init__(
        self,
        host: str,
        port: int,
        credentials: tuple[str, str] | None = None,
        ca: bytes | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._credentials = credentials
        self._secure = None if ca is None else starttls.client_context(ca)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._buffer = b""
        self._at = 0  # of the buffer, what is read already

    def connected(self) -> bool:
        """Tell whether there is a connection that was made whole."""
        return self._writer is not None

    async def connect(self) -> None:
        """Make the connection: TCP, then TLS where asked for, then who we are."""
        await self.drop()
        self._buffer, self._at = b"", 0
        try:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
            if self._secure is not None:
                await self._command("STARTTLS")
                if self._at < len(self._buffer):  # what came before TLS cannot be trusted
                    raise ReaderError("garbage", "more than an answer before TLS")
                self._reader, self._writer = await starttls.start(
                    self._reader, self._writer, self._secure, self._host
                )
            if self._credentials:
                await self._command("USERNAME " + nut.quoted(self._credentials[0]))
                await self._command("PASSWORD " + nut.quoted(self._credentials[1]))
        except BaseException:  # a cancelled attempt, too, leaves nothing half open
            await self.drop()
            raise

    async def get(self, ups: str, variable: str) -> str:
        """Return one variable's text; RefusedError with upsd's code when it has none."""
        await self._send("GET VAR " + ups + " " + variable)
        return nut.single(nut.answer(await self._line()), ["VAR", ups, variable])

    async def variables(self, ups: str, take: "Callable[[str, str], None]") -> None:
        """Give all variables of a UPS to ``take(name, text)``, one after the other."""
        await self._list("VAR " + ups, take)

    async def names(self) -> list[str]:
        """Return the names of the server's UPSes; names that cannot be one are left out."""
        found: list[str] = []

        def take(name: str, _description: str) -> None:
            if nut.valid_name(name) and len(found) < nut.MAX_UPSES:
                found.append(name)

        await self._list("UPS", take)
        return found

    async def _list(self, subject: str, take: "Callable[[str, str], None]") -> None:
        listing = nut.Listing(subject)
        await self._send("LIST " + subject)
        while not listing.ended:
            pair = listing.take(await self._line())
            if pair is not None and len(pair) == 2:  # noqa: PLR2004 (a name and what it is)
                take(pair[0], pair[1])

    async def _command(self, text: str) -> None:
        await self._send(text)
        nut.answer(await self._line())

    async def _send(self, command: str) -> None:
        if self._writer is None:
            raise ReaderError("server_lost", "not connected")
        self._writer.write(command.encode() + b"\n")
        await self._writer.drain()

    async def _line(self) -> str:
        end = self._buffer.find(b"\n", self._at)
        while end < 0:
            rest = self._buffer[self._at :]
            if len(rest) > nut.MAX_LINE:
                raise ReaderError("garbage", "a line without an end")
            data = await self._reader.read(_CHUNK) if self._reader else b""
            if not data:
                raise ReaderError("server_lost", "the server closed the connection")
            self._buffer, self._at = rest + data, 0
            end = self._buffer.find(b"\n", len(rest))
        line, self._at = self._buffer[self._at : end], end + 1
        return nut.text_of(line)

    async def drop(self) -> None:
        """Close the connection, if there is one, without waiting for the peer."""
        writer, self._reader, self._writer = self._writer, None, None
        if writer is not None:
            await starttls.abort(writer)
