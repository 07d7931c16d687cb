"""X.509 certificates as values: who, for what, until when. No files here.

``notBefore`` lies far in the past on purpose: a router without a clock begins in 1970 or at the date of
its newest file, and the TLS library refuses a certificate that is "not yet valid" with no way round it.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from certs import keys
from certs.names import is_address

if TYPE_CHECKING:
    from collections.abc import Sequence

NOT_BEFORE = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
# RFC 5280 4.1.2.5: dates up to 2049 are UTCTime, later ones another type, which small parsers lack
LAST_DAY = dt.datetime(2049, 12, 31, tzinfo=dt.UTC)

SERVER = ExtendedKeyUsageOID.SERVER_AUTH
CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH


@dataclass(frozen=True, slots=True)
class Issuer:
    """An authority's certificate with its private key."""

    certificate: x509.Certificate
    key: keys.PrivateKey


def expiry(now_ms: int, days: int) -> dt.datetime:
    """``days`` from now, not beyond 2049."""
    now = dt.datetime.fromtimestamp(now_ms / 1000, dt.UTC).replace(microsecond=0)
    return min(now + dt.timedelta(days=days), LAST_DAY)


def authority(common_name: str) -> Issuer:
    """Make a new authority, signed by itself, that may issue leaves only."""
    key = keys.new()
    name = _name(common_name)
    usage = _usage(digital_signature=False, key_cert_sign=True)
    builder = (
        _builder(key.public_key(), name, name, LAST_DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return Issuer(builder.sign(key, hashes.SHA256()), key)


def leaf(
    issuer: Issuer,
    public_key: keys.PublicKey,
    common_name: str,
    until: dt.datetime,
    purpose: x509.ObjectIdentifier,
    hosts: Sequence[str] = (),
) -> x509.Certificate:
    """Issue a certificate for TLS, as ``SERVER`` (with the names it answers to) or as ``CLIENT``."""
    builder = (
        _builder(public_key, _name(common_name), issuer.certificate.subject, until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True, key_cert_sign=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
        )
    )
    if hosts:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_alternative(h) for h in hosts]), critical=False
        )
    return builder.sign(issuer.key, hashes.SHA256())


def pem(certificate: x509.Certificate) -> bytes:
    """Encode a certificate in PEM."""
    return certificate.public_bytes(Encoding.PEM)


def der(certificate: x509.Certificate) -> bytes:
    """Encode a certificate in DER, which MicroPython reads without a PEM decoder."""
    return certificate.public_bytes(Encoding.DER)


def _builder(
    key: keys.PublicKey, subject: x509.Name, issuer: x509.Name, until: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(until)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative(host: str) -> x509.GeneralName:
    return x509.IPAddress(ipaddress.ip_address(host)) if is_address(host) else x509.DNSName(host)


def _usage(*, digital_signature: bool, key_cert_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=key_cert_sign,
        encipher_only=False,
        decipher_only=False,
    )
