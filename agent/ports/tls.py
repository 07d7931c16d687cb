"""TLS over a socket that does not block: ``client_context(ca, cert, key)`` and ``Secure``.

``client_context`` takes DER; the broker's certificate must be of that authority, valid now and for the name
asked for. Raises ConfigError ``bad_certificate``.

``Secure(context, raw, name)`` takes the connected raw socket over: ``read(n)`` returns bytes, ``b""`` at the
end, None when there is nothing now; ``write(data)`` how many bytes went, None when there is no room now;
both make the handshake first, and raise OSError or ValueError (a certificate that does not verify).
``waits_on`` is what to wait for with ``agent.ports.sockets``. ``close()`` closes the raw socket too.
"""

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from agent.cpython.tls import Secure, client_context
else:
    try:
        from agent.cpython.tls import Secure, client_context
    except ImportError:
        from agent.ports.micropython_tls import Secure, client_context

__all__ = ("Secure", "client_context")
