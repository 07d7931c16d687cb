"""The file format of the spool: records one behind the other. Pure; no I/O.

A record is ``magic(2) length(4) crc32(4) body``; the length and the CRC are of the body, big-endian. The
body is ``kind(1) boot(4) incarnation(8) seq(8) topic-length(1) topic frame``. A record that was written in
part, or whose bytes changed, fails its CRC; reading goes on at the next record that is whole, so that a
torn tail costs the tail and a bad spot costs its own record.
"""

import struct
from binascii import crc32

from agent.errors import SpoolError

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = b"\xf5\x9a"
KINDS = ("data", "event", "birth")
MAX_BODY = 70_000  # a message of 64 KiB and what stands before it

_HEAD = ">2sII"
_HEAD_BYTES = 10
_BODY = ">BI8sQB"
_BODY_BYTES = 22


class Record:
    """One sealed frame: its kind, where it belongs, the topic it was sealed for, and its bytes."""

    def __init__(
        self, kind: str, boot: int, incarnation: bytes, seq: int, topic: str, frame: "bytes | bytearray"
    ) -> None:
        """Keep the parts as they are."""
        self.kind = kind
        self.boot = boot
        self.incarnation = incarnation
        self.seq = seq
        self.topic = topic
        self.frame = frame


def encode(record: Record) -> bytes:
    """Return a record's bytes. A frame in a bytearray becomes them in place: a small heap has one for it."""
    frame = record.frame
    topic = record.topic.encode()
    kind = KINDS.index(record.kind)
    start = struct.pack(_BODY, kind, record.boot, record.incarnation, record.seq, len(topic)) + topic
    start = struct.pack(_HEAD, MAGIC, len(start) + len(frame), crc32(frame, crc32(start))) + start
    if isinstance(frame, bytearray):
        frame[:0] = start
        return frame  # type: ignore[return-value]  # as good as bytes to a file
    return start + frame


def decode(data: bytes) -> Record:
    """Return the record that ``data`` begins with. Raises SpoolError ``torn``."""
    found = _whole(data, 0)
    if found is None:
        raise SpoolError("torn", "a spooled record is not whole")
    return found[0]


def frame_at(topic: str) -> int:
    """Return where the frame begins in a record with this topic."""
    return _HEAD_BYTES + _BODY_BYTES + len(topic.encode())


def check(start: bytes, frame: bytes) -> None:
    """Check a record that was read in two pieces. Raises SpoolError ``torn``."""
    head, body = start[:_HEAD_BYTES], start[_HEAD_BYTES:]
    magic, length, crc = struct.unpack(_HEAD, head) if body else (b"", 0, 0)
    if magic != MAGIC or length != len(body) + len(frame) or crc32(frame, crc32(body)) != crc:
        raise SpoolError("torn", "a spooled record is not whole")


def scan(data: bytes) -> "tuple[list[tuple[int, int, Record]], int]":
    """Return ([(offset, length, record), ...], bytes that belong to no whole record) of a segment."""
    records = []
    torn = 0
    for offset, size, record in walk(data):
        if record is None:
            torn += size
        else:
            records.append((offset, size, record))
    return records, torn


def walk(data: bytes) -> "Iterator[tuple[int, int, Record | None]]":
    """Yield (offset, length, record) of a segment, one at a time; None for bytes of no whole record."""
    at = 0
    while at < len(data):
        found = _whole(data, at)
        if found is None:
            onward = data.find(MAGIC, at + 1)
            size = (len(data) if onward < 0 else onward) - at
            yield at, size, None
        else:
            size = found[1]
            yield at, size, found[0]
        at += size


def _whole(data: bytes, at: int) -> "tuple[Record, int] | None":
    """Return (record, its length in the file) when a whole one begins at ``at``."""
    if len(data) - at < _HEAD_BYTES:
        return None
    magic, length, crc = struct.unpack(_HEAD, data[at : at + _HEAD_BYTES])
    start = at + _HEAD_BYTES
    if magic != MAGIC or not _BODY_BYTES <= length <= MAX_BODY or start + length > len(data):
        return None
    body = memoryview(data)[start : start + length]
    if crc32(body) != crc:
        return None
    record = _record(body)
    return (record, _HEAD_BYTES + length) if record else None


def _record(body: memoryview) -> "Record | None":
    kind, boot, incarnation, seq, topic_bytes = struct.unpack(_BODY, body[:_BODY_BYTES])
    end = _BODY_BYTES + topic_bytes
    if kind >= len(KINDS) or end > len(body):
        return None
    try:
        topic = bytes(body[_BODY_BYTES:end]).decode()
    except UnicodeError:
        return None
    return Record(KINDS[kind], boot, incarnation, seq, topic, bytes(body[end:]))
