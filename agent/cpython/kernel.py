"""What CPython's library does not offer of the kernel: adjtimex(2), by ctypes."""

from __future__ import annotations

import ctypes
import time

_TIMEX_BYTES = 256  # struct timex has 208 bytes with 64-bit longs, fewer with 32
_libc = ctypes.CDLL(None)


def adjtimex() -> int:
    """Return the kernel's clock state (5 is unsynchronised), or -1 when it cannot be asked.

    A struct of zeros has modes = 0: it asks and sets nothing, for which no privilege is needed.
    """
    return timex()[0]


def timex() -> tuple[int, bytes]:
    """Return the kernel's clock state as above, and ``struct timex`` as it filled it."""
    raw = ctypes.create_string_buffer(_TIMEX_BYTES)
    return int(_libc.adjtimex(raw)), raw.raw


def uptime_ms() -> int:
    """Milliseconds since the kernel's start, sleep included."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
