"""DNS for one question: the addresses of a name (RFC 1035). No I/O.

A resolver's answer holds the whole chain of aliases, so every address record of the answer section counts; a
wrong one costs an attempt to connect, for the broker has to prove its name in the TLS handshake.
"""

from agent.errors import LinkError

A = 1
AAAA = 28
_IN = b"\x00\x01"
_SIZES = {A: 4, AAAA: 16}
_HEAD = 12
_MAX_NAME = 253
_MAX_LABEL = 63
_MAX_ADDRESSES = 8
_RESPONSE = 0x80
_CODE = 0x0F
_NO_SUCH_NAME = 3
_POINTER = 0xC0


def query(number: int, name: str, kind: int) -> bytes:
    """Return the question with a 16-bit number. Raises LinkError ``bad_name``."""
    labels = (name[:-1] if name.endswith(".") else name).split(".")
    good = len(name) <= _MAX_NAME and all(0 < len(label.encode()) <= _MAX_LABEL for label in labels)
    if not good:
        raise LinkError("bad_name", "no name of a host: " + name)
    parts = [bytes((len(label.encode()),)) + label.encode() for label in labels]
    head = number.to_bytes(2, "big") + b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"  # recursion desired
    return head + b"".join(parts) + b"\x00" + kind.to_bytes(2, "big") + _IN


def answer(asked: bytes, data: bytes) -> "list[bytes] | None":
    """Return the addresses (4 or 16 bytes) of a datagram; None when it is no answer to this question.

    Raises LinkError ``no_such_name`` when the server knows that there is none, ``dns_failed`` when it failed.
    """
    end = len(asked)
    ours = (
        data[:2] == asked[:2] and data[4:6] == asked[4:6] and data[_HEAD:end].lower() == asked[_HEAD:].lower()
    )
    if not ours or len(data) < end or not data[2] & _RESPONSE:
        return None
    code = data[3] & _CODE
    if code == _NO_SUCH_NAME:
        raise LinkError("no_such_name", "the name server knows no such name")
    if code:
        raise LinkError("dns_failed", "the name server answers with code " + str(code))
    return _addresses(data, end, int.from_bytes(data[6:8], "big"), int.from_bytes(asked[-4:-2], "big"))


def _addresses(data: bytes, at: int, count: int, kind: int) -> list[bytes]:
    """Return the addresses among ``count`` records from ``at``; what is cut off ends the list."""
    found: list[bytes] = []
    while count > 0 and len(found) < _MAX_ADDRESSES:
        count -= 1
        at = _after_name(data, at)
        size = int.from_bytes(data[at + 8 : at + 10], "big")
        if at + 10 + size > len(data):
            break
        of_kind = int.from_bytes(data[at : at + 2], "big") == kind and data[at + 2 : at + 4] == _IN
        if of_kind and size == _SIZES[kind]:
            found.append(data[at + 10 : at + 10 + size])
        at += 10 + size
    return found


def _after_name(data: bytes, at: int) -> int:
    """Return where a record's name ends; beyond the data when it has no end."""
    while at < len(data):
        size = data[at]
        if size >= _POINTER:
            return at + 2
        if not size:
            return at + 1
        at += 1 + size
    return len(data) + 1
