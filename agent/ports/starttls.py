"""TLS over a connection that is there already, and its abrupt end, on either interpreter.

The certificate has to be valid, of the given authority and for the server's name (on MicroPython with mbedtls
2.28 an address is no name). Authorities come in DER: MicroPython reads nothing else.
"""

import asyncio

try:
    import tls  # type: ignore[import-not-found]  # MicroPython's own module
except ImportError:
    try:
        import ssl as tls
    except ImportError:  # an interpreter without TLS
        tls = None  # type: ignore[assignment]

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

HAS_TLS = tls is not None
_STREAMS_CAN = hasattr(asyncio.StreamWriter, "start_tls")


def client_context(ca: bytes) -> "Any":
    """Return a context that trusts this authority alone. Raises OSError or ValueError when it is none."""
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)  # requires a valid certificate with the right name
    if _STREAMS_CAN:
        context.load_verify_locations(cadata=ca)
    else:
        context.load_verify_locations(ca)
    return context


async def start(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: "Any", name: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return the same connection under TLS. On MicroPython a bad certificate shows at the first write."""
    if _STREAMS_CAN:
        await writer.start_tls(context, server_hostname=name)
        return reader, writer
    raw = writer.s  # type: ignore[attr-defined]  # MicroPython's streams are a socket and little else
    secured = context.wrap_socket(raw, server_hostname=name, do_handshake_on_connect=False)
    secured.setblocking(False)
    stream: "Any" = asyncio.StreamReader(secured)
    return stream, stream


async def abort(writer: asyncio.StreamWriter) -> None:
    """Close at once, without waiting for the peer."""
    transport = getattr(writer, "transport", None)  # MicroPython's streams have none
    if transport is not None:
        transport.abort()
    else:
        await writer.wait_closed()
