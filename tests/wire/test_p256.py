"""Our signatures verified by cryptography, and the table remade."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.wire import p256

ROOT = Path(__file__).resolve().parent.parent.parent
SCALARS = st.integers(1, p256.N - 1)
DIGESTS = st.binary(min_size=32, max_size=32)


def pair(scalar: int) -> tuple[bytes, ec.EllipticCurvePrivateKey]:
    return scalar.to_bytes(32, "big"), ec.derive_private_key(scalar, ec.SECP256R1())


def check(private: bytes, key: ec.EllipticCurvePrivateKey, digest: bytes) -> None:
    signature = p256.sign(private, digest)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    key.public_key().verify(encode_dss_signature(r, s), digest, ec.ECDSA(Prehashed(hashes.SHA256())))


@given(SCALARS, DIGESTS)
@settings(max_examples=50)
def test_cryptography_verifies(scalar: int, digest: bytes) -> None:
    check(*pair(scalar), digest)


@pytest.mark.parametrize("scalar", [1, 2, 3, 0xFF, 1 << 32, 1 << 255, p256.N // 2, p256.N - 2, p256.N - 1])
@pytest.mark.parametrize(
    "digest", [bytes(32), b"\xff" * 32, p256.N.to_bytes(32, "big")], ids=["0", "max", "order"]
)
def test_edges_verify(scalar: int, digest: bytes) -> None:
    check(*pair(scalar), digest)


@given(SCALARS)
@settings(max_examples=50)
def test_public_keys_are_those_of_cryptography(scalar: int) -> None:
    private, key = pair(scalar)
    numbers = key.public_key().public_numbers()
    assert p256.public_key(private) == (numbers.x, numbers.y)


@given(SCALARS, DIGESTS)
@settings(max_examples=25)
def test_the_nonce_is_that_of_rfc_6979(scalar: int, digest: bytes) -> None:
    private, key = pair(scalar)
    theirs = key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=True))
    r, s = decode_dss_signature(theirs)
    assert p256.sign(private, digest) == r.to_bytes(32, "big") + s.to_bytes(32, "big")


def test_a_nonce_that_is_no_scalar_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    good = hashlib.sha256(b"nonce").digest()
    values = iter([b"k", b"v", b"k", b"v", bytes(32), b"k", b"v", b"\xff" * 32, b"k", b"v", good])
    monkeypatch.setattr(p256, "hmac_sha256", lambda _key, _data: next(values))
    assert next(p256._nonces(bytes(31) + b"\x01", bytes(32))) == good


def test_the_shipped_table_is_what_the_script_makes(tmp_path: Path) -> None:
    made = tmp_path / "comb.bin"
    subprocess.run([sys.executable, str(ROOT / "tools" / "make_comb.py"), str(made)], check=True, timeout=60)
    shipped = (ROOT / "agent" / "wire" / "p256_comb.bin").read_bytes()
    assert len(shipped) == 16320
    assert made.read_bytes() == shipped
