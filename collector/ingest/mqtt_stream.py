"""The byte stream of a connection: whole packets in, many packets out in one write.

paho keeps the session; it reads a byte at a time and writes packet by packet, which with TLS cost more than
verifying a signature. So this socket reads as much as there is and gives paho one whole packet at a time,
except PUBLISH, nearly all there is, which is taken apart here; and what is ``put`` into it goes out in one
write. MQTT 3.1.1 section 2.2, MQTT 5.0 sections 2.1 and 3.3.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

HANDSHAKE_S = 5.0
_READ = 16_384  # TLS gives no more than a record at once
_PUBLISH_0, _PUBLISH_1 = 0x30, 0x32  # by QoS; the bits for DUP and RETAIN apart
_DUP = 0x08
_PUBLISH_MASK = 0xF6
_MORE = 0x80  # another byte of a length follows
_LENGTH_BYTES = 4


class Publish(NamedTuple):
    """A PUBLISH with QoS 0 or 1: its topic, its message id (0: none) and where its payload begins."""

    topic: bytes
    mid: int
    body: int


class PacketSocket(ssl.SSLSocket):
    """A TLS socket that does not wait long for the handshake and is closed when it fails.

    (paho waits for the keepalive and leaves a socket behind whose handshake failed.) ``recv`` only gives what
    was handed over with ``give``; connection errors are kept until paho asks, so that it finds them itself.
    """

    _held = b""  # read, not yet taken
    _at = 0  # where the next packet begins in it
    _given = b""  # a packet for paho
    _ended: OSError | bytes | None = None  # b"" or the error that paho is to find
    _out = b""  # not yet written

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as the standard library has it
        """Shake hands within ``HANDSHAKE_S``."""
        self.settimeout(HANDSHAKE_S)
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise

    # --- reading ------------------------------------------------------------------------------------

    def next_packet(self) -> bytes | None:
        """Return the next whole packet, None when there is none yet."""
        while True:
            held, at = self._held, self._at
            if at < len(held):
                size = _size(held, at)
                if size is not None and at + size <= len(held):
                    self._at = at + size
                    return held[at : at + size]
            if not self._fill():
                return None

    def has_more(self) -> bool:
        """Whether bytes wait here that no selector will announce."""
        size = _size(self._held, self._at)
        whole = size is not None and self._at + size <= len(self._held)
        return whole or bool(self.pending())

    def give(self, packet: bytes) -> None:
        """Hand a packet to whoever calls ``recv`` next."""
        self._given += packet

    def has_ended(self) -> bool:
        """Whether the connection is over; ``recv`` says how."""
        return self._ended is not None

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:  # noqa: ARG002 - as the standard library has it
        """Return bytes of a packet that was given."""
        if self._given:
            taken, self._given = self._given[:buflen], self._given[buflen:]
            return taken
        if isinstance(self._ended, OSError):
            raise self._ended
        if self._ended is not None:
            return self._ended
        raise BlockingIOError

    def _fill(self) -> bool:
        if self._ended is not None:
            return False
        try:
            data = self.read(_READ)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError as error:
            self._ended = error
            return False
        if not data:
            self._ended = b""
            return False
        self._held, self._at = self._held[self._at :] + data, 0
        return True

    # --- writing ------------------------------------------------------------------------------------

    def put(self, packets: Iterable[bytes]) -> None:
        """Add packets to what ``flush`` writes."""
        self._out += b"".join(packets)

    def send(self, data: bytes, flags: int = 0) -> int:  # type: ignore[override]  # noqa: ARG002 - paho sends bytes
        """Take all of it, behind what was put before; raises what the connection raises."""
        self._out += data
        self._write()
        return len(data)

    def flush(self) -> bool:
        """Write what can be written; True when nothing is left. A lost connection shows when reading."""
        try:
            self._write()
        except OSError as error:
            self._ended, self._out = error, b""
        return not self._out

    def _write(self) -> None:
        while self._out:
            try:
                self._out = self._out[super().send(self._out) :]
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return


def _size(held: bytes, at: int) -> int | None:
    """Return the size of the packet that begins at ``at``, None when its length is not complete yet."""
    length = 0
    if at + 2 < len(held) and held[at + 1] & _MORE and not held[at + 2] & _MORE:  # nearly all there are
        return 3 + (held[at + 1] & 0x7F) + (held[at + 2] << 7)
    for number in range(1, _LENGTH_BYTES + 1):
        if at + number >= len(held):
            return None
        byte = held[at + number]
        length |= (byte & 0x7F) << 7 * (number - 1)
        if not byte & _MORE:
            return 1 + number + length
    return 1 + _LENGTH_BYTES + length  # not MQTT; whoever is given the packet says so


def read_publish(packet: bytes, *, with_properties: bool) -> Publish | None:
    """Take a PUBLISH with QoS 0 or 1 apart; None when it is another packet, or one that paho should judge.

    Whatever a device can make the broker pass on is taken here: an unusual one must cost no more.
    """
    kind = packet[0] & _PUBLISH_MASK
    if kind not in {_PUBLISH_0, _PUBLISH_1}:
        return None
    at = 2
    while packet[at - 1] & _MORE:
        at += 1
    end = at + 2 + int.from_bytes(packet[at : at + 2], "big")
    body = end + kind - _PUBLISH_0  # the message id has two bytes
    if with_properties:
        size = _size(
            packet, body - 1
        )  # properties begin with a length, as what follows a packet's first byte
        if size is None:
            return None
        body += size - 1
    if body > len(packet):
        return None
    return Publish(packet[at + 2 : end], int.from_bytes(packet[end : end + kind - _PUBLISH_0], "big"), body)


def is_duplicate(packet: bytes) -> bool:
    """Whether the broker sent this PUBLISH before (the DUP flag, MQTT 3.1.1 section 3.3.1.1)."""
    return bool(packet[0] & _DUP)


def puback(mid: int) -> bytes:
    """Return a PUBACK that says success."""
    return b"\x40\x02" + mid.to_bytes(2, "big")


def publish(topic: str, payload: bytes, *, with_properties: bool) -> bytes:
    """Return a PUBLISH with QoS 0."""
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name + (b"\0" if with_properties else b"") + payload
    length, head = len(body), bytearray(b"\x30")
    while length >= _MORE:
        head.append(length % _MORE | _MORE)
        length >>= 7
    head.append(length)
    return bytes(head) + body
