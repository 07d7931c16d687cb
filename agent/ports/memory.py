"""How much memory the agent takes, and how much it may."""

import gc
import struct
import sys

_free = getattr(gc, "mem_free", None)  # MicroPython alone has a heap of fixed size
_threshold = getattr(gc, "threshold", None)
_EARLY_BYTES = 4096  # while what lives long is still being made
_RECYCLE_BYTES = 16384  # a collection takes 0.4 ms of an x86-64
_KIB = 1024
_WORD_BYTES = struct.calcsize("P")


def memory() -> dict[str, int]:
    """Return ``rss_bytes`` where the kernel says it and, with a heap of fixed size, ``heap_free``."""
    fields = {}
    if _free is not None:
        gc.collect()  # what is not yet collected is no less free
        fields["heap_free"] = free = int(_free())
        if _threshold is not None:  # what lives long is in its place: half the work of an agent is collecting
            _threshold(max(_RECYCLE_BYTES, free // 3))
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


def recycle_early(*, settled: bool = False) -> None:
    """Let a heap of fixed size be collected after every few KiB, not when it is full.

    What lives long then lies together at its beginning. Otherwise it ends up scattered among what has died:
    of 90 KiB that were free the largest piece had 2 (measured with a spool that fills), of 26 KiB it had less
    than 2 (all readers, 256 KiB). ``settled``: what lives long is there, the first frames were sent.
    """
    if _free is not None and _threshold is not None:
        _threshold(_RECYCLE_BYTES if settled else _EARLY_BYTES)


def forget(name: str) -> None:
    """Give back the heap of a module that is not needed again; where heap is no matter it stays."""
    if _free is None:
        return
    package, _, last = name.rpartition(".")
    sys.modules.pop(name, None)
    if hasattr(sys.modules.get(package), last):
        delattr(sys.modules[package], last)
    gc.collect()
