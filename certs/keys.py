"""P-256 keys: their names (kid) and their encodings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from agent.wire import cose
from certs import files
from certs.errors import CertsError

if TYPE_CHECKING:
    from pathlib import Path

PrivateKey = ec.EllipticCurvePrivateKey
PublicKey = ec.EllipticCurvePublicKey


def new() -> PrivateKey:
    """Make a fresh P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def spki(key: PublicKey) -> bytes:
    """Encode the public key as SubjectPublicKeyInfo, DER."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def kid(key: PublicKey) -> bytes:
    """Return the key's name on the wire: the first 8 bytes of SHA-256 of its SPKI."""
    return cose.key_id(spki(key))


def private_der(key: PrivateKey) -> bytes:
    """Encode the private key as PKCS #8, DER, in the clear: on a router nobody types a passphrase."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def private_pem(key: PrivateKey) -> bytes:
    """Encode the private key as PKCS #8, PEM, in the clear."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def load(path: Path) -> PrivateKey:
    """Read a P-256 key from PEM; ``CertsError`` for anything else."""
    try:
        key = load_pem_private_key(files.read(path), None)
    except (ValueError, TypeError) as error:
        raise CertsError(f"{path}: not an unencrypted private key in PEM") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise CertsError(f"{path}: not a P-256 key")
    return key
