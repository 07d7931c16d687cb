"""Start the agent on MicroPython from the folder this file lies in; its arguments are those of vigia-agent.

Usage: micropython -X heapsize=320k FOLDER/vigia-agent.py --config agent.json

``agent.romfs`` beside this file holds the agent's bytecode. It is mapped into memory and runs where it lies,
so that more of the heap is left to data (304 KiB held every reader where a word has 64 bits).
Where that cannot be done (an interpreter without ffi or VfsRom) the folder ``agent`` beside this file is
imported as usual, which takes some 150 KiB of heap on a 32-bit machine. Replace the image by renaming a new
one into its place, never by writing into it.
"""

import gc
import sys

# What is loaded stays; what loading it leaves behind must not lie in between: with 55 of 288 KiB free there
# was no piece of 4 KiB left for a frame. agent.ports.memory sets what holds once the agent runs.
gc.threshold(2048)

FOLDER = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
MOUNTED = "/vigia-agent.romfs"


READ, PRIVATE = 1, 2  # PROT_READ, MAP_PRIVATE: the same on every Linux


def mounted():
    """Mount the image; return where, or None when this interpreter cannot."""
    try:
        import os

        import ffi
        import uctypes
        import vfs

        size = os.stat(FOLDER + "/agent.romfs")[6]
        # the offset is 32 or 64 bits wide, aligned or not: with three zeros it is 0 for every C library
        mmap = ffi.open(None).func("p", "mmap", "pLiiilll")
        with open(FOLDER + "/agent.romfs", "rb") as file:
            address = mmap(None, size, READ, PRIVATE, file.fileno(), 0, 0, 0)
        if address % 4096:  # MAP_FAILED is no page
            return None
        vfs.mount(vfs.VfsRom(uctypes.bytearray_at(address, size)), MOUNTED)
    except (ImportError, AttributeError, OSError):
        return None
    return MOUNTED


sys.path.insert(0, mounted() or FOLDER)

if __name__ == "__main__":
    from agent.__main__ import main

    main()
