"""Inputs by the kernel's GPIO character device, version 2 (linux/gpio.h, since Linux 5.10).

The kernel debounces, turns the level round where a line is active low, and keeps what turned in order, so
that an opening shorter than any reading is not lost. A test brings a kernel of its own.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.cpython.readers.gpio_spec import InputSpec

    Ioctl = Callable[[int, int, bytearray, bool], int]

GET_LINE: Final = 0xC250B407  # GPIO_V2_GET_LINE_IOCTL
GET_VALUES: Final = 0xC010B40E  # GPIO_V2_LINE_GET_VALUES_IOCTL
INPUT, ACTIVE_LOW, EDGE_RISING, EDGE_FALLING = 1 << 2, 1 << 1, 1 << 4, 1 << 5
BIAS: Final = {"": 0, "pull-up": 1 << 8, "pull-down": 1 << 9, "disabled": 1 << 10}
DEBOUNCE: Final = 3  # GPIO_V2_LINE_ATTR_ID_DEBOUNCE
RISING: Final = 1  # GPIO_V2_LINE_EVENT_RISING_EDGE: of what is active, not of the level

REQUEST_BYTES: Final = 592
FIRST_OFFSET, CONSUMER, FLAGS, NUM_ATTRS, FIRST_ATTR, NUM_LINES, FD = 0, 256, 288, 296, 320, 560, 588
EVENT_BYTES, EVENT_ID = 48, 8
_EVENTS: Final = 16  # the kernel's own buffer for one line


class Kernel(NamedTuple):
    """How the kernel is asked: ``ioctl`` as fcntl's, and the folder of its devices."""

    ioctl: Ioctl = fcntl.ioctl
    folder: str = "/dev/"


def request(line: int, flags: int, debounce_us: int) -> bytearray:
    """Return ``struct gpio_v2_line_request`` for one line."""
    data = bytearray(REQUEST_BYTES)
    struct.pack_into("I", data, FIRST_OFFSET, line)
    struct.pack_into("32s", data, CONSUMER, b"vigia-agent")
    struct.pack_into("Q", data, FLAGS, flags)
    struct.pack_into("I", data, NUM_LINES, 1)
    if debounce_us:
        struct.pack_into("I", data, NUM_ATTRS, 1)
        # id, padding, the period in a union of 8 bytes, the mask of the lines it is for
        struct.pack_into("IIIIQ", data, FIRST_ATTR, DEBOUNCE, 0, debounce_us, 0, 1)
    return data


def flags_of(spec: InputSpec) -> int:
    """Return the flags of a line as configured."""
    return INPUT | EDGE_RISING | EDGE_FALLING | BIAS[spec.bias] | (0 if spec.active_high else ACTIVE_LOW)


def rises(data: bytes) -> bool:
    """Tell whether a line became active in these events."""
    starts = range(0, len(data) - EVENT_BYTES + 1, EVENT_BYTES)
    return any(struct.unpack_from("I", data, at + EVENT_ID)[0] == RISING for at in starts)


KERNEL: Final = Kernel()


class Line:
    """One line of one chip, taken while this lives. Raises OSError."""

    def __init__(self, spec: InputSpec, kernel: Kernel) -> None:
        """Take the line."""
        self._ioctl = kernel.ioctl
        chip = os.open(kernel.folder + spec.chip, os.O_RDWR | os.O_CLOEXEC)
        try:
            data = request(spec.line, flags_of(spec), spec.debounce_ms * 1000)
            self._ioctl(chip, GET_LINE, data, True)
        finally:
            os.close(chip)
        (self.fd,) = struct.unpack_from("i", data, FD)
        os.set_blocking(self.fd, False)

    def active(self) -> bool:
        """Tell whether it is active now, after debouncing."""
        values = bytearray(struct.pack("QQ", 0, 1))
        self._ioctl(self.fd, GET_VALUES, values, True)
        return bool(struct.unpack_from("Q", values)[0] & 1)

    def events(self) -> bytes:
        """Return the events since the last call, none when there are none."""
        try:
            data = os.read(self.fd, EVENT_BYTES * _EVENTS)
        except BlockingIOError:
            return b""
        if not data:
            raise OSError("the chip is gone")
        return data

    def close(self) -> None:
        """Give the line back."""
        os.close(self.fd)


class Input:
    """A line that is taken when it can be, given up when its chip goes, and heard when it turns."""

    def __init__(self, spec: InputSpec, turned: asyncio.Event, kernel: Kernel) -> None:
        """Take nothing yet; ``turned`` is set when something turns."""
        self.spec = spec
        self._turned = turned
        self._kernel = kernel
        self._line: Line | None = None
        self._rose = False

    def read(self) -> bool | None:
        """Tell whether it is active, or was for a moment since the last reading; None: cannot be read."""
        try:
            if self._line is None:
                self._line = Line(self.spec, self._kernel)
                asyncio.get_running_loop().add_reader(self._line.fd, self._hear)
            self._take(self._line)
            active = self._line.active()
        except OSError:
            self.close()
            return None
        momentary = self._rose and not active
        self._rose = False
        if momentary:
            self._turned.set()  # the next reading, which tells that it is over, is due at once
        return active or momentary

    def close(self) -> None:
        """Give up the line."""
        line, self._line = self._line, None
        if line is not None:
            asyncio.get_running_loop().remove_reader(line.fd)
            line.close()

    def _hear(self) -> None:
        if self._line is None:
            return
        try:
            self._take(self._line)
        except OSError:
            self.close()
        self._turned.set()

    def _take(self, line: Line) -> None:
        self._rose = rises(line.events()) or self._rose
