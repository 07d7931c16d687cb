"""A TLS server that speaks to one device as a test tells it to: what no well-behaved broker does."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from typing import TYPE_CHECKING, Self

from certs import issuing, keys

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from certs.authority import Authority

CONNACK = b"\x20\x02\x00\x00"
FOREVER = dt.datetime(2040, 1, 1, tzinfo=dt.UTC)


def server_context(
    authority: Authority, folder: Path, host: str = "localhost", until: dt.datetime = FOREVER
) -> ssl.SSLContext:
    """A server's context with a certificate of this authority for ``host``."""
    key = keys.new()
    certificate = issuing.leaf(authority.issuer(), key.public_key(), host, until, issuing.SERVER, [host])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "server.pem"
    path.write_bytes(issuing.pem(certificate) + keys.private_pem(key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    context.load_verify_locations(authority.folder / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


async def packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read one packet: (first byte, body)."""
    first = (await reader.readexactly(1))[0]
    size = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return first, await reader.readexactly(size)


class FakeBroker:
    """Accepts one connection after the other, each served by ``talk(reader, writer)``."""

    def __init__(
        self,
        context: ssl.SSLContext,
        talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    ) -> None:
        self._context = context
        self._talk = talk
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._talk(reader, writer)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.transport.abort()
