"""A upsd on a TCP port, so that upsc, upscmd, upsrw, upsmon and our agent read simulated UPSes."""

from __future__ import annotations

import asyncio
import contextlib
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from simulators.protocols.knobs import Knob, Paneled
from simulators.protocols.upsd_rack import Account, Rack
from simulators.protocols.upsd_talk import Talk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.protocols.sources import UpsSource

PORT = 3493
USER, PASSWORD = "vigia", "secreto"  # what opens nothing but a simulated UPS
_MAX_LINE = 1100


class Server(StrEnum):
    """How the server is."""

    UP = "up"
    MUTE = "mute"  # takes connections and commands and never answers: hung
    DOWN = "down"  # refuses connections: not running


KNOBS = (Knob("server", "up", "upsd itself; mute: it hangs", choices=tuple(each.value for each in Server)),)


class KnobServer(Paneled):
    """A panel for a server; what was turned holds after ``apply``."""

    def __init__(self, upsd: Upsd) -> None:
        self._upsd = upsd
        super().__init__(KNOBS)

    async def apply(self) -> None:
        """Let the server be like that."""
        await self._upsd.become(Server(self._panel.text("server")))


class Upsd:
    """A server of ``upses``. ``async with`` starts it; ``port`` 0 becomes a free one and stays the same."""

    def __init__(
        self,
        upses: Mapping[str, UpsSource],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        accounts: Mapping[str, Account] | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.rack = Rack(upses, {USER: Account(PASSWORD)} if accounts is None else accounts)
        self.state = Server.DOWN
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Start."""
        await self.become(Server.UP)
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """Stop."""
        await self.become(Server.DOWN)

    async def become(self, state: Server) -> None:
        """Be up, mute or down. What becomes mute keeps its connections; what comes up has forgotten FSD."""
        if state is self.state:
            return
        if state is Server.DOWN:
            await self._stop()
        elif self._server is None:
            await self._start()
        self.state = state

    async def _start(self) -> None:
        self.rack.fsd.clear()
        self._server = await asyncio.start_server(self._accept, self.host, self.port, limit=_MAX_LINE)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client until it goes, says LOGOUT, or says a line that is none."""
        talk = Talk(self.rack, writer.get_extra_info("peername", ("?",))[0])
        self.rack.clients.append(talk)
        try:
            with contextlib.suppress(OSError, ValueError):  # ValueError: a line without an end
                while not talk.over and (line := await reader.readline()).endswith(b"\n"):
                    if self.state is Server.MUTE:
                        continue
                    said = talk.hear(line.decode("utf-8", "replace").rstrip("\r\n"))
                    writer.write("".join(f"{each}\n" for each in said).encode())
                    await writer.drain()
                await writer.drain()
        finally:
            self.rack.clients.remove(talk)
            writer.close()
