"""A disk that can be full: a small tmpfs where root may mount one, else a limit on the size of files.

The limit (RLIMIT_FSIZE of the running process) refuses growth with EFBIG instead of ENOSPC; the account of a
run says which of the two it was.
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = bytes(65_536)
_LIMIT_BYTES = PAGE_BYTES = 4096


class Disk:
    """The folder of a server's data. ``open`` makes it, ``close`` gives it back."""

    def __init__(self, folder: Path, *, size_mib: int | None) -> None:
        self.folder = folder
        self.kind = "none"
        self._size_mib = size_mib
        self._ballast = folder / "ballast"
        self._limited: int | None = None

    def open(self) -> None:
        """Make the folder; mount a small file system there when its size is given."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._size_mib is None:
            return
        what = ["-t", "tmpfs", "-o", f"size={self._size_mib}m", "tmpfs", str(self.folder)]
        self.kind = "tmpfs" if _done("mount", *what) else "limit"

    def close(self) -> None:
        """Unmount."""
        if self.kind == "tmpfs":
            _done("umount", "-l", str(self.folder))

    def fill(self, pid: int | None, *, spare: int = 0) -> None:
        """Let no byte more fit but ``spare``; ``pid`` is the process that writes here."""
        if self.kind == "tmpfs":
            self._write_ballast()
            os.truncate(self._ballast, self._ballast.stat().st_size - spare)
        elif pid is not None:
            self._limit(pid, _LIMIT_BYTES)
            self._limited = pid

    def free(self) -> None:
        """Let there be room again."""
        self._ballast.unlink(missing_ok=True)
        if self._limited is not None:
            self._limit(self._limited, resource.RLIM_INFINITY)
            self._limited = None

    def _write_ballast(self) -> None:
        with self._ballast.open("ab", buffering=0) as file:
            try:
                while file.write(_BLOCK) == len(_BLOCK):
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def _limit(self, pid: int, size: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


def _done(*command: str) -> bool:
    """Run a program of the system; whether it is there and did it."""
    path = shutil.which(command[0])
    if path is None:
        return False
    return subprocess.run([path, *command[1:]], capture_output=True, check=False).returncode == 0
