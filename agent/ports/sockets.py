"""Waiting for sockets: ``await readable(sock)``, ``await writable(sock)``; ``forget(sock)`` before closing.

At most one task waits for each direction of a socket. Tasks that wait are cancelled before it is closed, all
of them together: MicroPython forgets both directions when one is cancelled.
"""

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from agent.cpython.sockets import forget, readable, writable
else:
    try:
        from agent.cpython.sockets import forget, readable, writable
    except ImportError:
        from agent.ports.micropython import forget, readable, writable

__all__ = ("forget", "readable", "writable")
