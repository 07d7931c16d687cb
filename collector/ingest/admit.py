"""Stage ``admit``: from the bytes that were signed to a frame of known shape and legal values."""

from __future__ import annotations

import hashlib
import math
import secrets
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, Never

import cbor2

from agent.wire import cbor
from agent.wire import frame as wire
from agent.wire.errors import WireError
from collector.model import Frame, Outcome, Reason, Table, Usual

if TYPE_CHECKING:
    from collector.ingest.batch import Address, Batch, Item, Signed
    from collector.ingest.tables import Register
    from collector.metrics import Metrics

_DEPTH = cbor.MAX_DEPTH - 1  # what is nested deeper is left to the strict decoder
_INT_MAX = (1 << 63) - 1
_KEYS = {int, str}
_SIMPLE = {str, bool, bytes}
UNUSUAL = object()
_MARK = secrets.token_bytes(16)
_MARKED = b"\x50" + _MARK
_HELLO = ("agent", "runtime", "hardware", "os", "site", "readers", "intervals")


class AdmitStage:
    """Decodes payloads and holds their tables to the register of fields."""

    name = "admit"

    def __init__(self, register: Register, metrics: Metrics) -> None:
        self._register = register
        self._metrics = metrics

    def __call__(self, batch: Batch) -> None:
        """Admit every open message."""
        for item in batch.open():
            if item.address is None or item.signed is None:
                continue
            try:
                self._admit(item, item.address, item.signed)
            except WireError as error:
                item.reject(Outcome.INVALID, Reason(error.reason), error.text)

    def _admit(self, item: Item, address: Address, signed: Signed) -> None:
        payload, usual, found = self._open(address, signed.payload)
        if payload.device != address.device:
            text = f"a frame of {payload.device} on a topic of {address.device}"
            item.reject(Outcome.INVALID, Reason.WRONG_DEVICE, text)
            return
        if usual is not None:
            item.frame = _frame(item, address, signed, payload, usual.tables, usual)
            return
        others = iter(payload.tables)
        tables = [
            one.tables[0] if one else self._checked(item, address.device, next(others)) for one in found
        ]
        tables += [self._checked(item, address.device, raw) for raw in others]
        item.frame = _frame(item, address, signed, payload, tuple([table for table in tables if table]))

    def _open(self, address: Address, data: bytes) -> tuple[wire.Payload, Usual | None, list[Usual | None]]:
        """Decode a payload; tables of the usual kind are checked at once.

        They come all together, or one by one: then None stands for each of the others, which are left in it.
        """
        value = read(data)
        found = value.get(wire.TABLES) if type(value) is dict else None
        if type(found) is list:
            usual = self._register.usual(address.device, found)
            one_by_one = [] if usual else [self._register.usual(address.device, [table]) for table in found]
            others = [raw for raw, table in zip(found, one_by_one, strict=False) if not table]
            rest = value | {wire.TABLES: others}
            if _plain(rest, 0):
                return wire.check_payload(address.kind, rest), usual, one_by_one
        return wire.check_payload(address.kind, decode(data)), None, []

    def _checked(self, item: Item, device: str, raw: list[Any]) -> Table | None:
        """Hold one table to the register, field by field."""
        measurement, instance, fields, rows = raw
        table = Table(measurement, instance, tuple(fields), tuple(tuple(row) for row in rows))
        checked = self._register.check(device, table)
        for reason, times in checked.problems.items():
            self._metrics.tables.labels(reason=reason).inc(times)
        if checked.hold is not None:
            item.held.append((table, checked.hold))
        return checked.table


def _frame(
    item: Item,
    address: Address,
    signed: Signed,
    payload: wire.Payload,
    tables: tuple[Table, ...],
    usual: Usual | None = None,
) -> Frame:
    return Frame(
        kid=signed.kid,
        device=address.device,
        topic=item.received.topic,
        shard=address.shard,
        kind=address.kind,
        incarnation=payload.incarnation.hex(),
        boot=payload.boot,
        kernel_boot=payload.kernel_boot.hex(),
        seq=payload.seq,
        uptime_ms=payload.uptime_ms,
        wall_ms=payload.wall_ms,
        tables=tables,
        dropped=payload.dropped,
        session=payload.session,
        hello={name: payload.hello[name] for name in _HELLO if name in payload.hello},
        arrival_ms=item.received.arrival_ms,
        digest=hashlib.sha256(signed.payload).digest(),
        stop=payload.stop,
        usual=usual,
    )


def _refuse_tag(*_: object) -> Never:
    raise WireError("malformed", "a tag")


# Every tag that cbor2 gives a meaning to. With shared references (28, 29) and string references (25, 256) a
# message of 200 bytes unfolds to more values than can ever be looked at, 55799 leaves no trace, and none of
# the others has a use here.
_NO_TAGS = dict.fromkeys(
    (*range(6), 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799),
    _refuse_tag,
)
_STRICT: dict[str, Any] = {
    "allow_indefinite": False,
    "allow_duplicate_keys": False,
    "tag_hook": _refuse_tag,
    "semantic_decoders": _NO_TAGS,
}


def read(payload: bytes) -> Any:
    """Decode at cbor2's speed what has no tag, no indefinite length, no repeated key and no byte behind it.

    Everything else is ``UNUSUAL``. cbor2 does not say where a value ended: the payload stands between the
    head of a list of two and a mark that nobody outside knows, which must come out as the second. How far
    another mark agrees with it cannot be told from the time the comparison takes.
    """
    try:
        value, mark = cbor2.loads(b"\x82" + payload + _MARKED, **_STRICT)
    except Exception:  # noqa: BLE001 - hostile bytes; whatever cbor2 says, the strict decoder decides
        return UNUSUAL
    return value if type(mark) is bytes and compare_digest(mark, _MARK) else UNUSUAL


def decode(payload: bytes) -> Any:
    """Decode a payload exactly as ``agent.wire.cbor`` does, at cbor2's speed in the usual case.

    What is not made of plain values only goes to the strict decoder, which raises WireError ``malformed``
    or takes it.
    """
    value = read(payload)
    return value if value is not UNUSUAL and _plain(value, 0) else cbor.decode(payload)


def _plain(value: Any, depth: int) -> bool:
    """Whether a value is made of nothing that the strict decoder would not give."""
    kind = type(value)
    if kind is int:
        return -_INT_MAX <= int(value) <= _INT_MAX
    if kind is float:
        return math.isfinite(float(value))
    if kind is list:
        return _are_plain(value, depth)
    if kind is dict:
        return _KEYS.issuperset(map(type, value)) and _are_plain([*value, *value.values()], depth)
    return value is None or kind in _SIMPLE


def _are_plain(members: list[Any], depth: int) -> bool:
    if depth >= _DEPTH:
        return False
    for member in members:
        kind = type(member)
        if kind in _SIMPLE or (kind is int and -_INT_MAX <= member <= _INT_MAX):
            continue  # nearly all; a call costs more than the question
        if not _plain(member, depth + 1):
            return False
    return True
