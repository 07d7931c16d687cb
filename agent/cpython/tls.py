"""TLS to the broker, 1.2 or later: its certificate is of our authority and for its name, ours is shown."""

from __future__ import annotations

import base64
import os
import ssl
import textwrap
from typing import TYPE_CHECKING

from agent.errors import ConfigError

if TYPE_CHECKING:
    import socket


class _Socket(ssl.SSLSocket):
    """Closes itself when the handshake fails: paho-mqtt 2.1 leaves it to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - ssl.SSLSocket's signature
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def client_context(ca: bytes, cert: bytes, key: bytes) -> ssl.SSLContext:
    """Return a context for these three (DER). Raises ConfigError ``bad_certificate``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # requires a valid certificate with the right name
    context.sslsocket_class = _Socket
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cadata=ca)
        _load_own(context, _pem("CERTIFICATE", cert) + _pem("PRIVATE KEY", key))
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError("bad_certificate", f"certificate or key cannot be used: {error}") from error
    return context


def _load_own(context: ssl.SSLContext, pem: bytes) -> None:
    """Give OpenSSL what it takes only as a PEM file, without the key touching a disk (memfd_create(2))."""
    descriptor = os.memfd_create("vigia", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, pem)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


def _pem(what: str, der: bytes) -> bytes:
    body = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN {what}-----\n{body}\n-----END {what}-----\n".encode()


class Secure:
    """TLS over a socket that does not block; see agent.ports.tls."""

    def __init__(self, context: ssl.SSLContext, raw: socket.socket, name: str) -> None:
        self._tls = context.wrap_socket(raw, server_hostname=name, do_handshake_on_connect=False)
        self.waits_on = self._tls  # it has taken the raw socket's place

    def read(self, size: int) -> bytes | None:
        """Return what is there."""
        try:
            return self._tls.recv(size)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except ssl.SSLEOFError:
            return b""

    def write(self, data: bytes | memoryview) -> int | None:
        """Send what there is room for."""
        try:
            return self._tls.send(data)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None

    def close(self) -> None:
        """Close the socket."""
        self._tls.close()
