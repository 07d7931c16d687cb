"""Connections to the broker: resolve, connect, TLS, none of which blocks the loop but the handshake's sums.

A handshake on a router takes 0.5 to 1.2 s of processor, in pieces that nothing can cut.
"""

import errno
import socket

from agent.errors import LinkError
from agent.ports.sockets import forget, readable, writable
from agent.ports.tls import Secure, client_context
from agent.timing import LimitReached, within
from agent.transport.resolver import Resolver, numeric

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

    from agent.timing import Clock

TCP_LIMIT_MS = 5000  # for one address; a dead one must not use up the time of the next
MAX_ADDRESSES = 4
_TCP = 6  # IPPROTO_TCP
_NODELAY = 1  # TCP_NODELAY: without it connecting takes 40 ms more
_NOTSENT_LOWAT = 25  # TCP_NOTSENT_LOWAT: what a dead line has not taken waits here, where it is seen
_LOWAT_BYTES = 8192


class Stream:
    """A TLS connection. Every failure is a LinkError; an end is one too."""

    def __init__(self, secure: Secure) -> None:
        """Take over a connection whose handshake the first write makes."""
        self._secure = secure
        self._open = True

    def read(self, size: int) -> "bytes | None":
        """Return bytes, or None when there are none now."""
        try:
            data = self._secure.read(size)
        except (OSError, ValueError, EOFError) as error:
            raise LinkError("lost", _said(error))
        if data is not None and not data:
            raise LinkError("lost", "the broker closed the connection")
        return data

    def write(self, data: "bytes | memoryview") -> int:
        """Return how many bytes were taken; 0 when there is no room now."""
        try:
            return self._secure.write(data) or 0
        except (OSError, ValueError, EOFError) as error:
            raise LinkError("lost", _said(error))

    async def readable(self) -> None:
        """Wait until there may be something to read."""
        await readable(self._secure.waits_on)

    async def writable(self) -> None:
        """Wait until there may be room to write."""
        await writable(self._secure.waits_on)

    def close(self) -> None:
        """Close; who waited was cancelled before. Again is fine."""
        if self._open:
            self._open = False
            forget(self._secure.waits_on)
            self._secure.close()


class Dialer:
    """Makes connections with one set of credentials (DER)."""

    def __init__(self, clock: "Clock", resolver: Resolver, ca: bytes, cert: bytes, key: bytes) -> None:
        """Load the credentials. Raises ConfigError ``bad_certificate``."""
        self._clock = clock
        self._resolver = resolver
        self._context: "Any" = client_context(ca, cert, key)

    async def dial(self, host: str, port: int, first: bytes) -> Stream:
        """Return a connection after the handshake and with ``first`` sent. Raises LinkError."""
        raw = await self._connected(host, port)
        try:
            secure = Secure(self._context, raw, host)
        except (OSError, ValueError) as error:
            raw.close()
            raise LinkError("unreachable", _said(error))
        stream = Stream(secure)
        try:
            await _send(stream, first)
        except BaseException:
            stream.close()
            raise
        return stream

    async def _connected(self, host: str, port: int) -> "Any":
        """Return a connected socket that does not block."""
        trouble = ""
        for address in (await self._resolver.addresses(host))[:MAX_ADDRESSES]:
            made: "list[Any]" = []  # so that a cancellation at any moment leaves nothing open
            try:
                await within(self._clock, _connect(address, port, made), TCP_LIMIT_MS)
            except (OSError, LimitReached) as error:
                _close(made)
                trouble = _said(error)
            except BaseException:
                _close(made)
                raise
            else:
                return made[0]
        raise LinkError("unreachable", host + ":" + str(port) + ": " + trouble)


async def _send(stream: Stream, data: bytes) -> None:
    """Write; the first write makes the handshake, which waits for the broker and not for room."""
    view = memoryview(data)
    while view:
        count = stream.write(view)
        view = view[count:]
        if not count:
            await stream.readable()


async def _connect(address: str, port: int, made: "list[Any]") -> None:
    """Connect a socket, which is in ``made`` from the moment it exists."""
    family, kind, proto, _, where = numeric(address, port, socket.SOCK_STREAM)
    raw = socket.socket(family, kind, proto)
    made.append(raw)
    raw.setblocking(False)
    try:
        raw.connect(where)
    except OSError as error:
        if error.errno != errno.EINPROGRESS:
            raise
        await writable(raw)
        raw.send(b"")  # raises what connect ended with; MicroPython has no getsockopt
    raw.setsockopt(_TCP, _NODELAY, 1)
    raw.setsockopt(_TCP, _NOTSENT_LOWAT, _LOWAT_BYTES)


def _close(made: "list[Any]") -> None:
    for raw in made:
        forget(raw)
        raw.close()


def _said(error: BaseException) -> str:
    """Return what an error says, on one line; MicroPython's may have a number alone."""
    return " ".join(str(error).split()) or repr(error)
