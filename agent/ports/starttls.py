"""TLS over a connection that is there already, and its abrupt end, on either interpreter.

The certificate has to be valid, of the given authority and for the server's name (on MicroPython with mbedtls
2.28 an address is no name). Authorities come in DER: MicroPython reads nothing else.
"""

import asyncio

try:
    import tls  # type: ignore[import-not-found]  # MicroPython's own module
except ImportError:
    tls = None

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any


def _context(ca: bytes) -> "Any":
    """Return a context that trusts this authority alone. Raises ValueError when it is none."""
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)  # requires a valid certificate with the right name
    context.load_verify_locations(ca)
    return context


async def _start(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: "Any", name: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return the same connection under TLS; a bad certificate shows at the first write, as a ValueError."""
    del reader  # the same object as the writer
    raw = writer.s  # type: ignore[attr-defined]  # MicroPython's streams are a socket and little else
    secured = context.wrap_socket(raw, server_hostname=name, do_handshake_on_connect=False)
    secured.setblocking(False)
    stream: "Any" = asyncio.StreamReader(secured)
    return stream, stream


try:
    from agent.cpython.starttls import client_context as client_context  # noqa: PLC0414 - exported
    from agent.cpython.starttls import start as start  # noqa: PLC0414 - exported

    HAS_TLS = True
except ImportError:
    client_context, start = _context, _start
    HAS_TLS = tls is not None


async def abort(writer: asyncio.StreamWriter) -> None:
    """Close at once, without waiting for the peer."""
    transport = getattr(writer, "transport", None)  # MicroPython's streams have none
    if transport is not None:
        transport.abort()
    else:
        await writer.wait_closed()
