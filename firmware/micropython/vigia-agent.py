"""Start the agent on MicroPython from the folder this file lies in; the arguments are those of vigia-agent.

Usage: micropython -X heapsize=256k FOLDER/vigia-agent.py --config agent.json

``agent.romfs`` beside this file holds the agent's bytecode. Loaded through the C library into memory outside
of Python's heap, it runs where it lies, and the heap of 256 KiB is left to data. Where that cannot be done (an
interpreter without ffi or VfsRom) the folder ``agent`` beside this file is imported as usual, which takes some
150 KiB of heap on a 32-bit machine.
"""

import sys

FOLDER = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
MOUNTED = "/vigia-agent.romfs"


def mounted():
    """Mount the image; return where, or None when this interpreter cannot."""
    try:
        import os  # noqa: PLC0415

        import ffi  # noqa: PLC0415
        import uctypes  # noqa: PLC0415
        import vfs  # noqa: PLC0415

        size = os.stat(FOLDER + "/agent.romfs")[6]
        address = ffi.open(None).func("p", "malloc", "L")(size)
        image = uctypes.bytearray_at(address, size)
        with open(FOLDER + "/agent.romfs", "rb") as file:
            whole = file.readinto(image) == size
        if not whole:
            return None
        vfs.mount(vfs.VfsRom(image), MOUNTED)
    except (ImportError, AttributeError, OSError):
        return None
    return MOUNTED


sys.path.insert(0, mounted() or FOLDER)

from agent.__main__ import main  # noqa: E402

main()
