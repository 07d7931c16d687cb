"""HMAC-SHA256 (RFC 2104) and the key under which a device's acks are authenticated.

MicroPython has no ``hmac``.
"""

import hashlib

_BLOCK = 64
_INNER = 0x36
_OUTER = 0x5C


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """Return the 32 bytes of HMAC-SHA256."""
    if len(key) > _BLOCK:
        key = hashlib.sha256(key).digest()
    key += bytes(_BLOCK - len(key))
    inner = hashlib.sha256(bytes([b ^ _INNER for b in key]))
    inner.update(data)
    outer = hashlib.sha256(bytes([b ^ _OUTER for b in key]))
    outer.update(inner.digest())
    return outer.digest()


def equal(left: bytes, right: bytes) -> bool:
    """Compare two tags in a time that does not depend on where they differ."""
    if len(left) != len(right):
        return False
    difference = 0
    for at in range(len(left)):
        difference |= left[at] ^ right[at]
    return difference == 0


def ack_key(secret: bytes, kid: bytes) -> bytes:
    """Return the 32-byte key of one device's acks: HMAC of the collector's ack secret (32 bytes)."""
    return hmac_sha256(secret, b"vigia ack v1" + kid)
