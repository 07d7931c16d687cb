"""Payloads of frames and acks: their keys, their shape, which kind carries what (WIRE.md sections 3 and 5).

``_KEYS`` is the whole contract of the payload map: both the encoder and the check walk through it.
"""

import re

from agent.wire import cbor
from agent.wire.cose import MAX_BYTES
from agent.wire.errors import WireError
from agent.wire.topics import valid_device

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

__all__ = (
    "MAX_BYTES",
    "Ack",
    "Payload",
    "check_ack",
    "check_payload",
    "check_table",
    "encode_ack",
    "encode_payload",
)

# Keys of the payload map.
VERSION = 1
DEVICE = 2
INCARNATION = 3
BOOT = 4
KERNEL_BOOT = 5
SEQ = 6
UPTIME = 7
WALL = 8
TABLES = 9
DROPPED = 10
SESSION = 11
HELLO = 12
STOP = 13

# Keys of the ack map.
ACK_KID = 1
ACK_INCARNATION = 2
ACK_STORED = 3
ACK_REFUSED = 4
ACK_TIME = 5

THIS_VERSION = 1
MAX_TEXT = 256  # characters of a text value
MAX_INSTANCE = 128  # characters
MAX_NAME = 40  # characters of a measurement's or field's name
MAX_FIELDS = 64  # of one table
MAX_DROPPED = 32  # names in the account of what was dropped
MAX_AGE_MS = 86_400_000  # a sample is at most a day older than its sealing
MAX_ACK_RANGES = 64  # of one ack; a device has at most 32 frames outstanding

_NAME = re.compile("[a-z][a-z0-9_]*")
_ALL = ("birth", "data", "event", "death")
_SEALED = ("birth", "data", "event")  # frames that the spool keeps and numbers
_SESSION = ("birth", "death")
_TABLE_PARTS = 4
_ID_BYTES = 8  # of a kid and of an incarnation
_BOOT_ID_BYTES = 16
_VALUE_TYPES = (float, int, type(None), bool)
_HELLO_TEXTS = ("agent", "runtime", "hardware", "os", "site")
_HELLO_TIMES = ("readers", "intervals")


class Payload:
    """A checked payload under plain names; what a kind does not carry is None or empty.

    ``incarnation`` is 8 bytes, ``kernel_boot`` 16. ``tables`` are ``[measurement, instance or None,
    [field, ...], [[offset_ms, value, ...], ...]]``. Times in ms; ``uptime_ms`` and ``wall_ms`` at sealing.
    """

    def __init__(self, values: "dict[str, Any]") -> None:
        self.version: int = values["version"]
        self.device: str = values["device"]
        self.incarnation: bytes = values["incarnation"]
        self.boot: int = values["boot"]
        self.kernel_boot: bytes = values["kernel_boot"]
        self.seq: int | None = values.get("seq")
        self.uptime_ms: int = values["uptime_ms"]
        self.wall_ms: int | None = values.get("wall_ms")
        self.tables: list[list[Any]] = values.get("tables", [])
        self.dropped: dict[str, int] = values.get("dropped", {})
        self.session: int | None = values.get("session")
        self.hello: dict[str, Any] = values.get("hello", {})
        self.stop: bool = values.get("stop", False)


class Ack:
    """A checked ack: what became of seqs of one incarnation (``refused``: ``[lo, hi, reason]``)."""

    def __init__(self, values: "dict[int, Any]") -> None:
        self.kid: bytes = values[ACK_KID]
        self.incarnation: bytes = values[ACK_INCARNATION]
        self.stored: list[list[int]] = values[ACK_STORED]
        self.refused: list[list[Any]] = values[ACK_REFUSED]
        self.time_ms: int = values[ACK_TIME]


def encode_payload(  # noqa: PLR0913 - the keys of the map, all by name
    kind: str,
    *,
    device: str,
    incarnation: bytes,
    boot: int,
    kernel_boot: bytes,
    uptime_ms: int,
    seq: int | None = None,
    wall_ms: int | None = None,
    tables: "list[Any] | cbor.Encoded | None" = None,
    dropped: dict[str, int] | None = None,
    session: int | None = None,
    hello: "dict[str, Any] | None" = None,
    stop: bool = False,
    out: bytearray | None = None,
) -> bytes:
    """Return the payload of a frame; it passes ``check_payload``, or this raises the same WireError.

    With ``out`` it is appended there instead, and nothing returned: a small heap has no place for it twice.
    """
    names = {
        "version": THIS_VERSION, "device": device, "incarnation": incarnation, "boot": boot,
        "kernel_boot": kernel_boot, "seq": seq, "uptime_ms": uptime_ms, "wall_ms": wall_ms,
        "tables": tables or None, "dropped": dropped or None, "session": session, "hello": hello,
        "stop": stop or None,
    }  # fmt: skip
    value = {row[0]: names[row[1]] for row in _KEYS if names[row[1]] is not None}
    check_payload(kind, value)
    if out is None:
        return cbor.encode(value)
    cbor.write(out, value)
    return b""


def check_payload(kind: str, value: "Any") -> Payload:
    """Return the decoded payload of a frame of this kind after checking its shape.

    Raises WireError ``bad_payload`` (missing or ill-shaped) or ``wrong_kind`` (not for this kind).
    Unknown integer keys are ignored: an older centre takes a newer agent.
    """
    if type(value) is not dict or kind not in _ALL:
        raise WireError("bad_payload", "not the map of a frame")
    for key in value:
        if type(key) is not int:
            raise _bad("a key that is no integer")
    names: dict[str, Any] = {}
    for key, name, valid, required, allowed in _KEYS:
        if key not in value:
            if kind in required:
                raise _bad(kind + " without " + name)
            continue
        if kind not in allowed:
            raise WireError("wrong_kind", kind + " with " + name)
        if not valid(value[key]):
            raise _bad(name)
        names[name] = value[key]
    return Payload(names)


def check_table(table: "Any") -> None:
    """Check one table of samples. Raises WireError ``bad_payload`` saying what is wrong with it."""
    if type(table) not in _LISTS or len(table) != _TABLE_PARTS:
        raise _bad("a table that is no list of four")
    measurement, instance, fields, rows = table
    if not _is_name(measurement):
        raise _bad("a measurement's name")
    if instance is not None and not _is_instance(instance):
        raise _bad("the instance of " + measurement)
    if not _are_fields(fields):
        raise _bad("the fields of " + measurement)
    if type(rows) not in _LISTS or not rows:
        raise _bad("no rows in " + measurement)
    for row in rows:
        _check_row(measurement, row, 1 + len(fields))


def encode_ack(
    kid: bytes,
    incarnation: bytes,
    stored: "Iterable[Iterable[int]]",
    refused: "Iterable[Iterable[Any]]",
    time_ms: int,
) -> bytes:
    """Return the payload of an ack. ``stored`` are (lo, hi), ``refused`` (lo, hi, reason), in any order.

    Raises WireError ``bad_payload`` as ``check_ack`` does: together at most MAX_ACK_RANGES, none overlapping.
    """
    value = {
        ACK_KID: kid,
        ACK_INCARNATION: incarnation,
        ACK_STORED: sorted([list(r) for r in stored]),
        ACK_REFUSED: sorted([list(r) for r in refused]),
        ACK_TIME: time_ms,
    }
    check_ack(value)
    return cbor.encode(value)


def check_ack(value: "Any") -> Ack:
    """Return the decoded payload of an ack after checking its shape. Raises WireError ``bad_payload``."""
    if type(value) is not dict:
        raise _bad("not the map of an ack")
    for key, valid in _ACK_KEYS:
        if key not in value or not valid(value[key]):
            raise _bad("key " + str(key) + " of an ack")
    ack = Ack(value)
    if len(ack.stored) + len(ack.refused) > MAX_ACK_RANGES:
        raise _bad("more than " + str(MAX_ACK_RANGES) + " intervals in an ack")
    if not _are_apart(ack.stored, ack.refused):
        raise _bad("a seq that is stored and refused")
    return ack


def _bad(text: str) -> WireError:
    return WireError("bad_payload", text)


def _check_row(measurement: str, row: "Any", width: int) -> None:
    if type(row) not in _LISTS or len(row) != width:
        raise _bad("a row of " + measurement + " that does not fit its fields")
    offset = row[0]
    if type(offset) is not int or not -MAX_AGE_MS <= offset <= 0:
        raise _bad("the offset of a row of " + measurement)
    for value in row:
        if type(value) not in _VALUE_TYPES and not _is_text(value):
            raise _bad("a value of " + measurement)


# --- shapes of single keys ----------------------------------------------------------------------


def _is_version(value: "Any") -> bool:
    return type(value) is int and value == THIS_VERSION


def _is_device(value: "Any") -> bool:
    return type(value) is str and valid_device(value)


def _is_id(value: "Any") -> bool:
    return type(value) is bytes and len(value) == _ID_BYTES


def _is_boot_id(value: "Any") -> bool:
    return type(value) is bytes and len(value) == _BOOT_ID_BYTES


def _is_uint(value: "Any") -> bool:
    return type(value) is int and value >= 0


def _is_true(value: "Any") -> bool:
    return value is True


def _is_text(value: "Any") -> bool:
    return type(value) is str and len(value) <= MAX_TEXT


def _is_name(value: "Any") -> bool:
    if type(value) is not str or len(value) > MAX_NAME:
        return False
    match = _NAME.match(value)
    return match is not None and match.group(0) == value


def _is_instance(value: "Any") -> bool:
    if type(value) is not str or not 0 < len(value) <= MAX_INSTANCE:
        return False
    return min(value) >= " " and "\x7f" not in value  # a control character has no place in a tag


def _are_fields(value: "Any") -> bool:
    if type(value) not in _LISTS or not 0 < len(value) <= MAX_FIELDS:
        return False
    return all(_is_name(name) for name in value) and len(set(value)) == len(value)


def _are_tables(value: "Any") -> bool:
    if type(value) is cbor.Encoded:  # the agent's own, checked before they were encoded (agent.samples)
        return True
    if type(value) not in _LISTS:
        return False
    for table in value:
        check_table(table)
    return True


def _is_account(value: "Any") -> bool:
    if type(value) is not dict or len(value) > MAX_DROPPED:
        return False
    return all(_is_name(name) and _is_uint(number) for name, number in value.items())


def _is_hello(value: "Any") -> bool:
    if type(value) is not dict:
        return False
    texts = all(_is_text(value.get(name, "")) for name in _HELLO_TEXTS)
    return texts and all(_are_times(value.get(name, {})) for name in _HELLO_TIMES)


def _are_times(value: "Any") -> bool:
    return type(value) is dict and all(_is_text(name) and _is_uint(ms) for name, ms in value.items())


def _are_ranges(value: "Any", width: int = 2) -> bool:
    if type(value) is not list:
        return False
    above = -1
    for item in value:
        if type(item) is not list or len(item) != width or not _is_uint(item[0]) or not _is_uint(item[1]):
            return False
        if not above < item[0] <= item[1]:
            return False
        above = item[1]
    return True


def _are_apart(left: "list[Any]", right: "list[Any]") -> bool:
    """Tell whether two ascending lists of intervals have no number in common."""
    i = j = 0
    while i < len(left) and j < len(right):
        if left[i][1] < right[j][0]:
            i += 1
        elif right[j][1] < left[i][0]:
            j += 1
        else:
            return False
    return True


def _are_refusals(value: "Any") -> bool:
    return _are_ranges(value, 3) and all(_is_text(item[2]) for item in value)


_LISTS = (list, tuple)

# key, plain name, check, kinds that must carry it, kinds that may
_KEYS = (
    (VERSION, "version", _is_version, _ALL, _ALL),
    (DEVICE, "device", _is_device, _ALL, _ALL),
    (INCARNATION, "incarnation", _is_id, _ALL, _ALL),
    (BOOT, "boot", _is_uint, _ALL, _ALL),
    (KERNEL_BOOT, "kernel_boot", _is_boot_id, _ALL, _ALL),
    (SEQ, "seq", _is_uint, _SEALED, _SEALED),
    (UPTIME, "uptime_ms", _is_uint, _ALL, _ALL),
    (WALL, "wall_ms", _is_uint, (), _ALL),
    (TABLES, "tables", _are_tables, (), _SEALED),
    (DROPPED, "dropped", _is_account, (), _ALL),
    (SESSION, "session", _is_uint, _SESSION, _SESSION),
    (HELLO, "hello", _is_hello, ("birth",), ("birth",)),
    (STOP, "stop", _is_true, (), ("event",)),
)

_ACK_KEYS = (
    (ACK_KID, _is_id),
    (ACK_INCARNATION, _is_id),
    (ACK_STORED, _are_ranges),
    (ACK_REFUSED, _are_refusals),
    (ACK_TIME, _is_uint),
)
