"""Signatures and public keys at the edges of ECDSA over P-256, in the manner of Project Wycheproof; own
data.

``signatures.json`` has frames whose envelope names an enrolled key and whose signature is valid, or wrong in
one way, with ``expect`` as the centre's reason. Keys are chosen so that verification meets its rare cases;
their kids are therefore names, not hashes. ``public_keys`` are SubjectPublicKeyInfos with whether the
registry takes them.
"""

from __future__ import annotations

import hashlib
from typing import Any

from agent.wire import cbor, cose, p256
from tests.vectors.make_wire import DEVICE, PRIVATE, base, topic

N, P = p256.N, p256.P
WHERE = topic("data")
PAYLOAD = cbor.encode(base("data"))
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B  # SP 800-186 section 3.2.1.3


def _bytes(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _kid(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()[:8]


def _digest(kid: bytes) -> int:
    """Return what is signed under a kid, as a number."""
    header = cose.protected(cose.ES256, kid)
    return int.from_bytes(hashlib.sha256(cose.to_sign(header, WHERE.encode(), PAYLOAD)).digest(), "big")


def _inverse(number: int) -> int:
    return pow(number, -1, N)


def _x(scalar: int) -> int:
    return p256.public_key(_bytes(scalar))[0]


def _signed(name: str, secret: int, nonce: int) -> tuple[bytes, int, int, int]:
    """Return (kid, secret, r, s) with a nonce of our choice."""
    kid = _kid(name)
    r = _x(nonce) % N
    return kid, secret, r, _inverse(nonce) * (_digest(kid) + r * secret) % N


def _short_r() -> int:
    """Return a nonce whose r begins with a zero byte."""
    return next(nonce for nonce in range(1, 10_000) if _x(nonce) >> 248 == 0)


def rare() -> list[tuple[str, str, tuple[bytes, int, int, int]]]:
    """Return (name, expect, signature) where the arithmetic of verification meets an edge."""
    any_secret = int.from_bytes(PRIVATE, "big")
    cases = [
        ("the smallest private key", "valid", _signed("d1", 1, 12345)),
        ("the largest private key", "valid", _signed("dn", N - 1, 12345)),
        ("the smallest nonce", "valid", _signed("k1", any_secret, 1)),
        ("the largest nonce", "valid", _signed("kn", any_secret, N - 1)),
        ("key and nonce are the same", "valid", _signed("dk", 777, 777)),
        ("r begins with a zero byte", "valid", _signed("short", any_secret, _short_r())),
    ]
    kid, secret, r, s = _signed("high", any_secret, 999)
    cases.append(("the other s of the same signature", "valid", (kid, secret, r, N - s)))
    cases.append(("both terms of the sum are the same point", "valid", _doubled("double")))
    cases.append(("the sum is the point at infinity", "bad_signature", _cancelled("infinity")))
    cases.append(("s is one", "valid", _with_s("s one", 1)))
    cases.append(("s is the order less one", "valid", _with_s("s last", N - 1)))
    return cases


def _doubled(name: str) -> tuple[bytes, int, int, int]:
    """z G = r Q: the secret is z / r."""
    kid, nonce = _kid(name), 4242
    r, z = _x(nonce) % N, _digest(kid)
    return kid, z * _inverse(r) % N, r, 2 * z * _inverse(nonce) % N


def _cancelled(name: str) -> tuple[bytes, int, int, int]:
    """z G = -r Q: the secret is -z / r, and no s gives a point."""
    kid = _kid(name)
    r, z = _x(4242) % N, _digest(kid)
    return kid, -z * _inverse(r) % N, r, 5


def _with_s(name: str, s: int) -> tuple[bytes, int, int, int]:
    """Return a signature with this s: the secret is (s k - z) / r."""
    kid, nonce = _kid(name), 31337
    r, z = _x(nonce) % N, _digest(kid)
    return kid, (s * nonce - z) * _inverse(r) % N, r, s


def wrong() -> list[tuple[str, str, bytes]]:
    """Return (name, expect, signature bytes) for one key, each wrong in one way."""
    kid, _, r, s = _signed("plain", int.from_bytes(PRIVATE, "big"), 55555)
    assert kid == _kid("plain")
    other = _x(55556) % N
    numbers = {
        "r is zero": (0, s), "s is zero": (r, 0), "both are zero": (0, 0), "both are one": (1, 1),
        "r is one": (1, s), "s is one, not the right one": (r, 1),
        "r is the order": (N, s), "s is the order": (r, N), "both are the order": (N, N),
        "r is the order plus one": (N + 1, s), "s is the order plus one": (r, N + 1),
        "r is the order less one": (N - 1, s), "s is the order less one, not the right one": (r, N - 1),
        "r is the field's prime": (P, s), "r is the field's prime less the order": (P - N, s),
        "r has all bits": ((1 << 256) - 1, s), "s has all bits": (r, (1 << 256) - 1),
        "r is that of another nonce": (other, s), "r is negated": (N - r, s),
        "s is inverted": (r, _inverse(s)),
        "r and s are exchanged": (s, r),
    }  # fmt: skip
    found = [(name, "bad_signature", _bytes(a) + _bytes(b)) for name, (a, b) in numbers.items()]
    raw = _bytes(r) + _bytes(s)
    lengths = {
        "DER instead of r and s": _der(r, s),
        "no bytes at all": b"",
        "r alone": raw[:32],
        "one byte short": raw[:-1],
        "one byte long": raw + b"\0",
        "both with a leading zero byte": b"\0" + raw[:32] + b"\0" + raw[32:],
        "twice": raw + raw,
    }
    return [*found, *[(name, "malformed", proof) for name, proof in lengths.items()]]


def _der(r: int, s: int) -> bytes:
    def integer(number: int) -> bytes:
        data = number.to_bytes(number.bit_length() // 8 + 1, "big")
        return b"\x02" + bytes([len(data)]) + data

    body = integer(r) + integer(s)
    return b"\x30" + bytes([len(body)]) + body


def _message(kid: bytes, proof: bytes) -> str:
    """Return a frame with any signature; one of 64 bytes may be anything, others are no envelope."""
    header = cose.protected(cose.ES256, kid)
    return (b"\xd2\x84" + cbor.encode(header) + b"\xa0" + cbor.encode(PAYLOAD) + cbor.encode(proof)).hex()


def _spki(x: int, y: int) -> bytes:
    return p256._SPKI + _bytes(x) + _bytes(y)


def public_keys() -> list[dict[str, Any]]:
    """Return public keys, valid and not."""
    x, y = p256.public_key(hashlib.sha256(b"a key of its own").digest())
    outside = next(at for at in range(2, 100) if pow(at**3 - 3 * at + B, (P - 1) // 2, P) == P - 1)
    start = p256._SPKI[:-1]  # up to the byte that says how the point is written
    infinity = _sequence(p256._SPKI[2:23], b"\0\0")
    point = _bytes(x) + _bytes(y)
    other_curve = p256._SPKI.replace(bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06052b8104000a"))
    cases = {
        "a point of the curve": (True, _spki(x, y)),
        "the generator": (True, _spki(p256.GX, p256.GY)),
        "off the curve by one": (False, _spki(x, y ^ 1)),
        "x without any point": (False, _spki(outside, y)),
        "x and y exchanged": (False, _spki(y, x)),
        "both coordinates zero": (False, _spki(0, 0)),
        "x is the prime": (False, _spki(P, y)),
        "y is the prime": (False, _spki(x, P)),
        "y negated, which is the other key": (True, _spki(x, P - y)),
        "the point at infinity": (False, infinity),
        "the point cut short": (False, _spki(x, y)[:-1]),
        "a byte behind": (False, _spki(x, y) + b"\0"),
        "an unknown way to write the point": (False, start + b"\x05" + point),
        "another curve's name": (False, _sequence_of(other_curve[2:] + point)),
        "nothing": (False, b""),
    }  # fmt: skip
    return [{"name": name, "taken": taken, "spki": spki.hex()} for name, (taken, spki) in cases.items()]


def _sequence(algorithm: bytes, bits: bytes) -> bytes:
    return _sequence_of(algorithm + b"\x03" + bytes([len(bits)]) + bits)


def _sequence_of(body: bytes) -> bytes:
    return b"\x30" + bytes([len(body)]) + body


def content() -> dict[str, Any]:
    """Return what goes into the file, by name."""
    keys, frames = [], []
    for name, expect, (kid, secret, r, s) in rare():
        keys.append({"kid": kid.hex(), "spki": p256.spki(_bytes(secret)).hex()})
        frames.append({"name": name, "expect": expect, "message": _message(kid, _bytes(r) + _bytes(s))})
    keys.append({"kid": _kid("plain").hex(), "spki": p256.spki(PRIVATE).hex()})
    frames += [
        {"name": name, "expect": expect, "message": _message(_kid("plain"), proof)}
        for name, expect, proof in wrong()
    ]
    return {
        "signatures.json": {
            "device": DEVICE, "topic": WHERE, "keys": keys, "frames": frames, "public_keys": public_keys()
        }
    }  # fmt: skip
