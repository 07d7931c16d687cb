"""Modbus: a question for input registers and what is heard after it. Pure, without I/O.

On a serial line (Modbus over Serial Line V1.02) a frame is unit, PDU and CRC-16 with the low byte first; on
TCP (Messaging on TCP/IP V1.0b) transaction, 0, length, unit and PDU. An ear takes bytes as they come and
gives the registers once they are whole; what cannot be the answer raises ReaderError, whose reason is the
name of the counter that it belongs to.
"""

import struct

from agent.errors import ReaderError

READ_INPUTS = 4
_REFUSED = 0x80
_MOST_BYTES = 260  # of a frame
# exceptions of a gateway: no way to the unit, or no answer of it
_GATEWAY = (0x0A, 0x0B)
TIMEOUTS, FRAME_ERRORS, EXCEPTIONS = "timeouts", "frame_errors", "exceptions"

# CRC-16 of Modbus (0xA001, reflected), four bits at a time
_CRC = (
    0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401,
    0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400,
)  # fmt: skip


def crc(data: bytes) -> bytes:
    """Return the two bytes of the check sum."""
    value = 0xFFFF
    for byte in data:
        value = value >> 4 ^ _CRC[(value ^ byte) & 15]
        value = value >> 4 ^ _CRC[(value ^ byte >> 4) & 15]
    return bytes([value & 0xFF, value >> 8])


def registers(pdu: bytes, count: int) -> "list[int]":
    """Return the registers of an answer. Raises ReaderError."""
    if pdu[0] == READ_INPUTS | _REFUSED and len(pdu) == 2:  # noqa: PLR2004 (function and code)
        raise ReaderError(TIMEOUTS if pdu[1] in _GATEWAY else EXCEPTIONS, "exception " + str(pdu[1]))
    if pdu[0] != READ_INPUTS or len(pdu) != 2 + 2 * count or pdu[1] != 2 * count:
        raise ReaderError(FRAME_ERRORS, "another answer than was asked for")
    return [pdu[at] << 8 | pdu[at + 1] for at in range(2, len(pdu), 2)]


class RtuEar:
    """Listens on a serial line, where everybody hears everything, some adapters their own voice as well."""

    def __init__(self, unit: int, address: int, count: int, _transaction: int = 0) -> None:
        """Ask for ``count`` registers from ``address`` on, which is below 256."""
        head = struct.pack(">BBHH", unit, READ_INPUTS, address, count)
        self.question = head + crc(head)
        self.echoes = self.strangers = 0
        self._unit = unit
        self._count = count
        self.held = b""

    def take(self, data: bytes) -> "list[int] | None":
        """Return the registers when the answer is whole. Raises ReaderError."""
        self.held += data
        while True:
            size = self._size()
            if not size or len(self.held) < size:
                return None
            frame, self.held = self.held[:size], self.held[size:]
            if frame == self.question:
                self.echoes += 1
            elif crc(frame[:-2]) != frame[-2:]:
                raise ReaderError(FRAME_ERRORS, "wrong check sum")
            elif frame[0] != self._unit:
                self.strangers += 1
            else:
                return registers(frame[1:-2], self._count)

    def _size(self) -> int:
        """Return how long the frame is that has begun, 0 while that is not known."""
        if len(self.held) < 3:  # noqa: PLR2004 (unit, function, number of bytes)
            return 0
        if self.held[:3] == self.question[:3]:  # an answer would have the number of its bytes where a 0 is
            return len(self.question)
        if self.held[1] & _REFUSED:
            return 5
        return 5 + self.held[2]


class TcpEar:
    """Listens to a gateway; an answer to an earlier question is passed over."""

    def __init__(self, unit: int, address: int, count: int, transaction: int = 0) -> None:
        """Ask for ``count`` registers from ``address`` on."""
        self.question = struct.pack(">HHHBBHH", transaction, 0, 6, unit, READ_INPUTS, address, count)
        self.echoes = self.strangers = 0
        self._transaction = transaction
        self._unit = unit
        self._count = count
        self.held = b""

    def take(self, data: bytes) -> "list[int] | None":
        """Return the registers when the answer is whole. Raises ReaderError."""
        self.held += data
        while len(self.held) > 5:  # noqa: PLR2004 (what stands before the length's end)
            transaction, protocol, length = struct.unpack(">HHH", self.held[:6])
            if protocol or not 3 <= length <= _MOST_BYTES - 6:  # noqa: PLR2004 (unit, function and a byte)
                raise ReaderError(FRAME_ERRORS, "no Modbus TCP")
            if len(self.held) < 6 + length:
                break
            frame, self.held = self.held[6 : 6 + length], self.held[6 + length :]
            if transaction != self._transaction:
                continue
            if frame[0] == self._unit:
                return registers(frame[1:], self._count)
            self.strangers += 1
        return None
