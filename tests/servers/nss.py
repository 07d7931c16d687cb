"""A certificate store as Debian's upsd takes it (NSS), with a certificate of an authority of our own."""

from __future__ import annotations

import datetime as dt
import subprocess
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from tests.servers.programs import unpacked, unpacked_environment

NICKNAME = "upsd"
_FROM = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
_TO = _FROM + dt.timedelta(days=20_000)


class Authority(NamedTuple):
    """An authority's key and certificate."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)


def authority(name: str = "prueba") -> Authority:
    """Return a new authority."""
    key = _key()
    return Authority(key, _certificate(name, key, name, key, x509.BasicConstraints(True, None)))


def fill(folder: Path, issuer: Authority, host: str) -> None:
    """Make a store in ``folder`` with a certificate for ``host``, without a password."""
    key = _key()
    mine = _certificate(host, key, "prueba", issuer.key, x509.BasicConstraints(False, None))
    secret = serialization.BestAvailableEncryption(b"x")
    bundle = folder / "upsd.p12"
    bundle.write_bytes(
        pkcs12.serialize_key_and_certificates(NICKNAME.encode(), key, mine, [issuer.certificate], secret)
    )
    store = f"sql:{folder}"
    for command in (
        ["certutil", "-N", "-d", store, "--empty-password"],
        ["pk12util", "-i", str(bundle), "-d", store, "-W", "x", "-K", ""],
    ):
        program = unpacked("usr/bin/" + command[0])
        subprocess.run([program, *command[1:]], env=unpacked_environment(), check=True, capture_output=True)


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def _certificate(
    name: str,
    key: rsa.RSAPrivateKey,
    issuer: str,
    issuer_key: rsa.RSAPrivateKey,
    limits: x509.BasicConstraints,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(_TO)
        .add_extension(limits, critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    )
    return builder.sign(issuer_key, hashes.SHA256())
