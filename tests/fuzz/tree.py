"""CBOR as a tree that keeps how it was written, so that it can be changed and written oddly.

Reads anything: what cannot be read is kept as it is.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

UINT, NINT, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE, VERBATIM = range(9)
INDEFINITE = 31
_WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}
_MAX_DEPTH = 24
_BREAK = 0xFF


@dataclass(slots=True)
class Node:
    """One item. ``info`` is the least width of its head (24 to 27), or INDEFINITE; ``lie`` is added to the
    length that is written. Children of a map are key, value, key, value.
    """

    major: int
    number: int = 0
    info: int = 0
    data: bytes = b""
    children: list[Node] = field(default_factory=list)
    lie: int = 0

    def copy(self) -> Node:
        children = [child.copy() for child in self.children]
        return Node(self.major, self.number, self.info, self.data, children, self.lie)


def write(node: Node) -> bytes:
    """Return the bytes of a tree."""
    major = node.major
    if major == SIMPLE:
        return bytes((0xE0 | node.info,)) + node.data
    if major == VERBATIM:
        return node.data
    inner = b"".join([write(child) for child in node.children]) if node.children else node.data
    if node.info == INDEFINITE and major in {BYTES, TEXT}:
        return bytes((major << 5 | INDEFINITE, major << 5 | 24, len(inner) & 255)) + inner + b"\xff"
    if node.info == INDEFINITE and major in {ARRAY, MAP}:
        return bytes((major << 5 | INDEFINITE,)) + inner + b"\xff"
    return _head(major, _length(node), node.info) + inner


def _length(node: Node) -> int:
    if node.major in {BYTES, TEXT}:
        return max(0, len(node.data) + node.lie)
    if node.major == ARRAY:
        return max(0, len(node.children) + node.lie)
    if node.major == MAP:
        return max(0, len(node.children) // 2 + node.lie)
    return node.number


def _head(major: int, number: int, info: int) -> bytes:
    if number < 24 and info < 24:
        return bytes((major << 5 | number,))
    least = 24 if number < 1 << 8 else 25 if number < 1 << 16 else 26 if number < 1 << 32 else 27
    info = max(least, info if info in _WIDTHS else 24)
    return bytes([major << 5 | info]) + (number % (1 << 64)).to_bytes(_WIDTHS[info], "big")


def read(data: bytes) -> list[Node]:
    """Return the items of a sequence."""
    found, at = [], 0
    while at < len(data):
        node, at = _read(data, at, 0)
        found.append(node)
    return found


def _read(data: bytes, at: int, depth: int) -> tuple[Node, int]:
    first = data[at]
    major, info = first >> 5, first & 31
    behind = at + 1 + _WIDTHS.get(info, 0)
    if behind > len(data) or 28 <= info < INDEFINITE or depth > _MAX_DEPTH:
        return Node(VERBATIM, data=data[at:]), len(data)
    if major == SIMPLE:
        return Node(SIMPLE, info=info, data=data[at + 1 : behind]), behind
    number = int.from_bytes(data[at + 1 : behind], "big") if info in _WIDTHS else info
    node = Node(major, number, info)
    if info == INDEFINITE:
        return _read_open(node, data, behind, depth)
    if major in {BYTES, TEXT}:
        node.data = data[behind : behind + number]
        return node, min(len(data), behind + number)
    return _read_members(node, data, behind, depth)


def _read_members(node: Node, data: bytes, at: int, depth: int) -> tuple[Node, int]:
    for _ in range({ARRAY: node.number, MAP: 2 * node.number, TAG: 1}.get(node.major, 0)):
        if at >= len(data):
            break
        child, at = _read(data, at, depth + 1)
        node.children.append(child)
    return node, at


def _read_open(node: Node, data: bytes, at: int, depth: int) -> tuple[Node, int]:
    while at < len(data) and data[at] != _BREAK:
        child, at = _read(data, at, depth + 1)
        if node.major in {BYTES, TEXT}:
            node.data += child.data
        else:
            node.children.append(child)
    return node, min(len(data), at + 1)


def make(value: Any) -> Node:
    """Return the tree of a plain value."""
    return _MAKERS[type(value)](value)


def _make_map(value: dict[Any, Any]) -> Node:
    return Node(MAP, children=[make(part) for pair in value.items() for part in pair])


_MAKERS: dict[type, Callable[[Any], Node]] = {
    type(None): lambda _: Node(SIMPLE, info=22),
    bool: lambda value: Node(SIMPLE, info=21 if value else 20),
    int: lambda value: Node(UINT, value) if value >= 0 else Node(NINT, -1 - value),
    float: lambda value: Node(SIMPLE, info=27, data=struct.pack(">d", value)),
    bytes: lambda value: Node(BYTES, data=value),
    str: lambda value: Node(TEXT, data=value.encode("utf-8", "surrogatepass")),
    list: lambda value: Node(ARRAY, children=[make(part) for part in value]),
    dict: _make_map,
}


def walk(nodes: list[Node]) -> Iterator[tuple[list[Node], int]]:
    """Every item of a tree as (list it stands in, place)."""
    stack = [nodes]
    while stack:
        siblings = stack.pop()
        for at, node in enumerate(siblings):
            yield siblings, at
            if node.children:
                stack.append(node.children)
