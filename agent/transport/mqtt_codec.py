"""MQTT 3.1.1 as a device speaks it: packets to bytes, bytes to packets. No I/O, no state but the decoder's.

A device sends CONNECT, SUBSCRIBE, PUBLISH (QoS 1), PUBACK, PINGREQ, DISCONNECT and hears CONNACK, SUBACK,
PUBLISH (QoS 0 and 1), PUBACK, PINGRESP. Everything else, and everything ill-shaped, is the broker's fault: a
LinkError whose reason is ``malformed_packet``, ``unexpected_packet`` or ``oversized_packet``. A PUBLISH that
is too long for this device's memory is skipped instead, so that one message of others' making does not keep
it from its broker for ever. Sections named here are those of the OASIS standard of 29 October 2014.
"""

from agent.errors import LinkError

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

    # (kind, values): CONNACK code; SUBACK (mid, codes); PUBACK mid; PUBLISH (topic, payload, mid or 0);
    # SKIPPED mid or 0; PINGRESP None
    Packet = tuple[int, Any]

CONNACK = 2
PUBLISH = 3
PUBACK = 4
SUBACK = 9
PINGRESP = 13
SKIPPED = 16  # no type of MQTT: a PUBLISH that was too long

PINGREQ = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"

MAX_PACKET = 5120  # of what is kept: an ack has at most 4096 bytes, its topic at most 80
MAX_STRING = 65535
REFUSED = 0x80  # a SUBACK code that is no granted QoS (section 3.9.3)
_MAX_REMAINING = 268_435_455  # section 2.2.3
_LENGTH_BYTES = 4
_CLEAN_SESSION_WILL_QOS1 = 0x02 | 0x04 | 0x08  # section 3.1.2.3; the will is not retained


def connect(client_id: str, keepalive_s: int, will_topic: str, will: bytes) -> bytes:
    """Return CONNECT for a clean session with a will, QoS 1, not retained."""
    head = _string(b"MQTT") + bytes((4, _CLEAN_SESSION_WILL_QOS1)) + _u16(keepalive_s)
    body = head + _string(client_id.encode()) + _string(will_topic.encode()) + _string(will)
    return _packet(0x10, body)


def subscribe(mid: int, subscriptions: list[tuple[str, int]]) -> bytes:
    """Return SUBSCRIBE for (topic filter, QoS)."""
    wanted = [_string(topic.encode()) + bytes((qos,)) for topic, qos in subscriptions]
    return _packet(0x82, _u16(mid) + b"".join(wanted))


def publish_head(mid: int, topic: str, size: int) -> bytes:
    """Return what stands before a payload of ``size`` bytes in a PUBLISH with QoS 1, not retained."""
    head = _string(topic.encode()) + _u16(mid)
    return b"\x32" + length(len(head) + size) + head


def puback(mid: int) -> bytes:
    """Return PUBACK."""
    return b"\x40\x02" + _u16(mid)


def _packet(first: int, body: bytes) -> bytes:
    return bytes((first,)) + length(len(body)) + body


def length(number: int) -> bytes:
    """Return the remaining length of a packet, 7 bits a byte (section 2.2.3)."""
    if number > _MAX_REMAINING:
        raise LinkError("oversized_packet", "a packet of " + str(number) + " bytes")
    out = []
    while number > 0x7F:  # noqa: PLR2004 - 7 bits
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + [number])  # noqa: RUF005 - MicroPython does not unpack in lists


def _string(data: bytes) -> bytes:
    if len(data) > MAX_STRING:
        raise LinkError("oversized_packet", "a string of " + str(len(data)) + " bytes")
    return _u16(len(data)) + data


def _u16(number: int) -> bytes:
    return number.to_bytes(2, "big")


class Decoder:
    """Takes bytes as they come and returns whole packets. After an error it is of no use."""

    def __init__(self, limit: int = MAX_PACKET) -> None:
        """Keep at most ``limit`` bytes of one packet."""
        self._limit = limit
        self._buffer = b""
        self._skip = 0  # bytes to come of a PUBLISH that is too long

    def feed(self, data: bytes) -> "list[Packet]":
        """Return the packets that are whole now. Raises LinkError."""
        if self._skip:
            passed = min(self._skip, len(data))
            self._skip -= passed
            data = data[passed:]
        self._buffer = self._buffer + data if self._buffer else data
        packets: "list[Packet]" = []
        while self._buffer:
            packet = self._next()
            if packet is None:
                break
            packets.append(packet)
        return packets

    def _next(self) -> "Packet | None":
        """Take the first packet off the buffer; None when it is not whole."""
        head = _head(self._buffer)
        if head is None:
            return None
        first, start, end = head
        if end > self._limit:
            return self._too_long(first, start, end)
        if len(self._buffer) < end:
            return None
        body = self._buffer[start:end]
        self._buffer = self._buffer[end:]
        return _parse(first, body)

    def _too_long(self, first: int, start: int, end: int) -> "Packet | None":
        if first >> 4 != PUBLISH:
            raise LinkError("oversized_packet", "a packet of " + str(end) + " bytes")
        have = len(self._buffer)
        if have < self._limit and have < end:
            return None
        _, mid, _ = _parse_publish_head(first, self._buffer[start : self._limit])
        self._skip = max(0, end - have)
        self._buffer = self._buffer[end:]
        return SKIPPED, mid


def _head(data: bytes) -> "tuple[int, int, int] | None":
    """Return (first byte, where the body begins, where it ends), None when more bytes are needed."""
    number = 0
    for at in range(1, 1 + _LENGTH_BYTES):
        if at >= len(data):
            return None
        number |= (data[at] & 0x7F) << 7 * (at - 1)
        if data[at] < 0x80:  # noqa: PLR2004 - the last byte of the length
            return data[0], at + 1, at + 1 + number
    raise LinkError("malformed_packet", "a length of more than four bytes")


def _parse(first: int, body: bytes) -> "Packet":
    kind = first >> 4
    if kind == PUBLISH:
        topic, mid, start = _parse_publish_head(first, body)
        return PUBLISH, (topic, body[start:], mid)
    read = _READERS.get(first)
    if read is None:
        reason = "malformed_packet" if kind in _KINDS else "unexpected_packet"
        raise LinkError(reason, "a packet that begins with " + hex(first))
    return kind, read(body)


def _parse_publish_head(first: int, body: bytes) -> tuple[str, int, int]:
    """Return (topic, message id or 0, where the payload begins) (section 3.3)."""
    qos = first >> 1 & 3
    if qos > 1:
        raise LinkError("unexpected_packet", "a message with QoS " + str(qos) + ", which nobody asked for")
    end = 2 + int.from_bytes(body[:2], "big")
    start = end + 2 * qos
    if len(body) < max(start, 2):
        raise LinkError("malformed_packet", "a message that is shorter than its topic")
    mid = int.from_bytes(body[end:start], "big")
    if qos and not mid:
        raise LinkError("malformed_packet", "a message without an id")
    try:
        topic = body[2:end].decode()
    except UnicodeError:
        raise LinkError("malformed_packet", "a topic that is not UTF-8")
    if not topic or min(topic) < " " or "+" in topic or "#" in topic:
        raise LinkError("malformed_packet", "a topic that is none")
    return topic, mid, start


def _connack(body: bytes) -> int:
    """Return the code, 0 for accepted (section 3.2); a clean session has no past."""
    if len(body) != 2 or body[0] != 0:  # noqa: PLR2004 - flags, code
        raise LinkError("malformed_packet", "CONNACK")
    return body[1]


def _suback(body: bytes) -> "tuple[int, bytes]":
    if len(body) < 3 or [code for code in body[2:] if code not in _CODES]:  # noqa: PLR2004 - id, a code
        raise LinkError("malformed_packet", "SUBACK")
    return _mid(body[:2]), body[2:]


def _mid(body: bytes) -> int:
    mid = int.from_bytes(body, "big")
    if len(body) != 2 or not mid:  # noqa: PLR2004 - 16 bits
        raise LinkError("malformed_packet", "a message id")
    return mid


def _nothing(body: bytes) -> None:
    if body:
        raise LinkError("malformed_packet", "PINGRESP")


_CODES = (0, 1, 2, REFUSED)
_READERS: "dict[int, Any]" = {
    CONNACK << 4: _connack,
    PUBACK << 4: _mid,
    SUBACK << 4: _suback,
    PINGRESP << 4: _nothing,
}
_KINDS = (CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP)
