"""CBOR (RFC 8949) as far as the wire contract uses it.

The encoder is deterministic (RFC 8949 section 4.2.1: shortest heads and floats, keys sorted bytewise).
The decoder is strict: definite lengths, integers of signed 64 bits, finite floats, keys that are integers
or text and appear once, no tags, nothing behind the item. It takes longer heads than needed, because an
encoder may; the signature covers the bytes as they are.
"""

# ruff: noqa: PLR2004 - the numbers are those of RFC 8949 section 3 and IEEE 754; names would hide them
import math
import struct

from agent.wire.errors import WireError

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MAX_DEPTH = 8
_MIN_INT = -(1 << 63)
_MAX_INT = (1 << 63) - 1


class Encoded:
    """One item that is encoded already: ``write`` appends its bytes. What is decoded never has one."""

    def __init__(self, write: "Callable[[bytearray], None]") -> None:
        self.write = write


# --- encoding -----------------------------------------------------------------------------------


def encode(value: "Any") -> bytes:
    """Return the deterministic encoding of None, bool, int, float, str, bytes, list, tuple, dict or Encoded.

    Raises WireError ``unencodable`` for other types, integers beyond 64 bits, NaN and infinities.
    """
    out = bytearray()
    write(out, value)
    return bytes(out)


def head(major: int, number: int) -> bytes:
    """Return the shortest head of a major type (0 to 7) with its argument (0 to 2**64 - 1)."""
    major <<= 5
    if number < 24:
        return bytes((major | number,))
    if number < 0x100:
        return bytes((major | 24, number))
    if number < 0x10000:
        return struct.pack(">BH", major | 25, number)
    if number < 0x100000000:
        return struct.pack(">BI", major | 26, number)
    return struct.pack(">BQ", major | 27, number)


def write(out: bytearray, value: "Any") -> None:
    """Append what ``encode`` returns; after an error ``out`` has a part of it."""
    writer = _WRITERS.get(type(value))
    if writer is None:
        raise WireError("unencodable", "no CBOR for " + repr(type(value)))
    writer(out, value)


def _write_none(out: bytearray, value: None) -> None:  # noqa: ARG001 - all writers share a shape
    out.append(0xF6)


def _write_bool(out: bytearray, value: bool) -> None:  # noqa: FBT001 - all writers share a shape
    out.append(0xF5 if value else 0xF4)


def _write_int(out: bytearray, value: int) -> None:
    if not _MIN_INT <= value <= _MAX_INT:
        raise WireError("unencodable", "an integer beyond 64 bits")
    out.extend(head(0, value) if value >= 0 else head(1, -1 - value))


def _write_float(out: bytearray, value: float) -> None:
    if not math.isfinite(value):
        raise WireError("unencodable", "a float that is not finite")
    single = _single(value)
    if struct.unpack(">f", single)[0] != value:
        out.append(0xFB)
        out.extend(struct.pack(">d", value))
        return
    half = _half_of_single(struct.unpack(">I", single)[0])
    if half < 0:
        out.append(0xFA)
        out.extend(single)
    else:
        out.append(0xF9)
        out.extend(struct.pack(">H", half))


def _single(value: float) -> bytes:
    try:
        return struct.pack(">f", value)
    except OverflowError:  # CPython raises; MicroPython packs an infinity
        return b"\x7f\x80\x00\x00"


def _half_of_single(bits: int) -> int:
    """Return the 16 bits of IEEE 754 binary16 that mean the same as 32 bits of binary32, or -1."""
    sign = (bits >> 16) & 0x8000
    exponent = (bits >> 23) & 0xFF
    fraction = bits & 0x7FFFFF
    if not exponent and not fraction:
        return sign
    if 113 <= exponent <= 142:  # normal in binary16: unbiased -14 to 15
        return -1 if fraction & 0x1FFF else sign | (exponent - 112) << 10 | fraction >> 13
    if 103 <= exponent <= 112:  # subnormal in binary16: multiples of 2**-24
        fraction |= 0x800000
        shift = 126 - exponent
        return -1 if fraction & ((1 << shift) - 1) else sign | fraction >> shift
    return -1


def _write_bytes(out: bytearray, value: bytes) -> None:
    out.extend(head(2, len(value)))
    out.extend(value)


def _write_text(out: bytearray, value: str) -> None:
    try:
        data = value.encode()
    except UnicodeError:  # CPython allows half a surrogate pair in text, for instance from file names
        raise WireError("unencodable", "text that is not Unicode")
    out.extend(head(3, len(data)))
    out.extend(data)


def _write_encoded(out: bytearray, value: Encoded) -> None:
    value.write(out)


def _write_array(out: bytearray, value: "list[Any]") -> None:
    out.extend(head(4, len(value)))
    for item in value:
        write(out, item)


def _write_map(out: bytearray, value: "dict[Any, Any]") -> None:
    pairs = []
    for key in value:
        if type(key) not in _KEY_TYPES:
            raise WireError("unencodable", "a map key that is neither integer nor text")
        pairs.append((encode(key), value[key]))
    pairs.sort(key=_first)
    out.extend(head(5, len(pairs)))
    for key, item in pairs:
        out.extend(key)
        write(out, item)


def _first(pair: "tuple[bytes, Any]") -> bytes:
    return pair[0]


_KEY_TYPES = (int, str)
_WRITERS: "dict[type, Callable[[bytearray, Any], None]]" = {
    type(None): _write_none,
    bool: _write_bool,
    int: _write_int,
    float: _write_float,
    str: _write_text,
    bytes: _write_bytes,
    bytearray: _write_bytes,
    list: _write_array,
    tuple: _write_array,
    dict: _write_map,
    Encoded: _write_encoded,
}


# --- decoding -----------------------------------------------------------------------------------
#
# Each reader takes the data, the place behind the head, the head's argument and how many more levels may be
# opened, and returns the value and the place behind it. A slice beyond the end is short without an error;
# the place is then beyond the end too, which ``decode`` notices, so that readers need not look.


def decode(data: bytes, max_depth: int = MAX_DEPTH) -> "Any":
    """Return the one item that ``data`` holds, at most ``max_depth`` arrays and maps deep.

    Raises WireError ``malformed``.
    """
    try:
        value, end = _item(data, 0, max_depth)
    except (IndexError, OverflowError):  # MicroPython overflows on a slice beyond a machine word
        raise _malformed("the data end inside an item")
    except UnicodeError:
        raise _malformed("text that is not UTF-8")
    if end != len(data):
        raise _malformed("the data end inside an item, or bytes follow it")
    return value


def _malformed(text: str) -> WireError:
    return WireError("malformed", text)


def _item(data: bytes, at: int, depth: int) -> "tuple[Any, int]":
    first = data[at]
    number = first & 31
    at += 1
    if number > 23 and first < 0xE0:
        if number == 24:
            number = data[at]
            at += 1
        else:
            number, at = _argument(data, at, number)
    return _READERS[first >> 5](data, at, number, depth)


def _argument(data: bytes, at: int, info: int) -> tuple[int, int]:
    if info > 27:
        raise _malformed("an indefinite or reserved length")
    end = at + (1 << (info - 24))
    return int.from_bytes(data[at:end], "big"), end


def _read_uint(data: bytes, at: int, number: int, depth: int) -> tuple[int, int]:  # noqa: ARG001 - one shape
    if number > _MAX_INT:
        raise _malformed("an integer beyond 64 bits")
    return number, at


def _read_nint(data: bytes, at: int, number: int, depth: int) -> tuple[int, int]:  # noqa: ARG001 - one shape
    if number > _MAX_INT:
        raise _malformed("an integer beyond 64 bits")
    return -1 - number, at


def _read_bytes(data: bytes, at: int, number: int, depth: int) -> tuple[bytes, int]:  # noqa: ARG001 - one shape
    end = at + number
    return data[at:end], end


def _read_text(data: bytes, at: int, number: int, depth: int) -> tuple[str, int]:  # noqa: ARG001 - one shape
    end = at + number
    return data[at:end].decode(), end


def _read_array(data: bytes, at: int, number: int, depth: int) -> "tuple[list[Any], int]":
    _check_container(data, at, number, depth)
    depth -= 1
    items = []
    for _ in range(number):
        item, at = _item(data, at, depth)
        items.append(item)
    return items, at


def _read_map(data: bytes, at: int, number: int, depth: int) -> "tuple[dict[Any, Any], int]":
    _check_container(data, at, number, depth)
    depth -= 1
    items: dict[Any, Any] = {}
    for _ in range(number):
        if data[at] >> 5 not in _KEY_MAJORS:
            raise _malformed("a map key that is neither integer nor text")
        key, at = _item(data, at, 0)
        if key in items:
            raise _malformed("a map key that appears twice")
        items[key], at = _item(data, at, depth)
    return items, at


def _check_container(data: bytes, at: int, number: int, depth: int) -> None:
    if not depth:
        raise _malformed("nested too deep")
    if number > len(data) - at:  # every member takes a byte: refuse before making room for it
        raise _malformed("the data end inside a container")


def _read_tag(data: bytes, at: int, number: int, depth: int) -> "tuple[Any, int]":  # noqa: ARG001 - one shape
    raise _malformed("a tag")


def _read_simple(data: bytes, at: int, number: int, depth: int) -> "tuple[Any, int]":  # noqa: ARG001 - one shape
    if 20 <= number <= 22:
        return _CONSTANTS[number - 20], at
    if not 25 <= number <= 27:
        raise _malformed("a simple value other than false, true, null")
    end = at + (1 << (number - 24))
    if end > len(data):
        raise _malformed("the data end inside a float")
    value: float
    if number == 25:
        value = _float_of_half(data[at] << 8 | data[at + 1])
    else:
        (value,) = struct.unpack_from(">d" if number == 27 else ">f", data, at)
    if value - value != 0:  # NaN and infinities
        raise _malformed("a float that is not finite")
    return value, end


def _float_of_half(bits: int) -> float:
    """Return the value of IEEE 754 binary16 bits (older MicroPython has no struct format for it)."""
    exponent = (bits >> 10) & 31
    fraction = bits & 0x3FF
    if exponent == 31:
        return math.inf
    value = fraction * 2.0**-24 if not exponent else (0x400 | fraction) * 2.0 ** (exponent - 25)
    return -value if bits & 0x8000 else value


_KEY_MAJORS = (0, 1, 3)
_CONSTANTS = (False, True, None)
_READERS = (
    _read_uint, _read_nint, _read_bytes, _read_text, _read_array, _read_map, _read_tag, _read_simple,
)  # fmt: skip
