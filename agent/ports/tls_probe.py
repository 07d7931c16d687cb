"""TLS to a server that is only looked at: verified or not, its certificate's end where that can be seen.

``TlsLink.write`` and ``read`` return None when they have to wait until ``waits_on`` is readable; a
certificate that does not hold is a ReaderError ``certificate`` of the first write. MicroPython does not show
the peer's certificate, and knows no authorities but those that it is given.
"""

from agent.errors import ReaderError

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

try:
    from agent.cpython.tls_probe import TlsLink as TlsLink  # noqa: PLC0414 - exported
    from agent.cpython.tls_probe import can_verify as can_verify  # noqa: PLC0414 - same
except ImportError:
    import tls  # type: ignore[import-not-found]  # MicroPython's own module

    def can_verify(authority: "bytes | None") -> bool:
        """Tell whether a certificate can be judged at all."""
        return authority is not None

    class TlsLink:  # type: ignore[no-redef]  # the same shape
        """TLS over a connected, non-blocking socket."""

        def __init__(self, sock: "Any", host: str, authority: "bytes | None", *, verify: bool) -> None:
            """Begin; the handshake goes on in ``write``."""
            context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
            if verify:
                context.load_verify_locations(authority)
            else:
                context.verify_mode = tls.CERT_NONE
            self.waits_on = sock
            self._link: "Any" = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)

        def write(self, data: bytes) -> "int | None":
            """Write all, or None."""
            try:
                written: "int | None" = self._link.write(data)
            except ValueError as error:  # mbedtls' text: expired, another name, another authority
                raise ReaderError("certificate", str(error))
            return written

        def read(self, size: int) -> "bytes | None":
            """Read some, b"" at the end, or None."""
            data: "bytes | None" = self._link.read(size)
            return data

        def enddate(self) -> "int | None":
            """Return when the certificate ends, in seconds since 1970; None: cannot be seen here."""
            return None

        def close(self) -> None:
            """Close without waiting for the peer."""
            self._link.close()
