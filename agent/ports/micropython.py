"""MicroPython only: what its ``os`` and ``time`` lack, from /proc and, where it is built in, from ffi."""

import asyncio
import time

try:
    from ffi import open as _library  # type: ignore[import-not-found]  # MicroPython's own module
except ImportError:
    _library = None

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

_SIGTERM = 15  # signal(7): the same on every machine
_IGNORE = 1  # SIG_IGN
_CLOEXEC = 0x80000  # O_CLOEXEC on x86, ARM and MIPS

_libc = _library(None) if _library else None
# struct timex has 208 bytes with 64-bit longs; the first field, modes = 0, asks and sets nothing
_STRUCT_TIMEX = bytearray(256)
_adjtimex = _libc.func("i", "adjtimex", "p") if _libc else None
_RESET_MS = 1000  # how long the interpreter's ticks are trusted, which wrap and do not count sleep
_uptime_file: "list[Any]" = []
_uptime_at = [0, 0, 0]  # the uptime that the kernel said, the ticks at that time, the last uptime told


def adjtimex() -> int:
    """Return the kernel's clock state (5 is unsynchronised), or -1 when it cannot be asked."""
    return timex()[0]


def timex() -> tuple[int, bytes]:
    """Return the kernel's clock state as above, and ``struct timex`` as it filled it."""
    if not _adjtimex:
        return -1, b""
    for at in range(len(_STRUCT_TIMEX)):  # what is left of the answer before must not be taken for a question
        _STRUCT_TIMEX[at] = 0
    return int(_adjtimex(_STRUCT_TIMEX)), bytes(_STRUCT_TIMEX)


def uptime_ms() -> int:
    """Milliseconds since the kernel's start; /proc/uptime counts CLOCK_BOOTTIME in steps of 10 ms.

    This is asked several times for every sample: the file stays open, and between two looks ticks count.
    """
    ticks = time.ticks_ms()  # type: ignore[attr-defined]  # MicroPython's
    passed = time.ticks_diff(ticks, _uptime_at[1])  # type: ignore[attr-defined]  # same
    if not _uptime_file or not 0 <= passed < _RESET_MS:
        passed = 0
        _uptime_at[0] = _kernel_uptime_ms()
        _uptime_at[1] = ticks
    _uptime_at[2] = max(_uptime_at[2], _uptime_at[0] + passed)
    return _uptime_at[2]


def _kernel_uptime_ms() -> int:
    if not _uptime_file:
        _uptime_file.append(open("/proc/uptime", "rb"))  # noqa: SIM115 - as said
    file = _uptime_file[0]
    file.seek(0)
    whole = file.read(32)
    point = whole.find(b".")
    return int(whole[:point]) * 1000 + int(whole[point + 1 : point + 3]) * 10


def readable(sock: "Any") -> "Generator[None]":
    """Wait until a raw socket (not the TLS one, which asyncio would poll every millisecond) can be read."""
    yield asyncio.core._io_queue.queue_read(sock)  # type: ignore[attr-defined]  # noqa: SLF001 - as its own streams do; a generator is awaitable here


def writable(sock: "Any") -> "Generator[None]":
    """Wait until a raw socket can be written."""
    yield asyncio.core._io_queue.queue_write(sock)  # type: ignore[attr-defined]  # noqa: SLF001 - same


def forget(_sock: "Any") -> None:
    """Nothing to do before a socket is closed: a cancelled wait has left the poll set already."""


def unix_address(path: str) -> bytes:
    """Return ``struct sockaddr_un`` (unix(7)): the family in the machine's own byte order, the path."""
    from struct import pack  # noqa: PLC0415 - a question a second

    return pack("H", 1) + path.encode() + b"\0"


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set ``stop`` at SIGTERM, where libc can be called; SIGINT is KeyboardInterrupt.

    No Python may run in a signal handler, so the handler is libc's own ``close``: descriptor 15 is made the
    writing end of a pipe, and ``signal(15, close)`` closes it, which the reading end shows. close(2) is safe
    in handlers (signal-safety(7)), commands that are started get the default action back (execve(2)).
    """
    if _libc is None:
        return
    pipe2, dup3 = _libc.func("i", "pipe2", "pi"), _libc.func("i", "dup3", "iii")
    ends = bytearray(8)
    if pipe2(ends, _CLOEXEC) != 0:
        return
    reading, writing = _two_ints(ends)
    if dup3(writing, _SIGTERM, _CLOEXEC) != _SIGTERM:
        return
    _libc.func("i", "close", "i")(writing)
    _signal(_libc.addr("close"))
    asyncio.create_task(_wait_for_end(reading, stop))  # noqa: RUF006 - it lives as long as the loop


async def _wait_for_end(reading: int, stop: asyncio.Event) -> None:
    with open(reading, "rb") as end:
        await readable(end)  # type: ignore[misc]  # a generator is awaitable here
        _signal(_IGNORE)  # the number 15 may now be given to a file: a second signal must not close that
        stop.set()


def _signal(handler: int) -> None:
    _libc.func("p", "signal", "ip")(_SIGTERM, handler)  # type: ignore[union-attr]  # asked before


def _two_ints(data: bytearray) -> "tuple[int, int]":
    from struct import unpack  # noqa: PLC0415 - once in a life

    first, second = unpack("ii", data)
    return first, second
