"""How much memory the agent takes."""

import gc

_free = getattr(gc, "mem_free", None)  # MicroPython alone has a heap of fixed size
_KIB = 1024


def memory() -> dict[str, int]:
    """Return ``rss_bytes`` where the kernel says it and, with a heap of fixed size, ``heap_free``."""
    fields = {}
    if _free is not None:
        fields["heap_free"] = int(_free())
    try:
        with open("/proc/self/status") as file:
            for line in file:
                if line.startswith("VmRSS:"):
                    fields["rss_bytes"] = int(line.split()[1]) * _KIB
    except OSError:
        pass
    return fields
