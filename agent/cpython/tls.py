"""TLS to the broker, 1.2 or later: its certificate is of our authority and for its name, ours is shown."""

from __future__ import annotations

import base64
import os
import ssl
import textwrap

from agent.errors import ConfigError


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
    lines = textwrap.wrap(base64.b64encode(der).decode(), 64)
    return "\n".join([f"-----BEGIN {what}-----", *lines, f"-----END {what}-----", ""]).encode()
