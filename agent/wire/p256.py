"""ECDSA over P-256 with SHA-256 for devices without a cryptography library (FIPS 186-5, RFC 6979).

Only what a device needs: the public key and signatures; verifying is the centre's, with its own library.
The fixed-base comb (Lim and Lee, width 8) lives in ``p256_comb.bin``, because a router takes seconds to
compute it; ``tools/make_comb.py`` writes it. Inverses are Euclid's: ``pow(x, -1, m)`` is silently 0 on
MicroPython, and Fermat's theorem costs twice the time. Running times depend on the key: this suits a device
whose neighbours cannot time single signatures, not a shared machine.
"""

from agent.wire.errors import WireError
from agent.wire.mac import hmac_sha256

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from typing import IO

    # Jacobian coordinates: the affine point is (x / z**2, y / z**3); z = 0 is the neutral element.
    Point = tuple[int, int, int]

# FIPS 186-5 and SP 800-186 section 3.2.1.3
P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
GX = 0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296
GY = 0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5

SCALAR_BYTES = 32
COLUMNS = 32  # of the comb: bits 0, 32, ... 224 of the scalar are column 0
_SLICE = 4  # columns between two pauses: about 4 ms on a MIPS 24Kc
_NEUTRAL = (0, 1, 0)
# SubjectPublicKeyInfo of an uncompressed P-256 point up to the point (RFC 5480 section 2)
_SPKI = (
    b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
    b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04"
)


def sign(private: bytes, digest: bytes) -> bytes:
    """Return r and s (64 bytes) for a 32-byte digest. Raises WireError ``bad_key``."""
    secret = _scalar(private)
    with _comb() as comb:
        for nonce in _nonces(private, digest):
            signature = _finish(secret, digest, nonce, _columns(comb, nonce, _NEUTRAL, COLUMNS, 0))
            if signature:
                return signature
    raise WireError("bad_key", "unreachable: nonces never end")


async def sign_slow(private: bytes, digest: bytes, pause: "Callable[[], Awaitable[None]]") -> bytes:
    """Return the same as ``sign``, awaiting ``pause()`` between slices of the work."""
    secret = _scalar(private)
    with _comb() as comb:
        for nonce in _nonces(private, digest):
            point = _NEUTRAL
            for column in range(COLUMNS, 0, -_SLICE):
                await pause()
                point = _columns(comb, nonce, point, column, column - _SLICE)
            await pause()
            signature = _finish(secret, digest, nonce, point)
            if signature:
                return signature
    raise WireError("bad_key", "unreachable: nonces never end")


def public_key(private: bytes) -> tuple[int, int]:
    """Return the affine point (x, y) of a 32-byte private key. Raises WireError ``bad_key``."""
    _scalar(private)
    with _comb() as comb:
        return affine(_columns(comb, private, _NEUTRAL, COLUMNS, 0))


def spki(private: bytes) -> bytes:
    """Return the public key as SubjectPublicKeyInfo (91 bytes of DER), of which the kid is the hash."""
    x, y = public_key(private)
    return _SPKI + x.to_bytes(SCALAR_BYTES, "big") + y.to_bytes(SCALAR_BYTES, "big")


# --- the curve ----------------------------------------------------------------------------------


def inverse(value: int, modulus: int) -> int:
    """Return the inverse modulo a prime by Euclid's algorithm; ``value`` is no multiple of it."""
    r0, r1 = modulus, value % modulus
    t0, t1 = 0, 1
    while r1:
        quotient = r0 // r1
        r0, r1 = r1, r0 - quotient * r1
        t0, t1 = t1, t0 - quotient * t1
    return t0 % modulus


def affine(point: "Point") -> tuple[int, int]:
    """Return (x, y) of a point other than the neutral element."""
    x, y, z = point
    reciprocal = inverse(z, P)
    square = reciprocal * reciprocal % P
    return x * square % P, y * square * reciprocal % P


def double(point: "Point") -> "Point":
    """Return twice the point (formulas dbl-2001-b of the Explicit-Formulas Database, a = -3)."""
    x, y, z = point
    delta = z * z % P
    gamma = y * y % P
    beta = x * gamma % P
    alpha = 3 * (x - delta) * (x + delta) % P
    x3 = (alpha * alpha - 8 * beta) % P
    return x3, (alpha * (4 * beta - x3) - 8 * gamma * gamma) % P, 2 * y * z % P


def add(point: "Point", x2: int, y2: int) -> "Point":
    """Return the sum of a point and an affine one (formulas madd of the Explicit-Formulas Database)."""
    x1, y1, z1 = point
    if not z1:
        return x2, y2, 1
    square = z1 * z1 % P
    h = (x2 * square - x1) % P
    r = (y2 * square * z1 - y1) % P
    if not h:
        return _NEUTRAL if r else double(point)
    hh = h * h % P
    hhh = h * hh % P
    v = x1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return x3, (r * (v - x3) - y1 * hhh) % P, z1 * h % P


def _columns(comb: "IO[bytes]", scalar: bytes, point: "Point", above: int, down_to: int) -> "Point":
    """Work off the comb's columns ``above - 1`` to ``down_to`` of a scalar (32 bytes)."""
    for column in range(above - 1, down_to - 1, -1):
        point = double(point)
        index = _teeth(scalar, column)
        if index:
            comb.seek(2 * SCALAR_BYTES * (index - 1))
            x = int.from_bytes(comb.read(SCALAR_BYTES), "big")
            y = int.from_bytes(comb.read(SCALAR_BYTES), "big")
            point = add(point, x, y)
    return point


def _teeth(scalar: bytes, column: int) -> int:
    """Return the scalar's bits ``column + 32 * i`` as bits i; byte by byte, so that no int leaves 31 bits."""
    at = 31 - (column >> 3)
    shift = column & 7
    index = 0
    for tooth in range(8):
        index |= (scalar[at - 4 * tooth] >> shift & 1) << tooth
    return index


def _comb() -> "IO[bytes]":
    """Open the table of 255 affine points, read where it lies: 16 KiB are a sixteenth of a router's heap.

    Entry i - 1 is the sum of ``2**(32 * j) * G`` over the bits j of i.
    """
    return open(__file__.rsplit("/", 1)[0] + "/p256_comb.bin", "rb")


# --- ECDSA --------------------------------------------------------------------------------------


def _scalar(private: bytes) -> int:
    secret = int.from_bytes(private, "big")
    if len(private) != SCALAR_BYTES or not 0 < secret < N:
        raise WireError("bad_key", "a private key is 32 bytes, from 1 to the order less one")
    return secret


def _finish(secret: int, digest: bytes, nonce: bytes, point: "Point") -> bytes:
    """Return r and s, or nothing when one of them is 0 and another nonce is needed."""
    r = affine(point)[0] % N
    z = int.from_bytes(digest, "big")
    s = inverse(int.from_bytes(nonce, "big"), N) * (z + r * secret) % N
    return r.to_bytes(SCALAR_BYTES, "big") + s.to_bytes(SCALAR_BYTES, "big") if r and s else b""


def _nonces(private: bytes, digest: bytes) -> "Iterator[bytes]":
    """Yield the nonces of RFC 6979 section 3.2; both hash and order have 256 bits."""
    if len(digest) != SCALAR_BYTES:
        raise WireError("bad_key", "a digest has 32 bytes")
    seed = private + (int.from_bytes(digest, "big") % N).to_bytes(SCALAR_BYTES, "big")
    key = bytes(32)
    value = b"\x01" * 32
    for step in (b"\x00", b"\x01"):
        key = hmac_sha256(key, value + step + seed)
        value = hmac_sha256(key, value)
    while True:
        value = hmac_sha256(key, value)
        if 0 < int.from_bytes(value, "big") < N:
            yield value
        key = hmac_sha256(key, value + b"\x00")
        value = hmac_sha256(key, value)
