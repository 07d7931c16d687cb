"""Stage ``verify``: whether it is signed by a key of the device whose topic it came on.

The bytes that were signed are verified as they are; nothing of the payload is read before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from agent.wire import cose
from agent.wire.errors import WireError
from collector.ingest.batch import Signed
from collector.model import Outcome, Reason

if TYPE_CHECKING:
    from collector.ingest.batch import Address, Batch, Item
    from collector.ingest.ports import Registry
    from collector.registry import KeyEntry

ES256 = ec.ECDSA(hashes.SHA256())
_HALF = 32  # bytes of r and of s


class _Invalid(Exception):  # noqa: N818 - never leaves this module
    """Carries the reason out of the checks."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


class VerifyStage:
    """Checks envelope, key and signature."""

    name = "verify"

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def __call__(self, batch: Batch) -> None:
        """Verify every open message."""
        for item in batch.open():
            try:
                item.signed = self._verify(item)
            except _Invalid as found:
                item.reject(Outcome.INVALID, found.reason, found.detail)

    def _verify(self, item: Item) -> Signed:
        address = item.address
        if address is None:
            raise _Invalid(Reason.BAD_TOPIC)
        kid, header, payload, signature = _open(item.received.payload)
        entry = self._key(kid.hex(), address, item.received.arrival_ms)
        _check(entry, cose.to_sign(header, item.received.topic.encode(), payload), signature)
        return Signed(entry.kid, payload)

    def _key(self, kid: str, address: Address, arrival_ms: int) -> KeyEntry:
        entry = self._registry.key(kid)
        if entry is None:
            raise _Invalid(Reason.UNKNOWN_KEY, f"key {kid} of {address.device} is not enrolled")
        if entry.device != address.device:
            raise _Invalid(Reason.WRONG_DEVICE, f"a key of {entry.device} on a topic of {address.device}")
        if entry.revoked_ms is not None and arrival_ms >= entry.revoked_ms:
            raise _Invalid(Reason.REVOKED_KEY, f"key {kid} of {address.device} was revoked")
        return entry


def _open(message: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    try:
        return cose.parse_sign1(message)
    except WireError as error:
        raise _Invalid(Reason(error.reason), error.text) from error


def _check(entry: KeyEntry, signed: bytes, signature: bytes) -> None:
    r, s = (int.from_bytes(half, "big") for half in (signature[:_HALF], signature[_HALF:]))
    try:
        entry.public_key.verify(encode_dss_signature(r, s), signed, ES256)
    except InvalidSignature as error:
        raise _Invalid(Reason.BAD_SIGNATURE, f"not signed by key {entry.kid} for this topic") from error
