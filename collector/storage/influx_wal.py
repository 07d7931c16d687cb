"""Mends InfluxDB's write-ahead logs before it starts.

An entry that a crash or a full disk left unfinished is cut off by InfluxDB itself when it reads the log, but
it has opened the log for writing before and goes on at the old end: between them stays a hole of zeros. What
is written behind it is acknowledged and fsynced, and the next start reads up to the hole and throws the rest
away; so does every start after that. Measured with 2.7.12: ``simulators/chaos/full_influx.py``. Here torn
ends are cut before InfluxDB opens the log, and what stands behind a hole moves up.

Format, from InfluxDB's ``tsdb/engine/tsm1/wal.go``: entries of a type (1 to 3), a length (4 bytes, big
endian) and that many bytes of snappy (https://github.com/google/snappy/blob/main/format_description.txt).
"""

from __future__ import annotations

import fcntl
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_TYPES = frozenset({1, 2, 3})  # points, a deletion, a deletion of a range
_HEAD = 5
_LONG = 60  # literals of this length code and above have 1 to 4 bytes of length


def mend(data: Path) -> list[str]:
    """Mend the logs below InfluxDB's folder of data (``influxd.bolt``, ``engine``); a line for each mended.

    Nothing is touched while a server holds the folder.
    """
    bolt = data / "influxd.bolt"
    if not bolt.exists():
        return []  # nothing was ever written
    with bolt.open("rb") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)  # as bbolt does, exclusively, while it runs
        except BlockingIOError:
            return [f"{data}: InfluxDB is running, its logs are left alone"]
        # database / retention policy / shard
        logs = sorted((data / "engine" / "wal").glob("*/*/*/_*.wal"))
        return [line for log in logs for line in _mend(log)]


def _mend(path: Path) -> list[str]:
    """Leave nothing but whole entries in a log."""
    log = path.read_bytes()
    kept = whole(log)
    if len(kept) == len(log):
        return []
    if log.startswith(kept):  # works on a full disk too
        with path.open("r+b") as file:
            file.truncate(len(kept))
            os.fsync(file.fileno())
    else:
        _replace(path, kept)
    return [f"{path}: {len(log) - len(kept)} bytes of holes and torn entries taken out"]


def _replace(path: Path, kept: bytes) -> None:
    """Replace a log in one step, for the same owner."""
    mended, owner = path.with_suffix(".mended"), path.stat()  # InfluxDB reads *.wal
    with mended.open("wb") as file:
        file.write(kept)
        file.flush()
        os.fsync(file.fileno())
        os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        os.fchmod(file.fileno(), stat.S_IMODE(owner.st_mode))
    mended.replace(path)


def whole(log: bytes) -> bytes:
    """Return the whole entries of a log, up to the first that is not; holes are passed over."""
    kept = []
    position = 0
    while position + _HEAD <= len(log):
        end = position + _HEAD + int.from_bytes(log[position + 1 : position + _HEAD], "big")
        if log[position] in _TYPES and end <= len(log) and is_snappy(log[position + _HEAD : end]):
            kept.append(log[position:end])
            position = end
        elif log[position] == 0:
            position += len(log) - position - len(log[position:].lstrip(b"\0"))
        else:
            break
    return b"".join(kept)


def is_snappy(block: bytes) -> bool:
    """Whether a block has the form of snappy and the length that it promises; nothing is unpacked."""
    try:
        promised, position = _varint(block)
        made = 0
        while position < len(block):
            size, back, position = _element(block, position)
            if not 0 <= back <= made:
                return False
            made += size
    except IndexError:
        return False
    return made == promised and position == len(block)


def _varint(block: bytes) -> tuple[int, int]:
    value = position = 0
    while True:
        byte = block[position]
        value |= (byte & 0x7F) << (7 * position)
        position += 1
        if byte < 0x80:  # noqa: PLR2004 - the last byte has no mark
            return value, position


def _element(block: bytes, position: int) -> tuple[int, int, int]:
    """Return what an element adds, how far back it copies from (0: a literal), where the next one begins."""
    tag = block[position]
    kind, size = tag & 3, (tag >> 2) + 1
    position += 1
    if kind == 0:
        if size > _LONG:
            more = size - _LONG
            size, position = _little(block, position, more) + 1, position + more
        return size, 0, position + size
    if kind == 1:
        return (size - 1 & 7) + 4, tag >> 5 << 8 | block[position] or -1, position + 1
    more = 2 if kind == 2 else 4  # noqa: PLR2004 - the format's own number
    return size, _little(block, position, more) or -1, position + more


def _little(block: bytes, position: int, size: int) -> int:
    if position + size > len(block):
        raise IndexError
    return int.from_bytes(block[position : position + size], "little")
