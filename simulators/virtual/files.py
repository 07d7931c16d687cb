"""The file system of a simulated device, in memory: RAM that a loss of power wipes, flash that stays."""

from __future__ import annotations

import errno

from agent.ports.files import Files

RAM = "/ram"
FLASH = "/flash"


class Disk:
    """What a device holds; ``Files`` of one boot write here."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}

    def wipe_ram(self) -> None:
        """Lose what only power held."""
        self.content = {path: data for path, data in self.content.items() if not path.startswith(RAM + "/")}


class MemoryFiles(Files):
    """The agent's files on such a disk, until ``die``: then nothing is written any more."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._dead = False

    def die(self) -> None:
        """Lose power."""
        self._dead = True

    def make_folder(self, path: str) -> None:
        """Folders are not kept."""

    def exists(self, path: str) -> bool:
        """Tell whether the path names a file, or something below it does."""
        return path in self._disk.content or any(name.startswith(path + "/") for name in self._disk.content)

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder, sorted."""
        start = folder + "/"
        below = [path.removeprefix(start) for path in self._disk.content if path.startswith(start)]
        return sorted(name for name in below if "/" not in name)

    def read(self, path: str, offset: int = 0, size: int = -1) -> bytes:
        """Return ``size`` bytes (all when negative) from ``offset``."""
        try:
            data = self._disk.content[path]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, path) from None
        return data[offset:] if size < 0 else data[offset : offset + size]

    def append(self, path: str, data: bytes, *, sync: bool) -> None:  # noqa: ARG002 - memory is always on its medium
        """Append to a file."""
        self._live()
        self._disk.content[path] = self._disk.content.get(path, b"") + data

    def write_new(self, path: str, data: bytes, *, sync: bool) -> None:  # noqa: ARG002 - same
        """Put a whole file in place of what has this name."""
        self._live()
        self._disk.content[path] = data

    def sync(self, path: str) -> None:
        """Nothing is left to do."""

    def remove(self, path: str) -> None:
        """Remove a file."""
        self._live()
        if self._disk.content.pop(path, None) is None:
            raise FileNotFoundError(errno.ENOENT, path)

    def _live(self) -> None:
        if self._dead:
            raise OSError(errno.EIO, "the power is gone")
