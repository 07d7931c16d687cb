"""Opening a serial port so that it neither waits for a carrier nor becomes the terminal of this process.

A session's leader (systemd makes one of every service) that opens a terminal gets it as its own, and a SIGHUP
when the adapter is pulled out. OpenWrt's procd makes none, so that MicroPython's plain ``open`` will do.
"""

from __future__ import annotations

import os
from io import FileIO


def open_raw(path: str) -> FileIO:
    """Open a port for reading and writing. Raises OSError."""
    return FileIO(os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC), "r+")
