"""The device's key through ``cryptography``: native, so that one signature takes some 50 microseconds."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature

from agent.errors import ConfigError
from agent.wire import cose

_HALF = 32


class Signer:
    """Signs with ES256. ``key`` is PKCS #8 in DER; ConfigError ``bad_key`` for anything but P-256."""

    def __init__(self, key: bytes) -> None:
        private = _load(key)
        self._private = private
        spki = private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.kid = cose.key_id(spki)

    async def sign(self, digest: bytes) -> bytes:
        """Return r and s, 64 bytes, of a message's SHA-256 (RFC 9053 section 2.1)."""
        r, s = decode_dss_signature(self._private.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256()))))
        return r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")


def _load(key: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        private = serialization.load_der_private_key(key, password=None)
    except (ValueError, TypeError) as error:
        raise ConfigError("bad_key", f"the device's key is not PKCS #8 in DER: {error}") from error
    if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
        raise ConfigError("bad_key", "the device's key is not on the curve P-256")
    return private
