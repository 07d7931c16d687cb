"""Files of the spool and the boot counter; an ``OSError`` goes to the caller, who counts it.

``write_new`` is atomic: the name holds the old or the new content after a power cut, never half of one.
"""

import os

from agent.ports.sync import fsync, fsync_folder

_FOLDER = 0x4000  # S_IFDIR of stat's first field


class Files:
    """The machine's file system. Paths are text; contents are bytes."""

    def make_folder(self, path: str) -> None:
        """Make a folder and those above it; one that exists is fine."""
        parts = path.split("/")
        for count in range(1, len(parts) + 1):
            part = "/".join(parts[:count])
            if part and not self.exists(part):
                os.mkdir(part)
                fsync_folder(_folder_of(part))

    def exists(self, path: str) -> bool:
        """Tell whether the path names anything."""
        try:
            os.stat(path)
        except OSError:
            return False
        return True

    def names(self, folder: str) -> list[str]:
        """Return the names of the plain files in a folder, sorted."""
        found = [name for name in os.listdir(folder) if not os.stat(folder + "/" + name)[0] & _FOLDER]
        return sorted(found)

    def read(self, path: str, offset: int = 0, size: int = -1) -> bytes:
        """Return ``size`` bytes (all when negative) from ``offset``."""
        with open(path, "rb") as file:
            file.seek(offset)
            return file.read(size)

    def append(self, path: str, data: bytes, *, sync: bool) -> None:
        """Append to a file, which is made when missing; with ``sync`` it is on the medium on return."""
        new = sync and not self.exists(path)
        with open(path, "ab") as file:
            file.write(data)
            if sync:
                fsync(file)
        if new:  # the name of a new file is not in what its own fsync saves (fsync(2))
            fsync_folder(_folder_of(path))

    def write_new(self, path: str, data: bytes, *, sync: bool) -> None:
        """Put a whole file in place of what has this name."""
        beside = path + ".new"
        try:
            self._write(beside, data, sync=sync)
        except OSError:
            if self.exists(beside):  # half a file on a full disk would keep it full
                os.remove(beside)
            raise
        os.rename(beside, path)
        if sync:
            fsync_folder(_folder_of(path))

    def sync(self, path: str) -> None:
        """Put on the medium what another process left in a file, and its name."""
        with open(path, "rb") as file:
            fsync(file)
        fsync_folder(_folder_of(path))

    def remove(self, path: str) -> None:
        """Remove a file."""
        os.remove(path)

    def _write(self, path: str, data: bytes, *, sync: bool) -> None:
        with open(path, "wb") as file:
            file.write(data)
            if sync:
                fsync(file)


def _folder_of(path: str) -> str:
    """Return the folder that names a file."""
    at = path.rfind("/")
    return path[:at] or "/" if at >= 0 else "."
