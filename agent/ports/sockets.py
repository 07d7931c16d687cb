"""Waiting for sockets: ``await readable(sock)``, ``await writable(sock)``; ``forget(sock)`` before closing.

At most one task waits for each direction of a socket. Tasks that wait are cancelled before it is closed, all
of them together: MicroPython forgets both directions when one is cancelled. ``unix_address(path)`` is what
``connect`` takes for a socket of this machine.
"""

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from agent.cpython.sockets import forget, readable, unix_address, writable
else:
    try:
        from agent.cpython.sockets import forget, readable, unix_address, writable
    except ImportError:
        from agent.ports.micropython import forget, readable, unix_address, writable

__all__ = ("AF_UNIX", "forget", "readable", "unix_address", "writable")
AF_UNIX = 1  # on every machine (socket.h of Linux); MicroPython does not name it
