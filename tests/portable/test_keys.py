"""The device's key as ``vigia-certs`` and openssl write it, and the signer on it."""

from agent.errors import ConfigError
from agent.key_der import scalar
from agent.signer import Signer
from agent.wire import p256

SECRET = bytes(range(1, 33))
P256 = bytes.fromhex("06082a8648ce3d030107")
PUBLIC = b"\xa1\x44\x03\x42\x00\x04" + bytes(64)


def tlv(tag: int, data: bytes) -> bytes:
    """Encode one element."""
    size = len(data)
    return bytes((tag, size)) + data if size < 128 else bytes((tag, 0x81, size)) + data


def sec1(secret: bytes = SECRET, curve: bytes = P256) -> bytes:
    """Encode an ECPrivateKey that names its curve."""
    return tlv(0x30, b"\x02\x01\x01" + tlv(4, secret) + tlv(0xA0, curve) + PUBLIC)


def pkcs8(secret: bytes = SECRET, curve: bytes = P256) -> bytes:
    """Encode a PrivateKeyInfo."""
    inner = tlv(0x30, b"\x02\x01\x01" + tlv(4, secret) + PUBLIC)
    algorithm = tlv(0x30, bytes.fromhex("06072a8648ce3d0201") + curve)
    return tlv(0x30, b"\x02\x01\x00" + algorithm + tlv(4, inner))


def bad(der: bytes) -> bool:
    """Tell whether a key is refused as it should be."""
    try:
        Signer(der)
    except ConfigError as error:
        return error.reason == "bad_key"
    return False


def test_both_forms_are_read():
    assert scalar(pkcs8()) == scalar(sec1()) == SECRET


def test_anything_else_is_refused():
    other = bytes.fromhex("06052b81040022")  # secp384r1
    wrong = [
        b"",
        b"\x30",
        b"-----BEGIN",
        pkcs8(curve=other),
        sec1(curve=other),
        pkcs8(bytes(31)),
        sec1(bytes(32)),
    ]
    wrong += [pkcs8(b"\xff" * 32), pkcs8() + b"\x00", sec1() + b"\x00", b"\x30\x80" + pkcs8()[2:]]
    for der in (pkcs8(), sec1()):
        wrong += [der[:end] for end in range(len(der))]
    for der in wrong:
        assert bad(der), der


async def test_it_signs_as_the_plain_function_does():
    import hashlib

    signer = Signer(pkcs8())
    assert signer.kid == hashlib.sha256(p256.spki(SECRET)).digest()[:8]
    digest = hashlib.sha256(b"a frame").digest()
    assert await signer.sign(digest) == p256.sign(SECRET, digest)
