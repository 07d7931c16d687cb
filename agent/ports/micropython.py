"""MicroPython only: what its ``os`` and ``time`` lack, from /proc and, where it is built in, from ffi."""

try:
    from ffi import open as _library  # type: ignore[import-not-found]  # MicroPython's own module
except ImportError:
    _library = None

_STRUCT_TIMEX = bytearray(
    256
)  # 208 bytes with 64-bit longs; the first field, modes = 0, asks and sets nothing
_adjtimex = _library(None).func("i", "adjtimex", "p") if _library else None


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
    """Milliseconds since the kernel's start; /proc/uptime counts CLOCK_BOOTTIME in steps of 10 ms."""
    with open("/proc/uptime") as file:
        seconds, fraction = file.read().split()[0].split(".")
    return int(seconds) * 1000 + int(fraction) * 10
