"""COSE_Sign1 and COSE_Mac0 (RFC 9052, RFC 9053) in the one form that WIRE.md allows.

The envelope has exactly one encoding; whatever differs is malformed. What is signed are the payload's
bytes as they are: they are parsed after the signature was verified and never encoded again.
"""

# ruff: noqa: PLR2004 - the numbers are the bits of a CBOR head (RFC 8949 section 3)
import hashlib

from agent.wire.cbor import head
from agent.wire.errors import WireError
from agent.wire.mac import equal, hmac_sha256

MAX_BYTES = 65536  # of a whole message
MAX_ACK_BYTES = 4096  # of an ack: what a router can decode within its heap, whoever made it
ES256 = -7
HMAC_256_64 = 4
KID_BYTES = 8
SIGNATURE_BYTES = 64
TAG_BYTES = 8

_SIGN1 = b"\xd2\x84"  # tag 18, array of four
_MAC0 = b"\xd1\x84"  # tag 17, array of four
_EMPTY_MAP = 0xA0
_ALGORITHMS = {ES256: b"\x26", HMAC_256_64: b"\x04"}


def key_id(spki: bytes) -> bytes:
    """Return the kid of a public key: the first 8 bytes of SHA-256 of its SubjectPublicKeyInfo (DER)."""
    return hashlib.sha256(spki).digest()[:KID_BYTES]


def protected(alg: int, kid: bytes) -> bytes:
    """Return the protected header ``{1: alg, 4: kid}``; ``alg`` is ES256 or HMAC_256_64."""
    if len(kid) != KID_BYTES:
        raise WireError("unencodable", "a kid has 8 bytes")
    return b"\xa2\x01" + _ALGORITHMS[alg] + b"\x04\x48" + kid


def to_sign(protected_header: bytes, aad: bytes, payload: bytes) -> bytes:
    """Return the Sig_structure (RFC 9052 section 4.4); what is signed is its SHA-256."""
    return _start_to_sign(protected_header, aad, payload) + payload


def digest(protected_header: bytes, aad: bytes, payload: "bytes | bytearray") -> bytes:
    """Return what is signed, without the Sig_structure as a whole, which a small heap has no place for."""
    summed = hashlib.sha256(_start_to_sign(protected_header, aad, payload))
    summed.update(payload)
    return summed.digest()


def _start_to_sign(protected_header: bytes, aad: bytes, payload: "bytes | bytearray") -> bytes:
    return b"\x84\x6aSignature1" + _bstr(protected_header) + _bstr(aad) + head(2, len(payload))


def sign1(protected_header: bytes, payload: bytes, signature: bytes) -> bytes:
    """Return the message. Raises WireError ``oversized`` beyond MAX_BYTES."""
    if len(signature) != SIGNATURE_BYTES:
        raise WireError("unencodable", "a signature has 64 bytes")
    return _message(_SIGN1, protected_header, payload, signature)


def seal1(protected_header: bytes, payload: bytearray, signature: bytes) -> None:
    """Make the payload, in place, the message that ``sign1`` returns."""
    payload[:0] = _SIGN1 + _bstr(protected_header) + bytes((_EMPTY_MAP,)) + head(2, len(payload))
    payload.extend(_bstr(signature))


def parse_sign1(data: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Return (kid, protected, payload, signature) of a message whose signature is NOT yet verified.

    Raises WireError ``oversized`` or ``malformed``.
    """
    return _parse(data, _SIGN1, ES256, SIGNATURE_BYTES)


def mac0(key: bytes, kid: bytes, aad: bytes, payload: bytes) -> bytes:
    """Return a COSE_Mac0 with HMAC 256/64 under ``key`` (32 bytes). Raises WireError ``oversized``."""
    header = protected(HMAC_256_64, kid)
    return _message(_MAC0, header, payload, _tag(key, header, aad, payload), MAX_ACK_BYTES)


def kid_of_mac0(data: bytes) -> bytes:
    """Return the kid a COSE_Mac0 names, NOT yet checked, to pick the key by.

    Raises WireError ``oversized`` or ``malformed``.
    """
    return _parse(data, _MAC0, HMAC_256_64, TAG_BYTES, MAX_ACK_BYTES)[0]


def open_mac0(key: bytes, aad: bytes, data: bytes) -> tuple[bytes, bytes]:
    """Return (kid, payload) of a COSE_Mac0 after checking it.

    Raises WireError ``oversized``, ``malformed`` or ``wrong_mac``.
    """
    kid, header, payload, tag = _parse(data, _MAC0, HMAC_256_64, TAG_BYTES, MAX_ACK_BYTES)
    if not equal(tag, _tag(key, header, aad, payload)):
        raise WireError("wrong_mac", "the tag is not of this key, topic and content")
    return kid, payload


def _tag(key: bytes, header: bytes, aad: bytes, payload: bytes) -> bytes:
    structure = b"\x84\x64MAC0" + _bstr(header) + _bstr(aad) + _bstr(payload)
    return hmac_sha256(key, structure)[:TAG_BYTES]


def _message(start: bytes, header: bytes, payload: bytes, proof: bytes, limit: int = MAX_BYTES) -> bytes:
    parts = (start, _bstr(header), bytes((_EMPTY_MAP,)), head(2, len(payload)), payload, _bstr(proof))
    message = b"".join(parts)  # at once: a sum would copy the payload with each part
    if len(message) > limit:
        raise WireError("oversized", "a message of " + str(len(message)) + " bytes")
    return message


def _bstr(data: bytes) -> bytes:
    return head(2, len(data)) + data


def _parse(
    data: bytes, start: bytes, alg: int, proof_bytes: int, limit: int = MAX_BYTES
) -> tuple[bytes, bytes, bytes, bytes]:
    if len(data) > limit:
        raise WireError("oversized", "a message of " + str(len(data)) + " bytes")
    if data[:2] != start:
        raise WireError("malformed", "not the expected COSE tag and array")
    header, at = _read_bstr(data, 2)
    kid = header[-KID_BYTES:]
    if len(header) < KID_BYTES or header != protected(alg, kid):
        raise WireError("malformed", "a protected header other than {1: alg, 4: kid}")
    if data[at : at + 1] != b"\xa0":
        raise WireError("malformed", "an unprotected header that is not an empty map")
    payload, at = _read_bstr(data, at + 1)
    proof, at = _read_bstr(data, at)
    if len(proof) != proof_bytes or at != len(data):
        raise WireError("malformed", "a signature or tag of the wrong length, or bytes behind it")
    return kid, header, payload, proof


def _read_bstr(data: bytes, at: int) -> tuple[bytes, int]:
    """Return a byte string with the shortest head and where it ends."""
    first = data[at] if at < len(data) else 0
    info = first & 31
    if first >> 5 != 2 or info > 26:
        raise WireError("malformed", "a byte string is missing")
    begin = at + 1 + (0 if info < 24 else 1 << (info - 24))
    length = info if info < 24 else int.from_bytes(data[at + 1 : begin], "big")
    end = begin + length
    if end > len(data) or data[at:begin] != head(2, length):
        raise WireError("malformed", "a byte string is cut off or has too long a head")
    return data[begin:end], end
