"""The language of apcupsd's network information server: pure, without I/O.

A command and each line of its answer come with their length in two bytes before them; length 0 ends the
answer. A line is ``KEY      : value``. (apcupsd manual, "NIS network protocol" and "STATUS format".)
"""

from agent.errors import ReaderError

MAX_RECORD = 1024  # apcupsd's own lines stay below 256
MAX_RECORDS = 200  # a status has some 50
END = 0


def command(text: str) -> bytes:
    """Return a command with its length before it."""
    data = text.encode()
    return bytes([len(data) >> 8, len(data) & 0xFF]) + data


def length(head: bytes) -> int:
    """Return how long the record is that begins so; 0 is the end of the answer."""
    found = head[0] << 8 | head[1]
    if found > MAX_RECORD:
        raise ReaderError("garbage", "a record longer than any line")
    return found


def pair(record: bytes) -> tuple[str, str]:
    """Return a record's key and value, without the white space around them; letters of 8 bits become ?."""
    text = bytes([byte if 0x20 <= byte < 0x7F else 0x3F for byte in record.strip()]).decode()  # noqa: PLR2004 (ASCII)
    key, colon, value = text.partition(":")
    if not colon:
        raise ReaderError("garbage", "a record without a key")
    return key.strip(), value.strip()


def seconds(text: str) -> int | None:
    """Return a time such as ``2026-03-14 09:26:53 -0600`` in seconds of one scale, None when it is none."""
    parts = text.split()
    if len(parts) != 3 or len(parts[0]) != 10 or len(parts[1]) != 8 or len(parts[2]) != 5:  # noqa: PLR2004 (its form)
        return None
    try:
        year, month, day = [int(part) for part in parts[0].split("-")]
        hour, minute, second = [int(part) for part in parts[1].split(":")]
        zone = int(parts[2][1:3]) * 60 + int(parts[2][3:5])
    except ValueError:
        return None
    if parts[2][0] == "-":
        zone = -zone
    return ((_days(year, month, day) * 24 + hour) * 60 + minute - zone) * 60 + second


def _days(year: int, month: int, day: int) -> int:
    """Return a day's number in the Gregorian calendar, years beginning in March."""
    if month < 3:  # noqa: PLR2004 (March)
        year, month = year - 1, month + 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 + day
