"""A kernel with one GPIO chip, as far as ``ioctl`` shows it; the structures are those of linux/gpio.h.

Where they lie is what tests/readers/test_gpio.py compiles that header for.
"""

from __future__ import annotations

import errno
import os
import struct
from typing import TYPE_CHECKING

from agent.cpython import gpio

if TYPE_CHECKING:
    from pathlib import Path


class Chip:
    """The lines of a chip by number: their levels, and who has taken them."""

    def __init__(self, folder: Path, name: str = "gpiochip0") -> None:
        self.path = folder / name
        self.path.write_bytes(b"")
        self.levels: dict[int, int] = {}
        self.requests: dict[int, bytes] = {}
        self._ends: dict[int, tuple[int, int]] = {}  # line -> descriptor of its events, the end that writes
        self._seq = 0

    def kernel(self) -> gpio.Kernel:
        return gpio.Kernel(self.ioctl, f"{self.path.parent}/")

    def ioctl(self, number: int, code: int, data: bytearray, fills: bool) -> int:  # noqa: FBT001 - fcntl's
        assert fills
        if code == gpio.GET_LINE:
            self._take(data)
        else:
            assert code == gpio.GET_VALUES
            self._values(number, data)
        return 0

    def turn(self, line: int, level: int) -> None:
        """Change a level, after debouncing."""
        self.levels[line] = level
        if line not in self._ends:
            return
        self._seq += 1
        kind = 1 if self._active(line) else 2
        event = struct.pack("QIIII24x", self._seq, kind, line, self._seq, self._seq)
        os.write(self._ends[line][1], event)

    def unplug(self) -> None:
        """Take the chip away."""
        self.path.unlink()
        for _, writing in self._ends.values():
            os.close(writing)
        self._ends.clear()

    def gave(self, number: int) -> bool:
        """Tell whether a descriptor is that of a line of this chip."""
        return number in [ends[0] for ends in self._ends.values()]

    def _take(self, data: bytearray) -> None:
        (line,) = struct.unpack_from("I", data, gpio.FIRST_OFFSET)
        if line not in self.levels:
            raise OSError(errno.EINVAL, "no such line")
        if line in self._ends and _is_open(self._ends[line][0]):
            raise OSError(errno.EBUSY, "taken")
        self.requests[line] = bytes(data)
        reading, writing = os.pipe()
        self._ends[line] = (reading, writing)
        struct.pack_into("i", data, gpio.FD, reading)

    def _values(self, number: int, data: bytearray) -> None:
        if not self.gave(number):
            raise OSError(errno.ENODEV, "gone")
        (line,) = [each for each, ends in self._ends.items() if ends[0] == number]
        bits, mask = struct.unpack("QQ", data)
        assert (bits, mask) == (0, 1)
        struct.pack_into("Q", data, 0, int(self._active(line)))

    def _active(self, line: int) -> bool:
        (flags,) = struct.unpack_from("Q", self.requests[line], gpio.FLAGS)
        return bool(self.levels[line]) != bool(flags & gpio.ACTIVE_LOW)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
