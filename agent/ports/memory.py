"""How much memory the agent takes, and how much it may."""

import gc
import struct
import sys

_free = getattr(gc, "mem_free", None)  # MicroPython alone has a heap of fixed size
_threshold = getattr(gc, "threshold", None)
_EARLY_BYTES = 4096  # while what lives long is still being made
_LEAST_BYTES = 8192  # between two collections; one takes 0.4 ms of an x86-64
_KIB = 1024
_WORD_BYTES = struct.calcsize("P")


def memory() -> dict[str, int]:
    """Return ``rss_bytes`` where the kernel says it and, with a heap of fixed size, ``heap_free``."""
    fields = {}
    if _free is not None:
        gc.collect()  # what is not yet collected is no less free
        fields["heap_free"] = int(_free())
    try:
        with open("/proc/self/status") as file:
            for line in file:
                if line.startswith("VmRSS:"):
                    fields["rss_bytes"] = int(line.split()[1]) * _KIB
    except OSError:
        pass
    return fields


def fitting(most: int, words: int) -> int:
    """Return ``most``, or less where the heap has a fixed size: one for so many machine words of it."""
    if _free is None:
        return most
    heap_bytes = int(_free()) + int(gc.mem_alloc())  # type: ignore[attr-defined]  # MicroPython's
    return min(most, heap_bytes // (words * _WORD_BYTES))


def recycle_early() -> None:
    """Let a heap of fixed size be collected after every few KiB, not when it is full.

    What lives long then lies together at its beginning. Otherwise it ends up scattered among what has died:
    of 90 KiB that were free the largest piece had 2 (measured with a spool that fills), of 26 KiB it had less
    than 2 (all readers, 256 KiB).
    """
    if _free is not None and _threshold is not None:
        _threshold(_EARLY_BYTES)


def recycle_seldom() -> None:
    """Collect when half of what is free was taken: what lives long is there, the first frames were sent.

    A collection goes through all that lives: after each 16 KiB they were half of the agent's processor time.
    """
    if _free is not None and _threshold is not None:
        gc.collect()
        _threshold(max(_LEAST_BYTES, int(_free()) // 2))


def forget(name: str) -> None:
    """Give back the heap of a module that is not needed again; where heap is no matter it stays."""
    if _free is None:
        return
    package, _, last = name.rpartition(".")
    sys.modules.pop(name, None)
    if hasattr(sys.modules.get(package), last):
        delattr(sys.modules[package], last)
    gc.collect()
