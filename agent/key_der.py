"""The private scalar out of a P-256 key in DER: PKCS #8 (RFC 5958) or SEC 1 (RFC 5915). Pure.

Only what such a key needs of ASN.1; anything else is a ConfigError ``bad_key``.
"""

from agent.errors import ConfigError

_INTEGER = 0x02
_OCTETS = 0x04
_SEQUENCE = 0x30
_PARAMETERS = 0xA0
_SCALAR_BYTES = 32
_EC_PUBLIC_KEY = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"  # 1.2.840.10045.2.1
_P256 = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"  # 1.2.840.10045.3.1.7


def scalar(der: bytes) -> bytes:
    """Return the 32 bytes of the private key. Raises ConfigError ``bad_key``."""
    outer, rest = _element(der, _SEQUENCE)
    version, inside = _element(outer, _INTEGER)
    if rest:
        raise _bad("bytes behind it")
    if version == b"\x01" and inside[:1] == bytes((_OCTETS,)):
        return _sec1(outer, named=True)
    algorithm, inside = _element(inside, _SEQUENCE)
    if version not in {b"\x00", b"\x01"} or algorithm != _EC_PUBLIC_KEY + _P256:
        raise _bad("not on the curve P-256")
    wrapped, _ = _element(inside, _OCTETS)
    outer, rest = _element(wrapped, _SEQUENCE)
    if rest:
        raise _bad("bytes behind it")
    return _sec1(outer, named=False)


def _sec1(inside: bytes, *, named: bool) -> bytes:
    """Return the scalar of an ECPrivateKey; ``named``: it has to name the curve itself."""
    version, inside = _element(inside, _INTEGER)
    secret, inside = _element(inside, _OCTETS)
    if version != b"\x01" or len(secret) != _SCALAR_BYTES:
        raise _bad("no private key of 32 bytes")
    if named and _element(inside, _PARAMETERS)[0] != _P256:
        raise _bad("not on the curve P-256")
    return secret


def _element(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """Return (content, what follows) of the first element, which has this tag."""
    if len(data) < 2 or data[0] != tag:  # noqa: PLR2004 - tag, length
        raise _bad("not PKCS #8 or SEC 1 in DER")
    start, size = 2, data[1]
    if size > 0x80:  # noqa: PLR2004 - long form: the low bits say in how many bytes
        start += size & 0x7F
        size = int.from_bytes(data[2:start], "big")
    if data[1] == 0x80 or start + size > len(data):  # noqa: PLR2004 - the indefinite form is BER
        raise _bad("cut off")
    return data[start : start + size], data[start + size :]


def _bad(text: str) -> ConfigError:
    return ConfigError("bad_key", "the device's key cannot be used: " + text)
