"""MQTT packets: the bytes of the standard's examples, and every way a broker can be wrong."""

from agent.errors import LinkError
from agent.transport import mqtt_codec as codec

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def refused(reason: str, function: "Callable[..., Any]", *arguments: "Any") -> None:
    """Assert that the call raises LinkError with this reason."""
    try:
        result = function(*arguments)
    except LinkError as error:
        assert error.reason == reason, (reason, str(error))
        return
    raise AssertionError("not refused as " + reason + ": " + repr(result))


def decoded(data: bytes, step: int = 0) -> "list[Any]":
    """Return the packets in ``data``, given whole or ``step`` bytes at a time."""
    decoder = codec.Decoder()
    packets = []
    for at in range(0, len(data), step or len(data)):
        packets.extend(decoder.feed(data[at : at + (step or len(data))]))
    return packets


def test_what_a_device_says():
    assert codec.connect("mx-001", 20, "w/t", b"bye") == (
        b"\x10\x1c\x00\x04MQTT\x04\x0e\x00\x14\x00\x06mx-001\x00\x03w/t\x00\x03bye"
    )
    assert codec.subscribe(10, [("a/b", 1), ("c/d", 0)]) == b"\x82\x0e\x00\x0a\x00\x03a/b\x01\x00\x03c/d\x00"
    assert codec.publish_head(10, "a/b", 2) + b"xy" == b"\x32\x09\x00\x03a/b\x00\x0axy"
    assert codec.puback(0x1234) == b"\x40\x02\x12\x34"
    assert codec.PINGREQ + codec.DISCONNECT == b"\xc0\x00\xe0\x00"


def test_lengths():
    """The limits of table 2.4 of the standard."""
    cases = ((0, "00"), (127, "7f"), (128, "8001"), (16383, "ff7f"), (16384, "808001"),
             (2097151, "ffff7f"), (2097152, "80808001"), (268435455, "ffffff7f"))  # fmt: skip
    for number, text in cases:
        assert codec.length(number) == bytes.fromhex(text)
    refused("oversized_packet", codec.length, 268435456)
    refused("oversized_packet", codec.connect, "c", 1, "t", bytes(65536))


WHOLE = (
    b"\x20\x02\x00\x00" b"\x20\x02\x00\x05" b"\x90\x04\x00\x0a\x01\x80" b"\x40\x02\x12\x34" b"\xd0\x00"
    b"\x30\x07\x00\x03a/bxy" b"\x32\x09\x00\x03a/b\x00\x0axy" b"\x3b\x07\x00\x03a/b\x00\x0a"
)  # fmt: skip
PACKETS = [
    (codec.CONNACK, 0), (codec.CONNACK, 5), (codec.SUBACK, (10, b"\x01\x80")), (codec.PUBACK, 0x1234),
    (codec.PINGRESP, None), (codec.PUBLISH, ("a/b", b"xy", 0)), (codec.PUBLISH, ("a/b", b"xy", 10)),
    (codec.PUBLISH, ("a/b", b"", 10)),
]  # fmt: skip


def test_what_a_broker_says_in_pieces_of_any_size():
    for step in (0, 1, 2, 3, 5, 7):
        assert decoded(WHOLE, step) == PACKETS, step


def test_what_is_cut_off_is_waited_for():
    for end in range(1, 4):
        assert decoded(b"\x40\x02\x12\x34"[:end]) == []


BAD = (
    ("unexpected_packet", "0000"),  # reserved
    ("unexpected_packet", "1000"),  # CONNECT
    ("unexpected_packet", "50020001"),  # PUBREC
    ("unexpected_packet", "82020001"),  # SUBSCRIBE
    ("unexpected_packet", "b0020001"),  # UNSUBACK: nothing is unsubscribed
    ("unexpected_packet", "c000"),  # PINGREQ
    ("unexpected_packet", "e000"),  # DISCONNECT
    ("unexpected_packet", "f000"),  # AUTH of MQTT 5
    ("unexpected_packet", "3406000161000178"),  # QoS 2
    ("unexpected_packet", "3606000161000178"),  # QoS 3
    ("malformed_packet", "41020001"),  # flags of PUBACK
    ("malformed_packet", "d100"),  # flags of PINGRESP
    ("malformed_packet", "2f020000"),  # flags of CONNACK
    ("malformed_packet", "20020100"),  # a session that a clean one cannot have
    ("malformed_packet", "200100"),  # CONNACK cut
    ("malformed_packet", "2003000000"),  # CONNACK with more
    ("malformed_packet", "40020000"),  # id 0
    ("malformed_packet", "400101"),  # half an id
    ("malformed_packet", "4003000100"),  # more than an id
    ("malformed_packet", "90020001"),  # SUBACK without a code
    ("malformed_packet", "9003000103"),  # QoS 3 granted
    ("malformed_packet", "9003000001"),  # SUBACK with id 0
    ("malformed_packet", "d00100"),  # PINGRESP with a body
    ("malformed_packet", "3000"),  # a message of nothing
    ("malformed_packet", "300100"),  # half a length
    ("malformed_packet", "3003000561"),  # shorter than its topic
    ("malformed_packet", "3203000161"),  # no id
    ("malformed_packet", "32050001610000"),  # id 0
    ("malformed_packet", "30020000"),  # an empty topic
    ("malformed_packet", "30040002fffe"),  # not UTF-8
    ("malformed_packet", "3004000261ff"),  # not UTF-8 in its second half
    ("malformed_packet", "300400026100"),  # a zero in the topic
    ("malformed_packet", "30050003612f2b"),  # a wildcard
    ("malformed_packet", "30050003612f23"),  # the other
    ("malformed_packet", "308080808001"),  # a length of five bytes
    ("oversized_packet", "40ffffff7f"),  # a PUBACK of 256 MiB
    ("oversized_packet", "20814e"),  # a CONNACK of 10,000
)


def test_what_no_broker_says():
    for reason, text in BAD:
        refused(reason, decoded, bytes.fromhex(text))
        refused(reason, decoded, bytes.fromhex(text), 1)


def test_a_long_message_is_skipped_whatever_the_pieces():
    body = b"\x00\x03a/b\x00\x07" + bytes(9993)
    data = b"\x32" + codec.length(len(body)) + body + b"\xd0\x00"
    for step in (0, 1, 100, 4096):
        assert decoded(data, step) == [(codec.SKIPPED, 7), (codec.PINGRESP, None)], step
    assert decoded(b"\x30" + data[1:])[0] == (codec.SKIPPED, 0)


def test_the_longest_message_that_is_kept():
    body = b"\x00\x01a" + bytes(codec.MAX_PACKET - 3 - 3)
    data = b"\x30" + codec.length(len(body)) + body
    assert len(data) == codec.MAX_PACKET
    assert decoded(data, 1000)[0][0] == codec.PUBLISH
    longer = b"\x30" + codec.length(len(body) + 1) + body + b"x"
    assert decoded(longer, 1000)[0][0] == codec.SKIPPED
