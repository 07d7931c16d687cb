"""A serial port, raw, 8 bits, of which reading never waits. Both interpreters have ``termios``.

MicroPython's knows few constants and no VMIN, so bits are given by number (asm-generic/termbits.h; MIPS has
the same ones), and what ``tcgetattr`` tells as a number among the control characters of a raw port are VMIN
and VTIME, on both.
"""

import termios

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from io import FileIO
    from typing import Any

_CS8, _CREAD, _PARENB, _PARODD, _CLOCAL = 0o60, 0o200, 0o400, 0o1000, 0o4000
_SPEEDS = {1200: 0o11, 2400: 0o13, 4800: 0o14, 9600: 0o15, 19200: 0o16, 38400: 0o17}
_PARITIES = {"none": 0, "even": _PARENB, "odd": _PARENB | _PARODD}
_NOW = 0  # TCSANOW

try:
    from agent.cpython.serial import open_raw
except ImportError:

    def open_raw(path: str) -> "FileIO":
        """Open a port for reading and writing."""
        return open(path, "r+b")  # type: ignore[return-value]


def open_port(path: str, baud: int, parity: str) -> "FileIO":
    """Return the port as a file; ``read`` gives what is there, ``b""`` when nothing is. Raises OSError."""
    file = open_raw(path)
    try:
        _set(file.fileno(), _SPEEDS[baud], _PARITIES[parity])
    except Exception as error:  # noqa: BLE001 - CPython raises termios.error, which is no OSError
        file.close()
        raise OSError(path + ": is no serial port that can be set: " + str(error))
    return file


def _set(number: int, speed: int, parity: int) -> None:
    given: "list[Any]" = termios.tcgetattr(number)
    given[0] = given[1] = given[3] = 0  # nothing is translated, nothing is a signal
    given[2] = _CS8 | _CREAD | _CLOCAL | parity
    given[4] = given[5] = speed
    termios.tcsetattr(number, _NOW, given)
    given = termios.tcgetattr(number)
    given[6] = [0 if isinstance(each, int) else each for each in given[6]]
    termios.tcsetattr(number, _NOW, given)
