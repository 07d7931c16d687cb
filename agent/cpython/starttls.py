"""TLS over a connection that is there already, by asyncio's own means."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio


def client_context(ca: bytes) -> ssl.SSLContext:
    """Return a context that trusts this authority (DER) alone. Raises ssl.SSLError when it is none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # requires a valid certificate with the right name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=ca)
    return context


async def start(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext, name: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return the same connection under TLS."""
    await writer.start_tls(context, server_hostname=name)
    return reader, writer
