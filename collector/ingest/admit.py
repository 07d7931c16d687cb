"""Stage ``admit``: from the bytes that were signed to a frame of known shape and legal values."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

import cbor2

from agent.wire import cbor
from agent.wire import frame as wire
from agent.wire.errors import WireError
from collector.model import Frame, Outcome, Reason, Table

if TYPE_CHECKING:
    from collector.ingest.batch import Address, Batch, Item, Signed
    from collector.ingest.tables import Register
    from collector.metrics import Metrics

_DEPTH = cbor.MAX_DEPTH - 1  # what is nested deeper is left to the strict decoder
_INT_MAX = (1 << 63) - 1
_KEYS = {int, str}
_SIMPLE = {str, bool, bytes}
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
                payload = wire.check_payload(item.address.kind, decode(item.signed.payload))
            except WireError as error:
                item.reject(Outcome.INVALID, Reason(error.reason), error.text)
                continue
            self._admit(item, item.address, item.signed, payload)

    def _admit(self, item: Item, address: Address, signed: Signed, payload: wire.Payload) -> None:
        if payload.device != address.device:
            text = f"a frame of {payload.device} on a topic of {address.device}"
            item.reject(Outcome.INVALID, Reason.WRONG_DEVICE, text)
            return
        tables = []
        for measurement, instance, fields, rows in payload.tables:
            table = Table(measurement, instance, tuple(fields), tuple(tuple(row) for row in rows))
            checked = self._register.check(address.device, table)
            for reason, times in checked.problems.items():
                self._metrics.tables.labels(reason=reason).inc(times)
            if checked.table is not None:
                tables.append(checked.table)
            elif checked.hold is not None:
                item.held.append((table, checked.hold))
        item.frame = _frame(item, address, signed, payload, tuple(tables))


def _frame(
    item: Item, address: Address, signed: Signed, payload: wire.Payload, tables: tuple[Table, ...]
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
    )


def decode(payload: bytes) -> Any:
    """Decode a payload exactly as ``agent.wire.cbor`` does, at cbor2's speed in the usual case.

    The usual case is the agent's own deterministic encoding: what cbor2 reads and writes back to the very
    same bytes, made of plain values only, has no indefinite length, no repeated key, no tag, no byte
    behind it. Everything else goes to the strict decoder, which raises WireError ``malformed`` or takes it.
    """
    try:
        value = cbor2.loads(payload, allow_indefinite=False, allow_duplicate_keys=False)
        usual = _plain(value, 0) and cbor2.dumps(value, canonical=True) == payload
    except Exception:  # noqa: BLE001 - hostile bytes; whatever cbor2 says, the strict decoder decides
        usual = False
    return value if usual else cbor.decode(payload)


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
        return all(type(key) in _KEYS for key in value) and _are_plain([*value, *value.values()], depth)
    return value is None or kind in _SIMPLE


def _are_plain(members: list[Any], depth: int) -> bool:
    if depth >= _DEPTH:
        return False
    for member in members:  # noqa: SIM110 - a generator costs half as much again, per value of every frame
        if not _plain(member, depth + 1):
            return False
    return True
