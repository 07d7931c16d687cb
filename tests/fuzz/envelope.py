"""Messages in every envelope an attacker may think of, and what was really signed.

``STYLES`` are ways to wrap and sign a payload: the first is the only right one, ``high_s`` is the second
valid signature that ECDSA has for every message, all others must be refused. ``EDITS`` change a message
after it was signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.fuzz.keys import ORDER, Pair

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_BYTES = 65536
MAX_ACK_BYTES = 4096
_HEADER_TO_KID = b"\xa2\x01\x26\x04\x48"


@dataclass(frozen=True)
class Statement:
    """What a signature says: this key, on this topic, these bytes."""

    kid: bytes
    topic: str
    payload: bytes
    signature: bytes


def bstr(data: bytes, width: int = 0) -> bytes:
    """A byte string; ``width`` bytes of length at least."""
    size = len(data)
    least = 0 if size < 24 else 1 if size < 256 else 2 if size < 65536 else 4
    width = max(width, least)
    if not width:
        return bytes([0x40 | size]) + data
    return bytes([0x57 + width.bit_length()]) + size.to_bytes(width, "big") + data


def structure(header: bytes, aad: bytes, payload: bytes, context: bytes = b"\x6aSignature1") -> bytes:
    """The Sig_structure of RFC 9052."""
    return b"\x84" + context + bstr(header) + bstr(aad) + bstr(payload)


@dataclass
class Draft:
    """A frame about to be wrapped: all that a style may change."""

    pair: Pair
    kid: bytes
    topic: str
    payload: bytes

    def __post_init__(self) -> None:
        self.header = _HEADER_TO_KID + self.kid
        self.signed: Statement | None = None

    def sign(self, **other: bytes) -> bytes:
        """r and s over the structure; nothing is stated when a part of it is another."""
        parts = {"header": self.header, "aad": self.topic.encode(), "payload": self.payload}
        r, s = self.pair.sign(structure(**(parts | other)))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        if not other and self.kid == self.pair.kid and self.header == _HEADER_TO_KID + self.kid:
            self.signed = Statement(self.kid, self.topic, self.payload, signature)
        return signature

    def wrap(self, proof: bytes, **parts: bytes) -> bytes:
        """The message, with some of its encoded parts replaced."""
        usual = {
            "start": b"\xd2\x84",
            "header": bstr(self.header),
            "unprotected": b"\xa0",
            "payload": bstr(self.payload),
            "signature": bstr(proof),
            "end": b"",
        }
        return b"".join((usual | parts).values())


def _with(**parts: bytes) -> Callable[[Draft], bytes]:
    return lambda draft: draft.wrap(draft.sign(), **parts)


def _signing(**other: bytes) -> Callable[[Draft], bytes]:
    return lambda draft: draft.wrap(draft.sign(**other))


def _header(change: Callable[[bytes], bytes]) -> Callable[[Draft], bytes]:
    """Another protected header, honestly signed."""

    def style(draft: Draft) -> bytes:
        draft.header = change(draft.kid)
        return draft.wrap(draft.sign())

    return style


def _signature(change: Callable[[int, int], bytes]) -> Callable[[Draft], bytes]:
    def style(draft: Draft) -> bytes:
        signature = draft.sign()
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        return draft.wrap(change(r, s))

    return style


def _pair(r: int, s: int) -> bytes:
    return (r % (1 << 256)).to_bytes(32, "big") + (s % (1 << 256)).to_bytes(32, "big")


STYLES: dict[str, Callable[[Draft], bytes]] = {
    "right": _with(),
    "high_s": _signature(lambda r, s: _pair(r, ORDER - s)),
    "no_tag": _with(start=b"\x84"),
    "long_tag": _with(start=b"\xd8\x12\x84"),
    "mac0_tag": _with(start=b"\xd1\x84"),
    "sign_tag": _with(start=b"\xd8\x62\x84"),
    "twice_tagged": _with(start=b"\xd2\xd2\x84"),
    "indefinite_array": _with(start=b"\xd2\x9f", end=b"\xff"),
    "long_array": _with(start=b"\xd2\x98\x04"),
    "five": _with(start=b"\xd2\x85", end=b"\xf6"),
    "unprotected_kid": lambda d: d.wrap(d.sign(), unprotected=b"\xa1\x04" + bstr(d.kid)),
    "unprotected_bytes": _with(unprotected=b"\x40"),
    "unprotected_indefinite": _with(unprotected=b"\xbf\xff"),
    "header_reordered": _header(lambda kid: b"\xa2\x04" + bstr(kid) + b"\x01\x26"),
    "header_long_algorithm": _header(lambda kid: b"\xa2\x01\x38\x06\x04" + bstr(kid)),
    "header_other_algorithm": _header(lambda kid: b"\xa2\x01\x27\x04" + bstr(kid)),
    "header_critical": _header(lambda kid: b"\xa3\x01\x26\x02\x81\x01\x04" + bstr(kid)),
    "header_short_kid": _header(lambda kid: b"\xa2\x01\x26\x04" + bstr(kid[:7])),
    "header_empty": _header(lambda _: b""),
    "header_long_head": lambda d: d.wrap(d.sign(), header=bstr(d.header, 1)),
    "header_map": lambda d: d.wrap(d.sign(), header=d.header),
    "payload_long_head": lambda d: d.wrap(d.sign(), payload=bstr(d.payload, 4)),
    "payload_longest_head": lambda d: d.wrap(d.sign(), payload=bstr(d.payload, 8)),
    "payload_nil": _with(payload=b"\xf6"),
    "payload_indefinite": lambda d: d.wrap(d.sign(), payload=b"\x5f" + bstr(d.payload) + b"\xff"),
    "payload_detached": _with(payload=b"\x40"),
    "payload_other": lambda d: d.wrap(d.sign(), payload=bstr(d.payload + b"\x00")),
    "signature_long_head": lambda d: d.wrap(b"", signature=bstr(d.sign(), 2)),
    "signature_short": lambda d: d.wrap(d.sign()[:63]),
    "signature_long": lambda d: d.wrap(d.sign() + b"\x00"),
    "signature_der": _signature(encode_dss_signature),
    "signature_zero": _signature(lambda _r, _s: bytes(64)),
    "signature_zero_s": _signature(lambda r, _s: _pair(r, 0)),
    "signature_order": _signature(lambda _r, _s: _pair(ORDER, ORDER)),
    "signature_swapped": _signature(lambda r, s: _pair(s, r)),
    "signature_plus_order": _signature(lambda r, s: _pair(r + ORDER, s)),
    "no_aad": _signing(aad=b""),
    "other_context": _signing(context=b"\x69Signature"),
    "bare_payload": lambda d: d.wrap(b"".join(x.to_bytes(32, "big") for x in d.pair.sign(d.payload))),
    "trailing": _with(end=b"\x00"),
    "oversized": _with(end=bytes(MAX_BYTES)),
}


def second(signed: Statement) -> Statement:
    """The other signature that says the same (n - s for s)."""
    s = ORDER - int.from_bytes(signed.signature[32:], "big")
    return Statement(signed.kid, signed.topic, signed.payload, signed.signature[:32] + s.to_bytes(32, "big"))


def opened(message: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Return (kid, payload, signature) when the envelope is the one that WIRE.md allows."""
    if message[:2] != b"\xd2\x84":
        return None
    try:
        header, unprotected, payload, signature = cbor2.loads(message).value
    except Exception:  # noqa: BLE001 - hostile bytes
        return None
    if not all(type(part) is bytes for part in (header, payload, signature)) or unprotected != {}:
        return None
    if header[:5] != _HEADER_TO_KID or len(header) != 13 or len(signature) != 64:
        return None
    again = b"\xd2\x84" + bstr(header) + b"\xa0" + bstr(payload) + bstr(signature)
    return (header[5:], payload, signature) if again == message else None


# --- changes after signing -----------------------------------------------------------------------


def _xor(message: bytearray, at: int, value: int) -> None:
    message[at % len(message)] ^= value


def _set(message: bytearray, at: int, value: int) -> None:
    message[at % len(message)] = value


def _insert(message: bytearray, at: int, value: int) -> None:
    message.insert(at % (len(message) + 1), value)


def _delete(message: bytearray, at: int, value: int) -> None:
    at %= len(message)
    del message[at : at + value % 8]


def _truncate(message: bytearray, at: int, _value: int) -> None:
    del message[at % len(message) :]


def _repeat(message: bytearray, at: int, value: int) -> None:
    at %= len(message)
    message[at:at] = message[at : at + value]


def _flip_signature(message: bytearray, at: int, value: int) -> None:
    message[-1 - at % min(64, len(message))] ^= 1 << value % 8


def _flip_payload(message: bytearray, at: int, value: int) -> None:
    inside = max(1, len(message) - 66 - 19)
    message[min(19 + at % inside, len(message) - 1)] ^= 1 << value % 8


def _flip_header(message: bytearray, at: int, value: int) -> None:
    message[min(at % 19, len(message) - 1)] ^= 1 << value % 8


EDITS: tuple[Any, ...] = (
    None, _xor, _set, _insert, _delete, _truncate, _repeat, _flip_signature, _flip_payload, _flip_header,
)  # fmt: skip
