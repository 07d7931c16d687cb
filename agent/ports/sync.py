"""Make written data last: fsync of a file and of the folder that names it. Both raise OSError.

MicroPython has no ``os.fsync``; its ``flush()`` calls fsync(2) on the file's descriptor (its files keep no
buffer), also on that of a folder, so that no foreign function is needed (seen with strace, on MIPS too).
"""

import os

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

_fsync = getattr(os, "fsync", None)


def fsync(file: "Any") -> None:
    """Return when what was written to an open file is on the medium."""
    file.flush()
    if _fsync is not None:
        _fsync(file.fileno())


def fsync_folder(path: str) -> None:
    """Return when the names in a folder are on the medium."""
    if _fsync is None:
        with open(path, "rb") as folder:
            folder.flush()
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        _fsync(descriptor)
    finally:
        os.close(descriptor)
