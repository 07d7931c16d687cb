"""Our envelope against pycose and cryptography, which know nothing of this code."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import cbor2
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pycose.algorithms import HMAC25664, Es256
from pycose.headers import KID, Algorithm
from pycose.keys.curves import P256
from pycose.keys.ec2 import EC2Key
from pycose.keys.symmetric import SymmetricKey
from pycose.messages.cosemessage import CoseMessage
from pycose.messages.mac0message import Mac0Message
from pycose.messages.sign1message import Sign1Message

from agent.wire import cose, mac, p256
from agent.wire.errors import WireError

PRIVATE = hashlib.sha256(b"a device").digest()
TOPIC = "vigia/v1/c/biblioteca-01/data"
ACK_TOPIC = b"vigia/v1/c/biblioteca-01/ack"
PAYLOAD = b"\xa1\x01\x01" * 30
SPKI = p256.spki(PRIVATE)
KID_BYTES = cose.key_id(SPKI)
ACK_KEY = mac.ack_key(bytes(32), KID_BYTES)


def sealed() -> bytes:
    header = cose.protected(cose.ES256, KID_BYTES)
    digest = hashlib.sha256(cose.to_sign(header, TOPIC.encode(), PAYLOAD)).digest()
    return cose.sign1(header, PAYLOAD, p256.sign(PRIVATE, digest))


def public_key() -> ec.EllipticCurvePublicKey:
    key = serialization.load_der_public_key(SPKI)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key


def pycose_key(private: bytes | None = None) -> EC2Key:
    x, y = p256.public_key(PRIVATE)
    return EC2Key(crv=P256, x=x.to_bytes(32, "big"), y=y.to_bytes(32, "big"), d=private or b"")


def members(message: bytes, tag: int) -> list[Any]:
    """Return the envelope's members; inside a tag cbor2 6 makes them immutable, which pycose refuses."""
    assert message[0] == 0xC0 + tag
    envelope = cbor2.loads(message[1:])
    assert isinstance(envelope, list)
    return envelope


def bind(message: CoseMessage, aad: bytes) -> None:
    message.external_aad = aad  # type: ignore[misc]  # pycose gives the property a setter of another name


def test_pycose_verifies_our_frame() -> None:
    message = Sign1Message.from_cose_obj(members(sealed(), 18), allow_unknown_attributes=False)
    assert message.payload == PAYLOAD
    assert message.phdr == {Algorithm: Es256, KID: KID_BYTES}
    assert message.uhdr == {}
    bind(message, TOPIC.encode())
    message.key = pycose_key()
    assert message.verify_signature()
    bind(message, b"vigia/v1/c/biblioteca-01/event")
    assert not message.verify_signature()


def test_we_read_a_frame_of_pycose() -> None:
    theirs = Sign1Message(
        phdr={Algorithm: Es256, KID: KID_BYTES}, payload=PAYLOAD, external_aad=TOPIC.encode()
    )
    theirs.key = pycose_key(PRIVATE)
    kid, header, payload, signature = cose.parse_sign1(theirs.encode())
    assert (kid, payload) == (KID_BYTES, PAYLOAD)
    verify(signature, cose.to_sign(header, TOPIC.encode(), payload))


def verify(signature: bytes, structure: bytes) -> None:
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    public_key().verify(encode_dss_signature(r, s), structure, ec.ECDSA(hashes.SHA256()))


def test_cryptography_verifies_our_frame() -> None:
    _, header, payload, signature = cose.parse_sign1(sealed())
    verify(signature, cose.to_sign(header, TOPIC.encode(), payload))
    with pytest.raises(InvalidSignature):
        verify(signature, cose.to_sign(header, b"elsewhere", payload))


def test_the_kid_is_the_hash_of_the_public_key() -> None:
    der = public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert der == SPKI
    assert hashlib.sha256(der).digest()[:8] == KID_BYTES


def test_pycose_verifies_our_ack() -> None:
    encoded = cose.mac0(ACK_KEY, KID_BYTES, ACK_TOPIC, PAYLOAD)
    message = Mac0Message.from_cose_obj(members(encoded, 17), allow_unknown_attributes=False)
    assert message.payload == PAYLOAD
    assert message.phdr == {Algorithm: HMAC25664, KID: KID_BYTES}
    bind(message, ACK_TOPIC)
    message.key = SymmetricKey(k=ACK_KEY)
    assert message.verify_tag()
    bind(message, ACK_TOPIC + b"x")
    assert not message.verify_tag()


def test_we_open_an_ack_of_pycose() -> None:
    theirs = Mac0Message(phdr={Algorithm: HMAC25664, KID: KID_BYTES}, payload=PAYLOAD, external_aad=ACK_TOPIC)
    theirs.key = SymmetricKey(k=ACK_KEY)
    encoded = theirs.encode()
    assert cose.open_mac0(ACK_KEY, ACK_TOPIC, encoded) == (KID_BYTES, PAYLOAD)
    with pytest.raises(WireError, match="wrong_mac"):
        cose.open_mac0(ACK_KEY, ACK_TOPIC, encoded[:-1] + bytes([encoded[-1] ^ 1]))


@pytest.mark.parametrize("size", [0, 1, 32, 63, 64, 65, 200])
def test_hmac_is_that_of_the_standard_library(size: int) -> None:
    key = bytes(range(size))
    assert mac.hmac_sha256(key, b"data") == hmac.digest(key, b"data", "sha256")
