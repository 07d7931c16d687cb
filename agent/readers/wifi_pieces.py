"""Long lists of ``ubus call``, entry by entry as they come: a hundred clients do not fit a router's heap.

``ubus`` indents with tabs and escapes line ends within texts, so a line of two tabs and a brace ends an
entry of the list or table that is the answer's only large part.
"""

import json

from agent.errors import ReaderError

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MOST_PIECE = 16384  # bytes; a client with all its capabilities comes to some 2,000
_END = b"\n\t\t}"
_NAMED = b'\n\t\t"'
_PLAIN = b"\n\t\t{"


class Pieces:
    """Hands every entry to ``take(key or None, value)``; what is not an object is counted in ``bad``."""

    def __init__(self, take: "Callable[[str | None, dict[str, Any]], None]") -> None:
        """Begin before the first byte."""
        self.bad = 0
        self.head = b""  # what came before the first entry
        self._take = take
        self._rest = b""
        self._any = False

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the answer. Raises ReaderError ``garbage`` when an entry does not end."""
        text = self._rest + chunk if self._rest else chunk
        at = 0
        while True:
            end = text.find(_END, at)
            if end < 0:
                break
            end += len(_END)
            self._piece(text[at:end])
            at = end
        self._rest = text[at:]
        if len(self._rest) > MOST_PIECE:
            raise ReaderError("garbage", "an entry of a list does not end")

    def finish(self) -> None:
        """Take the end of the answer. Raises ReaderError ``garbage`` when it was none."""
        if self._any:
            return
        answer = _parsed(self._rest) if self._rest.strip() else {}
        if not isinstance(answer, dict):
            raise ReaderError("garbage", "ubus did not answer with an object")
        self.head = self._rest[:256]
        for value in answer.values():  # printed without line ends, which only short ones may be
            if isinstance(value, dict):
                for key, item in value.items():
                    self._give(key, item)
            elif isinstance(value, list):
                for item in value:
                    self._give(None, item)

    def part(self, key: "str | None", item: "Any") -> None:
        """Take an entry, or a plain value beside them, of an answer that comes from ubusd itself."""
        if key == "freq":
            self.head = b'"freq":' + str(item).encode()
        elif isinstance(item, dict):
            self._take(key or None, item)
        elif not key:
            self.bad += 1

    def _piece(self, text: bytes) -> None:
        named, plain = text.rfind(_NAMED), text.rfind(_PLAIN)
        start = max(named, plain)
        if not self._any:
            self._any = True
            self.head = text[: max(0, min(text.find(_NAMED), start))][:256]
        brace = text.find(b"{", start)
        if start < 0 or brace < 0:
            self.bad += 1
            return
        self.bad += text.count(_NAMED) + text.count(_PLAIN) - 1  # what stood before it was no object
        self._give(_key(text[start:brace]) if named > plain else None, _parsed(text[brace:]))

    def _give(self, key: str | None, item: "Any") -> None:
        if isinstance(item, dict):
            self._take(key, item)
        else:
            self.bad += 1


def _key(text: bytes) -> str:
    parts = text.split(b'"')
    try:
        return parts[1].decode()
    except (IndexError, UnicodeError):
        return ""


def _parsed(text: bytes) -> "Any":
    """Return the value, None when it is none; nesting without end is none either."""
    try:
        return json.loads(text)
    except (ValueError, RuntimeError):
        return None
