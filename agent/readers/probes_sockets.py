"""Sockets for probes: addresses and connections that never block the loop, on both interpreters."""

import errno
import socket

from agent.ports import sockets

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

_UNDER_WAY = (errno.EINPROGRESS, errno.EAGAIN)


def address(host: str, port: int) -> "Any":
    """Return what this interpreter's sockets take for an IPv4 address: a pair, or packed bytes.

    ``getaddrinfo`` of a numeric address asks nobody.
    """
    return socket.getaddrinfo(host, port)[0][-1]


async def connected(host: str, port: int) -> "Any":
    """Return a connected, non-blocking TCP socket. Raises OSError; nothing stays open when it does."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        try:
            sock.connect(address(host, port))
        except OSError as error:
            if error.errno not in _UNDER_WAY:
                raise
        await sockets.writable(sock)
        sock.send(b"")  # raises what became of the connection; MicroPython cannot ask for SO_ERROR
    except BaseException:
        sock.close()
        raise
    return sock


def refused(error: OSError) -> bool:
    """Tell whether somebody said no, which proves that somebody is there."""
    return error.errno in {errno.ECONNREFUSED, errno.ECONNRESET}
