"""A second opinion, written from WIRE.md alone: what a payload means and whether it is one.

Shares no code with ``agent.wire`` or ``collector.ingest``, on purpose; it is slow and plain.
"""

from __future__ import annotations

import itertools
import math
import re
import struct
from typing import Any

TOPIC = re.compile(
    r"vigia/v1/([0-9a-f])/((?!vigia-)[a-z0-9][a-z0-9-]{0,62})/(birth|data|event|death|ack)", re.ASCII
)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_DEVICE = re.compile(r"(?!vigia-)[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
_INT64 = 1 << 63
_WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}
_SIMPLE = {20: False, 21: True, 22: None}
MALFORMED, BAD, KIND = "malformed", "bad_payload", "wrong_kind"
_DEPTH = 8
MAX_ACK_RANGES = 64


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """The bytes are no payload."""


# --- section 3: CBOR as far as the contract takes it ---------------------------------------------


def decode(data: bytes) -> Any:
    """Return the value. Raises Refused."""
    try:
        value, end = _item(data, 0, _DEPTH)
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise Refused(str(error)) from error
    if end != len(data):
        raise Refused("cut off, or bytes behind the item")
    return value


def _item(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    major, info = divmod(data[at], 32)
    number, at = info, at + 1
    if major == 7:
        return _simple(data, at, info)
    if info >= 24:
        if info not in _WIDTHS:
            raise Refused("an indefinite or reserved length")
        behind = at + _WIDTHS[info]
        number, at = int.from_bytes(data[at:behind], "big"), behind
    if major == 3:
        return _part(data, at, number).decode("utf-8"), at + number
    if major == 2:
        return _part(data, at, number), at + number
    if major < 2:
        return _integer(number, negative=major == 1), at
    if major == 6:
        raise Refused("a tag")
    if depth == 0 or number > len(data) - at:
        raise Refused("too deep or too long")
    return _map(data, at, number, depth - 1) if major == 5 else _list(data, at, number, depth - 1)


def _part(data: bytes, at: int, size: int) -> bytes:
    if size > len(data) - at:
        raise Refused("cut off")
    return data[at : at + size]


def _integer(number: int, *, negative: bool) -> int:
    if number >= _INT64:
        raise Refused("beyond 64 bits")
    return -1 - number if negative else number


def _list(data: bytes, at: int, count: int, depth: int) -> tuple[list[Any], int]:
    found = []
    for _ in range(count):
        value, at = _item(data, at, depth)
        found.append(value)
    return found, at


def _map(data: bytes, at: int, count: int, depth: int) -> tuple[dict[Any, Any], int]:
    found: dict[Any, Any] = {}
    for _ in range(count):
        key, at = _item(data, at, 0)
        if type(key) not in {int, str} or key in found:
            raise Refused("a key that is no integer or text, or comes twice")
        found[key], at = _item(data, at, depth)
    return found, at


def _simple(data: bytes, at: int, info: int) -> tuple[Any, int]:
    if info in _SIMPLE:
        return _SIMPLE[info], at
    if info not in _FLOATS:
        raise Refused("a simple value")
    (value,) = struct.unpack_from(_FLOATS[info], data, at)
    if not math.isfinite(value):
        raise Refused("not finite")
    return value, at + _WIDTHS[info]


# --- section 3: the payload ----------------------------------------------------------------------


def faults(kind: str, value: Any) -> set[str]:
    """Return the reasons for which a decoded payload may be refused; none: it must be taken."""
    if type(value) is not dict or any(type(key) is not int for key in value):
        return {BAD}
    if kind not in _MUST:
        return {BAD, KIND}
    found = set()
    if value.keys() & _SHAPES.keys() - _MUST[kind] - _MAY[kind]:
        found.add(KIND)
    if _MUST[kind] - value.keys():
        found.add(BAD)
    if not all(shape(value[key]) for key, shape in _SHAPES.items() if key in value):
        found.add(BAD)
    return found


def ack_valid(value: Any) -> bool:
    """Whether a decoded value is the payload of an ack (section 5)."""
    if type(value) is not dict or not {1, 2, 3, 4, 5} <= value.keys():
        return False
    ids = all(type(value[key]) is bytes and len(value[key]) == 8 for key in (1, 2))
    if not (ids and _ranges(value[3], 2) and _ranges(value[4], 3) and _counter(value[5])):
        return False
    both = sorted(item[:2] for key in (3, 4) for item in value[key])
    apart = all(left[1] < right[0] for left, right in itertools.pairwise(both))
    return apart and len(both) <= MAX_ACK_RANGES


def _counter(value: Any) -> bool:
    return type(value) is int and value >= 0


def _text(value: Any) -> bool:
    return type(value) is str and len(value) <= 256


def _name(value: Any) -> bool:
    return type(value) is str and _NAME.fullmatch(value) is not None


def _counters(value: Any, limit: int | None = None) -> bool:
    if type(value) is not dict or (limit is not None and len(value) > limit):
        return False
    names = _text if limit is None else _name
    return all(names(key) and _counter(number) for key, number in value.items())


def _hello(value: Any) -> bool:
    if type(value) is not dict:
        return False
    texts = [value[key] for key in ("agent", "runtime", "hardware", "os", "site") if key in value]
    times = [value[key] for key in ("readers", "intervals") if key in value]
    return all(map(_text, texts)) and all(map(_counters, times))


def _table(value: Any) -> bool:
    if type(value) is not list or len(value) != 4:
        return False
    measurement, instance, fields, rows = value
    if not _name(measurement) or not (instance is None or _instance(instance)):
        return False
    if type(fields) is not list or not 1 <= len(fields) <= 64 or not all(map(_name, fields)):
        return False
    if len(set(fields)) != len(fields) or type(rows) is not list or not rows:
        return False
    return all(_row(row, 1 + len(fields)) for row in rows)


def _instance(value: Any) -> bool:
    if type(value) is not str or not 1 <= len(value) <= 128:
        return False
    return not any(ord(char) < 32 or ord(char) == 127 for char in value)


def _row(value: Any, width: int) -> bool:
    if type(value) is not list or len(value) != width:
        return False
    if type(value[0]) is not int or not -86_400_000 <= value[0] <= 0:
        return False
    return all(v is None or type(v) in {int, float, bool} or _text(v) for v in value[1:])


def _ranges(value: Any, width: int) -> bool:
    if type(value) is not list:
        return False
    last = -1
    for item in value:
        if type(item) is not list or len(item) != width or not all(map(_counter, item[:2])):
            return False
        if not last < item[0] <= item[1] or not all(map(_text, item[2:])):
            return False
        last = item[1]
    return True


def _bytes_of(count: int) -> Any:
    return lambda value: type(value) is bytes and len(value) == count


_SHAPES: dict[int, Any] = {
    1: lambda value: type(value) is int and value == 1,
    2: lambda value: type(value) is str and _DEVICE.fullmatch(value) is not None,
    3: _bytes_of(8),
    4: _counter,
    5: _bytes_of(16),
    6: _counter,
    7: _counter,
    8: _counter,
    9: lambda value: type(value) is list and all(map(_table, value)),
    10: lambda value: _counters(value, 32),
    11: _counter,
    12: _hello,
    13: lambda value: value is True,
}
_BASE = {1, 2, 3, 4, 5, 7}
_MUST = {
    "birth": _BASE | {6, 11, 12},
    "data": _BASE | {6},
    "event": _BASE | {6},
    "death": _BASE | {11},
}
_MAY = {"birth": {8, 9, 10}, "data": {8, 9, 10}, "event": {8, 9, 10, 13}, "death": {8, 10}}
