"""MicroPython only: TLS by its C module ``tls``, which requires a valid certificate unless told otherwise.

(The module ``ssl`` wraps it with verification switched off.) See agent.ports.tls for the contract.
"""

import tls  # type: ignore[import-not-found]  # MicroPython's own module

from agent.errors import ConfigError

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any


def client_context(ca: bytes, cert: bytes, key: bytes) -> "Any":
    """Return a context for these three."""
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(ca)
        context.load_cert_chain(cert, key)
    except (ValueError, OSError) as error:
        raise ConfigError("bad_certificate", "certificate or key cannot be used: " + str(error))
    return context


class Secure:
    """One connection."""

    def __init__(self, context: "Any", raw: "Any", name: str) -> None:
        """Prepare the handshake, which the first write begins."""
        self.waits_on = raw
        self._tls = context.wrap_socket(raw, server_hostname=name, do_handshake_on_connect=False)
        self._open = True

    def read(self, size: int) -> "bytes | None":
        """Return what is there."""
        try:
            data: "bytes | None" = self._tls.read(size)
        except EOFError:
            return b""
        return data

    def write(self, data: "bytes | memoryview") -> "int | None":
        """Send what there is room for."""
        count: "int | None" = self._tls.write(data)
        return count

    def close(self) -> None:
        """Close once: the number of a closed socket may be another's.

        Closing the TLS object closes the raw socket below it, unless a failed handshake has parted them;
        which of the two it was, only the raw socket can tell. Neither is left to the garbage collector.
        """
        if not self._open:
            return
        self._open = False
        self._tls.close()
        try:
            self.waits_on.setblocking(False)
        except OSError:
            return
        self.waits_on.close()
