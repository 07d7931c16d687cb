"""OpenWrt's bus by the socket of ubusd, no process for a question; else commands.

A message is a head (version, type, seq, peer) and a blob; a blob's attributes begin with four bytes: a flag
for a name, 7 bits of kind, 24 of size with these four; the next one begins at a multiple of four (ubusmsg.h
of ubus; blob.h and blobmsg.h of libubox). Every number is big-endian, no byte is believed. Each question has
a connection of its own: nothing half read outlives it, and one that takes long delays no other.
"""

import asyncio
import errno
import socket
import struct

from agent.errors import ReaderError
from agent.ports import sockets

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Give = Callable[[str | None, Any], None]
    Attribute = tuple[int, int, int]

MOST_BYTES = 32768  # of an answer that is read whole, and of each entry of a long one
MOST_LONG = 1_000_000  # of one whose entries go one by one: 500 clients, more than any radio takes
_STATUS, _DATA, _LOOKUP, _INVOKE = 1, 2, 4, 5  # types of message
_A_STATUS, _A_PATH, _A_ID, _A_METHOD, _A_DATA = 1, 2, 3, 4, 7  # attributes of a message
_ARRAY, _TABLE, _STRING, _INT8 = 1, 2, 3, 7  # kinds of a named attribute; 0 is null
_NUMBERS = {4: ">q", 5: ">i", 6: ">h", _INT8: ">b", 8: ">d"}
_NAMED = 0x80
_KIND = 0x7F
_DEEPEST = 8
_MOST_IDS = 32
_NOT_FOUND = 4  # a status
_CHUNK = 1024
_HEAD = 12  # of a message, with its blob's


def attribute(kind: int, content: bytes) -> bytes:
    """Return an attribute with what fills it up to a multiple of four."""
    size = 4 + len(content)
    return bytes([kind, size >> 16 & 255]) + struct.pack(">H", size & 0xFFFF) + content + bytes(-size & 3)


def text(kind: int, word: str) -> bytes:
    """Return an attribute that is a text, such as one of a message."""
    return attribute(kind, word.encode() + b"\0")


def named(name: str, word: str) -> bytes:
    """Return the attribute of a question's arguments that is a text."""
    head = struct.pack(">H", len(name)) + name.encode() + b"\0"
    return attribute(_NAMED | _STRING, head + bytes(-len(head) & 3) + word.encode() + b"\0")


def message(kind: int, seq: int, blob: bytes) -> bytes:
    """Return a message to ubusd."""
    return struct.pack(">BBHI", 0, kind, seq, 0) + attribute(0, blob)


def attributes(data: bytes, at: int, end: int) -> "Iterator[Attribute]":
    """Give (kind, where its content begins, where it ends) of each. Raises ReaderError ``ubus_garbage``."""
    while at < end:
        kind, size = _sized(data, at, end)
        if at + size > end:
            raise _garbage()
        yield kind, at + 4, at + size
        at += size + (-size & 3)


def value(data: bytes, kind: int, at: int, end: int, depth: int = 0) -> "tuple[str, Any]":
    """Return (name, value) of a named attribute's content; text that is none is None."""
    name, at = _name(data, at, end)
    kind &= _KIND
    if kind in (_ARRAY, _TABLE):
        if depth >= _DEEPEST:
            raise _garbage()
        parts = attributes(data, at, end)
        if kind == _ARRAY:
            return name, [value(data, *part, depth + 1)[1] for part in parts]
        found = {}
        for part in parts:
            key, found[key] = value(data, *part, depth + 1)
        return name, found
    if kind == _STRING:
        return name, _text(data[at:end].split(b"\0")[0])
    if kind not in _NUMBERS:
        return name, None
    form = _NUMBERS[kind]
    if end - at != struct.calcsize(form):
        raise _garbage()
    number = struct.unpack(form, data[at:end])[0]
    return name, number != 0 if kind == _INT8 else number


def _sized(data: bytes, at: int, end: int) -> tuple[int, int]:
    if at + 4 > end:
        raise _garbage()
    size = data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3]
    if size < 4:  # noqa: PLR2004 - its own head
        raise _garbage()
    return data[at], size


def _name(data: bytes, at: int, end: int) -> tuple[str, int]:
    """Return the name and where the value begins."""
    size = data[at] << 8 | data[at + 1] if at + 2 <= end else end
    value_at = at + ((size + 6) & ~3)  # two bytes before it, a zero behind, up to a multiple of four
    if value_at > end:
        raise _garbage()
    return _text(data[at + 2 : at + 2 + size]) or "", value_at


def _text(data: bytes) -> "str | None":
    try:
        return data.decode()
    except UnicodeError:
        return None


def _garbage() -> ReaderError:
    return ReaderError("ubus_garbage", "no answer of ubusd")


class Conversation:
    """One connection: questions and their answers, read part by part."""

    def __init__(self, sock: "socket.socket") -> None:
        """Take a connected socket that does not block."""
        self._sock = sock
        self._seq = 0
        self._rest = b""
        self._most = 0

    async def ask(self, kind: int, blob: bytes, give: "Give", attribute_id: int, *, deep: bool) -> int:
        """Send a question; give (name, value) of what comes in the attribute; return the status.

        Where ``attribute_id`` is the answer's data its parts are given, with ``deep`` the entries of lists
        and tables one by one; else the attribute's bytes.
        """
        self._seq += 1
        self._most = MOST_LONG if deep else MOST_BYTES
        self._sock.send(message(kind, self._seq, blob))
        while True:
            head = await self._take(_HEAD)
            left = _sized(head, 8, _HEAD)[1] - 4
            if (head[2] << 8 | head[3]) != self._seq or head[1] not in (_STATUS, _DATA):
                await self._skip(left)  # the greeting, or what nobody asked for
                continue
            while left > 0:
                part, size = await self._sized(left)
                if part == _A_STATUS and head[1] == _STATUS and size == 8:  # noqa: PLR2004 - a number
                    return int(struct.unpack(">I", await self._take(4))[0])
                left -= size + (-size & 3)
                if part & _KIND != attribute_id or head[1] != _DATA:
                    await self._skip(size - 4 + (-size & 3))
                elif attribute_id == _A_DATA:
                    await self._parts(size - 4, give, deep=deep)
                    await self._skip(-size & 3)
                else:
                    give(None, (await self._take(size - 4 + (-size & 3)))[: size - 4])
            if head[1] == _STATUS:
                raise _garbage()

    async def _parts(self, left: int, give: "Give", *, deep: bool) -> None:
        """Read named attributes and give them."""
        while left > 0:
            kind, size = await self._sized(left)
            left -= size + (-size & 3)
            size -= 4
            if deep and kind & _KIND in (_ARRAY, _TABLE):
                head = await self._take(2)
                named = ((head[0] << 8 | head[1]) + 6 & ~3) - 2
                if named > size - 2:
                    raise _garbage()
                await self._skip(named)
                await self._parts(size - 2 - named, give, deep=False)
                await self._skip(-size & 3 if left >= 0 else 0)
            else:
                data = await self._take(size + (-size & 3 if left >= 0 else 0))
                name, item = value(data, kind, 0, size)
                give(name, item)

    async def _sized(self, left: int) -> tuple[int, int]:
        kind, size = _sized(await self._take(4), 0, 4)
        if size > left:
            raise _garbage()
        return kind, size

    async def _take(self, count: int) -> bytes:
        """Return the next bytes."""
        self._most -= count
        if count > MOST_BYTES or self._most < 0:
            raise ReaderError("ubus_garbage", "an answer of ubusd is too long")
        while len(self._rest) < count:
            self._rest += await self._some()
        data, self._rest = self._rest[:count], self._rest[count:]
        return data

    async def _skip(self, count: int) -> None:
        while count > len(self._rest):
            count -= len(self._rest)
            self._rest = await self._some()
        self._rest = self._rest[count:]

    async def _some(self) -> bytes:
        while True:
            try:
                data = self._sock.recv(_CHUNK)
            except OSError as error:
                if error.errno != errno.EAGAIN:
                    raise
                await sockets.readable(self._sock)
                continue
            if not data:
                raise ReaderError("ubus_unreachable", "ubusd closed the connection")
            await asyncio.sleep(0)  # a long answer leaves the loop to others, too
            return data


class Bus:
    """Asks ubusd itself; called as a function it runs a command (agent.ports.command.run)."""

    def __init__(self, run: "Callable[..., Any]", path: str) -> None:
        """Ask at the socket ``path``; know no object yet."""
        self._run = run
        self._path = path
        self._ids: dict[str, bytes] = {}

    def __call__(self, *words: "Any") -> "Any":
        """Run a command."""
        return self._run(*words)

    async def objects(self, pattern: str, limit_ms: int) -> "tuple[int, list[str]]":
        """Return the status and the paths that match: one, or its beginning and an asterisk."""
        found: "list[str]" = []

        def give(_name: "str | None", data: bytes) -> None:
            path = _text(data.split(b"\0")[0])
            if path and len(found) < MOST_BYTES // 64:
                found.append(path)

        async def listed(talk: Conversation) -> int:
            blob = text(_A_PATH, pattern) if pattern else b""
            return await talk.ask(_LOOKUP, blob, give, _A_PATH, deep=False)

        return await self._talk(listed, limit_ms), found

    async def invoke(
        self,
        path: str,
        method: str,
        args: "dict[str, str]",
        limit_ms: int,
        give: "Give",
        *,
        deep: bool = False,
    ) -> int:
        """Give (name, value) of each part of an object's answer; return the status.

        With ``deep`` the entries of its lists and tables are given instead of them. Raises ReaderError
        ``no_bus`` where nobody answers, ``ubus_garbage``, ``ubus_timeout``, ``ubus_unreachable``.
        """

        async def asked(talk: Conversation) -> int:
            known = path in self._ids
            status = 0 if known else await self._find(talk, path)
            if not status:
                blob = attribute(_A_ID, self._ids[path]) + text(_A_METHOD, method)
                blob += attribute(_A_DATA, b"".join([named(name, args[name]) for name in args]))
                status = await talk.ask(_INVOKE, blob, give, _A_DATA, deep=deep)
            if status == _NOT_FOUND and self._ids.pop(path, b"") and known:  # hostapd has begun anew
                return await asked(talk)
            return status

        return await self._talk(asked, limit_ms)

    async def _find(self, talk: Conversation, path: str) -> int:
        def give(_name: "str | None", data: bytes) -> None:
            if len(data) == 4:  # noqa: PLR2004 - a number
                self._ids[path] = data

        if len(self._ids) >= _MOST_IDS:
            self._ids.clear()
        status = await talk.ask(_LOOKUP, text(_A_PATH, path), give, _A_ID, deep=False)
        return status if path in self._ids else status or _NOT_FOUND

    async def _talk(self, work: "Callable[[Conversation], Any]", limit_ms: int) -> int:
        sock = self._connected()
        try:
            return int(await asyncio.wait_for(work(Conversation(sock)), limit_ms / 1000))
        except asyncio.TimeoutError:
            raise ReaderError("ubus_timeout", "ubusd: not done within " + str(limit_ms) + " ms")
        except OSError as error:
            raise ReaderError("ubus_unreachable", "ubusd: " + str(error))
        finally:
            sock.close()

    def _connected(self) -> "socket.socket":
        """Connect without waiting: a socket of this machine takes one at once or refuses."""
        sock = socket.socket(sockets.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.connect(sockets.unix_address(self._path))
        except OSError:
            sock.close()
            raise ReaderError("no_bus", "nobody answers at " + self._path)
        return sock
