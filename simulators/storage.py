"""Files of a device whose power can fail: from that moment nothing is written any more."""

from __future__ import annotations

import errno

from agent.ports.files import Files


class MortalFiles(Files):
    """The agent's files until ``die``; then every change fails, as if the processor had stopped before it."""

    def __init__(self) -> None:
        self._dead = False

    def die(self) -> None:
        """Lose power."""
        self._dead = True

    def append(self, path: str, data: bytes, *, sync: bool) -> None:
        """Append to a file."""
        self._live()
        super().append(path, data, sync=sync)

    def write_new(self, path: str, data: bytes, *, sync: bool) -> None:
        """Put a whole file in place of what has this name."""
        self._live()
        super().write_new(path, data, sync=sync)

    def remove(self, path: str) -> None:
        """Remove a file."""
        self._live()
        super().remove(path)

    def _live(self) -> None:
        if self._dead:
            raise OSError(errno.EIO, "the power is gone")
