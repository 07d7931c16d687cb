"""The envelope: one encoding, whatever differs is refused."""

from agent.wire import cbor, cose, mac
from tests.portable.expect import refused

KID = b"\x01\x02\x03\x04\x05\x06\x07\x08"
KEY = b"k" * 32
TOPIC = b"vigia/v1/c/dev/ack"
PROTECTED = cose.protected(cose.ES256, KID)


def _pieces() -> list[bytes]:
    return [b"\xd2\x84", b"\x4d" + PROTECTED, b"\xa0", b"\x43abc", b"\x58\x40" + bytes(64)]


def _with(at: int, piece: bytes) -> bytes:
    pieces = _pieces()
    pieces[at] = piece
    return b"".join(pieces)


def test_hmac_is_that_of_rfc_4231():
    # cases 1, 2 and 6 of RFC 4231 section 4
    cases = (
        (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (b"Jefe", b"what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (b"\xaa" * 131, b"Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
    )  # fmt: skip
    for key, data, tag in cases:
        assert mac.hmac_sha256(key, data) == bytes.fromhex(tag)


def test_equal():
    assert mac.equal(b"ab", b"ab")
    assert not mac.equal(b"ab", b"ac")
    assert not mac.equal(b"ab", b"abc")


def test_the_ack_key_depends_on_secret_and_kid():
    assert mac.ack_key(KEY, KID) == mac.hmac_sha256(KEY, b"vigia ack v1" + KID)
    assert len({mac.ack_key(KEY, KID), mac.ack_key(KEY, bytes(8)), mac.ack_key(bytes(32), KID)}) == 3


def test_a_message_is_read_back():
    assert b"".join(_pieces()) == cose.sign1(PROTECTED, b"abc", bytes(64))
    for size in (0, 1, 23, 24, 255, 256, 60000):
        payload = b"p" * size
        message = cose.sign1(PROTECTED, payload, b"s" * 64)
        assert cose.parse_sign1(message) == (KID, PROTECTED, payload, b"s" * 64)


def test_the_signed_structure_is_cbor():
    structure = cose.to_sign(PROTECTED, TOPIC, b"payload")
    assert cbor.decode(structure) == ["Signature1", PROTECTED, TOPIC, b"payload"]
    assert cbor.decode(PROTECTED) == {1: -7, 4: KID}


def test_other_envelopes_are_malformed():
    wrong = {
        "empty": b"",
        "no tag": b"".join(_pieces())[1:],
        "another tag": _with(0, b"\xd1\x84"),
        "tag in two bytes": _with(0, b"\xd8\x12\x84"),
        "five members": _with(0, b"\xd2\x85") + b"\x40",
        "three members": b"".join([b"\xd2\x83"] + _pieces()[1:4]),
        "indefinite array": _with(0, b"\xd2\x9f") + b"\xff",
        "no protected header": _with(1, b"\x40"),
        "protected header as a map": _with(1, PROTECTED),
        "another algorithm": _with(1, b"\x4e\xa2\x01\x38\x22\x04\x48" + KID),
        "kid first": _with(1, b"\x4d\xa2\x04\x48" + KID + b"\x01\x26"),
        "kid of seven bytes": _with(1, b"\x4c\xa2\x01\x26\x04\x47" + KID[:7]),
        "kid as text": _with(1, b"\x4d\xa2\x01\x26\x04\x68abcdefgh"),
        "a third header": _with(1, b"\x4f\xa3\x01\x26\x03\x00\x04\x48" + KID),
        "long head of the protected header": _with(1, b"\x58\x0d" + PROTECTED),
        "something unprotected": _with(2, b"\xa1\x03\x00"),
        "unprotected null": _with(2, b"\xf6"),
        "no payload": _with(3, b"\xf6"),
        "payload as text": _with(3, b"\x63abc"),
        "long head of the payload": _with(3, b"\x58\x03abc"),
        "payload in pieces": _with(3, b"\x5f\x43abc\xff"),
        "payload of eight bytes of length": _with(3, b"\x5b" + bytes(7) + b"\x03abc"),
        "short signature": _with(4, b"\x58\x3f" + bytes(63)),
        "long signature": _with(4, b"\x58\x41" + bytes(65)),
        "cut signature": b"".join(_pieces())[:-1],
        "bytes behind": b"".join(_pieces()) + b"\x00",
    }
    for name, message in wrong.items():
        try:
            refused("malformed", cose.parse_sign1, message)
        except AssertionError as error:
            raise AssertionError(name + ": " + str(error))


def test_every_cut_is_malformed():
    message = b"".join(_pieces())
    for length in range(len(message)):
        refused("malformed", cose.parse_sign1, message[:length])


def test_the_limit_counts_the_whole_message():
    around = len(cose.sign1(PROTECTED, b"x" * 60000, bytes(64))) - 60000
    message = cose.sign1(PROTECTED, b"x" * (cose.MAX_BYTES - around), bytes(64))
    assert len(message) == cose.MAX_BYTES
    assert cose.parse_sign1(message)[0] == KID
    refused("oversized", cose.sign1, PROTECTED, b"x" * (cose.MAX_BYTES - around + 1), bytes(64))
    refused("oversized", cose.parse_sign1, message + b"\x00")


def test_wrong_parts_are_not_put_together():
    refused("unencodable", cose.protected, cose.ES256, KID[:7])
    refused("unencodable", cose.sign1, PROTECTED, b"", bytes(63))


def test_an_ack_opens_with_its_key_and_topic_only():
    message = cose.mac0(KEY, KID, TOPIC, b"payload")
    assert cose.open_mac0(KEY, TOPIC, message) == (KID, b"payload")
    refused("wrong_mac", cose.open_mac0, b"j" * 32, TOPIC, message)
    refused("wrong_mac", cose.open_mac0, KEY, TOPIC + b"x", message)
    for at in range(len(message)):
        changed = message[:at] + bytes((message[at] ^ 1,)) + message[at + 1 :]
        reason = "wrong_mac" if 8 <= at < 16 or 18 <= at < 25 or at >= 26 else "malformed"
        refused(reason, cose.open_mac0, KEY, TOPIC, changed)


def test_a_signed_frame_is_no_ack():
    refused("malformed", cose.open_mac0, KEY, TOPIC, b"".join(_pieces()))
    refused("malformed", cose.parse_sign1, cose.mac0(KEY, KID, TOPIC, b"abc"))
