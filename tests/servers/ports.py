"""Free TCP ports on loopback, and no other test's, also when several processes run tests on one machine."""

from __future__ import annotations

import errno
import itertools
import os
import socket

# Below what Linux gives to outgoing connections (32768 to 60999), else one of those could take a port between
# its choice and the start of the server, or while the server is restarted.
_FIRST, _COUNT = 12_000, 20_000
_candidates = itertools.count(os.getpid() * 97)


def free_port() -> int:
    """Return a port nobody listens on; it is this process's until it ends."""
    while True:
        port = _FIRST + next(_candidates) % _COUNT
        if _reserve(port) and _is_free(port):
            return port


def _reserve(port: int) -> bool:
    """An abstract socket's name is taken once in a network namespace and is gone with the process."""
    mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        mark.bind(f"\0vigia-tests-port-{port}")
    except OSError as error:
        mark.close()
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    mark.detach()  # stays open as long as the process
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
