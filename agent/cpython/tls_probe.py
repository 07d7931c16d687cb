"""TLS to a server that is only looked at, by OpenSSL; the certificate's end by ``cryptography``."""

from __future__ import annotations

import ssl
from functools import lru_cache
from typing import TYPE_CHECKING

from agent.errors import ReaderError

if TYPE_CHECKING:
    import socket


def can_verify(authority: bytes | None) -> bool:
    """Tell whether a certificate can be judged: here always, by the system's authorities if need be."""
    del authority
    return True


@lru_cache(maxsize=2)  # reading the system's authorities takes tens of milliseconds
def _context(authority: bytes | None, *, verify: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # to see the end of a certificate that does not hold
    elif authority is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(cadata=authority)
    return context


class TlsLink:
    """TLS over a connected, non-blocking socket; see agent.ports.tls_probe."""

    def __init__(self, sock: socket.socket, host: str, authority: bytes | None, *, verify: bool) -> None:
        """Begin; the handshake goes on in ``write``."""
        context = _context(authority, verify=verify)
        self._link = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
        self.waits_on = self._link  # the socket itself has been taken over
        self._shaken = False

    def write(self, data: bytes) -> int | None:
        """Write all, or None."""
        try:
            if not self._shaken:
                self._link.do_handshake()
                self._shaken = True
            return self._link.send(data)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLCertVerificationError as error:
            raise ReaderError("certificate", error.verify_message) from error

    def read(self, size: int) -> bytes | None:
        """Read some, b"" at the end, or None."""
        try:
            return self._link.recv(size)
        except ssl.SSLWantReadError:
            return None

    def enddate(self) -> int | None:
        """Return when the certificate ends, in seconds since 1970; None: no library to read it with."""
        try:
            from cryptography import x509  # noqa: PLC0415 - an extra
        except ImportError:
            return None
        der = self._link.getpeercert(binary_form=True)
        try:
            return int(x509.load_der_x509_certificate(der or b"").not_valid_after_utc.timestamp())
        except ValueError:
            return None

    def close(self) -> None:
        """Close without waiting for the peer."""
        self._link.close()
