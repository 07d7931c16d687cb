"""OpenWrt's bus daemon by its socket, as far as one asks it: answers of the files that the command plays.

Message and attribute formats are those of ubus and libubox (ubusmsg.h, blob.h, blobmsg.h): a lookup ends with
a status, an answer goes before it, every number is big-endian.
"""

from __future__ import annotations

import contextlib
import json
import socketserver
import struct
import threading
import time
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HELLO, STATUS, DATA, LOOKUP, INVOKE = 0, 1, 2, 4, 5
A_STATUS, A_PATH, A_ID, A_METHOD, A_SIGNATURE, A_DATA = 1, 2, 3, 4, 6, 7
OK, INVALID_COMMAND, INVALID_ARGUMENT, NOT_FOUND = 0, 1, 2, 4
ARRAY, TABLE, STRING, INT64, INT32, INT8, DOUBLE = 1, 2, 3, 4, 5, 7, 8
_NAMED: Final = 0x80
_NULL: Final = 0
_HEAD: Final = struct.Struct(">BBHI")
_LOOK_S: Final = 0.05


def blob(kind: int, content: bytes) -> bytes:
    """Return an attribute, filled up to a multiple of four."""
    size = 4 + len(content)
    return struct.pack(">I", kind << 24 | size) + content + bytes(-size % 4)


def named(name: str, value: Any) -> bytes:
    """Return a value as blobmsg's attribute, in the types that daemons use."""
    kind, content = _content(value)
    head = struct.pack(">H", len(name.encode())) + name.encode() + b"\0"
    return blob(_NAMED | kind, head + bytes(-len(head) % 4) + content)


def _content(value: Any) -> tuple[int, bytes]:
    if value is None:
        return _NULL, b""
    if isinstance(value, bool):
        return INT8, bytes([value])
    if isinstance(value, int):
        small = -(2**31) <= value < 2**31
        return (INT32, struct.pack(">i", value)) if small else (INT64, struct.pack(">q", value))
    if isinstance(value, float):
        return DOUBLE, struct.pack(">d", value)
    if isinstance(value, str):
        return STRING, value.encode() + b"\0"
    return _nested(value)


def _nested(value: Any) -> tuple[int, bytes]:
    if isinstance(value, list):
        return ARRAY, b"".join(named("", each) for each in value)
    return TABLE, table(value)


def table(value: dict[str, Any]) -> bytes:
    """Return the attributes of a table, one behind the other."""
    return b"".join(named(name, each) for name, each in value.items())


def message(kind: int, seq: int, peer: int, content: bytes) -> bytes:
    """Return a message."""
    return _HEAD.pack(0, kind, seq, peer) + blob(0, content)


def attributes(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Give kind and content of each attribute."""
    while len(content) >= 4:  # noqa: PLR2004 - its head
        head = int.from_bytes(content[:4])
        size = head & 0xFFFFFF
        yield head >> 24 & 0x7F, content[4:size]
        content = content[size + -size % 4 :]


def texts(content: bytes) -> dict[str, str]:
    """Return the texts among the attributes of a table."""
    found = {}
    for kind, each in attributes(content):
        size = int.from_bytes(each[:2])
        if kind == STRING:
            found[each[2 : 2 + size].decode()] = each[size + 6 & ~3 :].rstrip(b"\0").decode()
    return found


class Bus:
    """What is on the bus: the answers of a folder, each named after its question."""

    def __init__(self, answers: Path) -> None:
        self._answers = answers
        self._ids: dict[str, int] = {}
        self.asked: list[str] = []

    def number(self, path: str) -> int:
        """Return the object's number; a path that comes again after ``forget`` has another."""
        return self._ids.setdefault(path, 0x10000 + 7 * len(self._ids) + len(self.asked))

    def forget(self) -> None:
        """Give every object another number, as daemons that start anew have."""
        self._ids.clear()
        self.asked.append("")

    def path(self, number: int) -> str | None:
        """Return the object of a number."""
        return next((path for path, known in self._ids.items() if known == number), None)

    def found(self, pattern: str) -> list[str]:
        """Return the objects that a lookup means; without a pattern all."""
        names = self._names()
        if not pattern:
            return names
        if pattern.endswith("*"):
            return [name for name in names if name.startswith(pattern[:-1])]
        there = pattern in names or any(self._answers.glob(f"{pattern}.*.json"))
        return [pattern] if there else []

    def answer(self, path: str, method: str, device: str) -> dict[str, Any] | None:
        """Return what an object says, None when nothing; a slow one keeps its caller waiting."""
        self.asked.append(f"{path} {method} {device}".strip())
        file = self._answers / ".".join(filter(None, (path, method, device, "json")))
        while (self._answers / f"{file.name}.slow").exists() or (self._answers / "bus.slow").exists():
            time.sleep(_LOOK_S)
        if not file.exists() or not file.stat().st_size:
            return None
        answer: dict[str, Any] = json.loads(file.read_text())
        return answer

    def down(self) -> bool:
        """Tell whether nobody is to answer."""
        return (self._answers / "bus.down").exists()

    def _names(self) -> list[str]:
        listing = self._answers / "list.txt"
        return listing.read_text().split() if listing.exists() else []


class _Talk(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        bus = self.server.bus
        if bus.down():
            return
        with contextlib.suppress(ConnectionError, struct.error):
            self.wfile.write(message(HELLO, 0, 0x1234, b""))
            while True:
                _, kind, seq, peer = _HEAD.unpack(self.rfile.read(_HEAD.size))
                size = int.from_bytes(self.rfile.read(4)) & 0xFFFFFF
                parts = dict(attributes(self.rfile.read(size - 4)))
                status = self._answer(bus, kind, seq, parts)
                self.wfile.write(message(STATUS, seq, peer, blob(A_STATUS, struct.pack(">I", status))))

    def _answer(self, bus: Bus, kind: int, seq: int, parts: dict[int, bytes]) -> int:
        if kind == LOOKUP:
            pattern = parts.get(A_PATH, b"").rstrip(b"\0").decode()
            paths = bus.found(pattern)
            for each in paths:
                number = struct.pack(">I", bus.number(each))
                said = blob(A_PATH, each.encode() + b"\0") + blob(A_ID, number) + blob(A_SIGNATURE, b"")
                self.wfile.write(message(DATA, seq, 0, said))
            return OK if paths or not pattern else NOT_FOUND
        if kind != INVOKE:
            return INVALID_COMMAND
        if A_ID not in parts or A_METHOD not in parts:
            return INVALID_ARGUMENT
        path = bus.path(int.from_bytes(parts[A_ID]))
        device = texts(parts.get(A_DATA, b"")).get("device", "")
        answer = bus.answer(path, parts[A_METHOD].rstrip(b"\0").decode(), device) if path else None
        if answer is None:
            return NOT_FOUND
        self.wfile.write(message(DATA, seq, 0, blob(A_ID, parts[A_ID]) + blob(A_DATA, table(answer))))
        return OK


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, path: str, bus: Bus) -> None:
        self.bus = bus
        super().__init__(path, _Talk)


class Ubusd:
    """The daemon at ``path``; a context in which it answers what lies in ``answers``."""

    def __init__(self, path: Path, answers: Path) -> None:
        self.path = path
        self.bus = Bus(answers)

    def __enter__(self) -> Self:
        self._server = _Server(str(self.path), self.bus)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_LOOK_S,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.path.unlink(missing_ok=True)
