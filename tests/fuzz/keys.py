"""Who there is in the fuzzer's world: devices, their keys, the topics they speak on, the ack secret.

Private keys come from fixed numbers and signatures are deterministic (RFC 6979), so that an input always
makes the same message.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from collector.registry import KeyEntry

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256
ARRIVAL_MS = 1_760_000_000_000
ACK_SECRET = b"a secret of the fuzzer's own...."
KINDS = ("data", "birth", "event", "death", "ack")
_ES256 = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)


@dataclass(frozen=True)
class Pair:
    """A key pair and what the registry says of it."""

    device: str
    private: ec.EllipticCurvePrivateKey
    kid: bytes
    enrolled: bool
    revoked_ms: int | None

    def sign(self, message: bytes) -> tuple[int, int]:
        """Return r and s."""
        return decode_dss_signature(self.private.sign(message, _ES256))

    @property
    def good(self) -> bool:
        """Whether the registry takes its signatures at the time of arrival."""
        return self.enrolled and (self.revoked_ms is None or self.revoked_ms > ARRIVAL_MS)


def _pair(number: int, device: str, *, enrolled: bool = True, revoked_ms: int | None = None) -> Pair:
    scalar = 1 + int.from_bytes(hashlib.sha256(b"fuzz %d" % number).digest(), "big") % (ORDER - 1)
    private = ec.derive_private_key(scalar, ec.SECP256R1())
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    kid = hashlib.sha256(private.public_key().public_bytes(*form)).digest()[:8]
    return Pair(device, private, kid, enrolled, revoked_ms)


PAIRS = (
    _pair(0, "r1"),
    _pair(1, "r2"),
    _pair(2, "r1", revoked_ms=ARRIVAL_MS + 1),
    _pair(3, "r1", revoked_ms=ARRIVAL_MS),
    _pair(4, "r1", enrolled=False),
    _pair(5, "r3"),
)
TOPICS = (
    *(f"vigia/v1/c/r1/{kind}" for kind in KINDS),
    *(f"vigia/v1/c/r2/{kind}" for kind in KINDS),
    "vigia/v1/d/r1/data",
    "vigia/v1/c/r3/data",
)


class Enrolled:
    """The registry of the fuzzer's keys."""

    def __init__(self) -> None:
        self._keys = {
            pair.kid.hex(): KeyEntry(
                pair.kid.hex(), pair.device, pair.private.public_key(), 0, pair.revoked_ms
            )
            for pair in PAIRS
            if pair.enrolled
        }

    def key(self, kid: str) -> KeyEntry | None:
        """As ``collector.registry.Registry.key``."""
        return self._keys.get(kid)
