"""What the newest seqs of an incarnation held, in 272 bytes: whether a seq comes again with other content.

The head (highest seq and its uptime) and four bytes of digest of each of the last ``WINDOW`` seqs are kept
with the incarnation, so that a restart forgets nothing. A device that resends has at most half as many frames
outstanding. Below the window uptime still tells: within one run it only grows with the seq, so that a lower
seq sealed at a later uptime is another run under the same incarnation (a device whose random numbers repeat).
A device that forges its own past within these bounds deceives only itself: what came first stays.
"""

from __future__ import annotations

import struct

WINDOW = 64
_HEAD = struct.Struct(">QQ")  # highest seq, its uptime
_BYTES = 4  # of a digest; all zero: not known
_NONE = bytes(_BYTES)


def head_uptime_ms(tail: bytes) -> int | None:
    """Return the uptime at which the newest frame was sealed, None when there was none."""
    return int(_HEAD.unpack_from(tail)[1]) if tail else None


def note(tail: bytes, seq: int, uptime_ms: int, digest: bytes) -> bytes:
    """Return the tail with one more frame; those older than the window leave no trace."""
    head, head_ms = _HEAD.unpack_from(tail) if tail else (seq, uptime_ms)
    marks = bytearray(tail[_HEAD.size :] or WINDOW * _NONE)
    if seq <= head - WINDOW:
        return tail
    for passed in range(head + 1, min(seq, head + WINDOW) + 1):
        _set(marks, passed, _NONE)
    if seq - head > WINDOW:
        marks = bytearray(WINDOW * _NONE)
    _set(marks, seq, _mark(digest))
    if seq >= head:
        head, head_ms = seq, uptime_ms
    return _HEAD.pack(head, head_ms) + marks


def differs(tail: bytes, seq: int, uptime_ms: int, digest: bytes) -> bool:
    """Whether a seq that came before held something else, as far as can be told."""
    if not tail:
        return False
    head, head_ms = _HEAD.unpack_from(tail)
    if seq < head and uptime_ms > head_ms:
        return True
    at = _HEAD.size + seq % WINDOW * _BYTES
    known = tail[at : at + _BYTES]
    return head - WINDOW < seq <= head and known not in {_NONE, _mark(digest)}


def _set(marks: bytearray, seq: int, mark: bytes) -> None:
    at = seq % WINDOW * _BYTES
    marks[at : at + _BYTES] = mark


def _mark(digest: bytes) -> bytes:
    """Return the first bytes of a digest, never all zero."""
    mark = digest[:_BYTES]
    return mark if mark != _NONE else b"\x00\x00\x00\x01"
