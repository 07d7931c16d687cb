"""What both directions are judged with: the error of a fault found, the tally, comparisons."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from agent.wire import cbor
from agent.wire.errors import WireError
from tests.fuzz import reference

REFUSED = object()
RARELY = 16  # costly checks are made on about one input in so many, always on the same


class Wrong(AssertionError):  # noqa: N818 - the word of the report
    """The code under test did what it must not."""


@dataclass
class Tally:
    """What was executed. ``parsed``: past the envelope; ``signed``: past the signature or the MAC."""

    executions: int = 0
    parsed: int = 0
    signed: int = 0
    accepted: int = 0
    forged: int = 0  # frames of a right envelope that no enrolled key had signed for that topic
    wrongly_accepted: int = 0
    modes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)


def demand(condition: object, text: str) -> None:
    """Raise Wrong with this text unless the condition holds."""
    if not condition:
        raise Wrong(text)


def rare(data: bytes, one_in: int = RARELY) -> bool:
    """Whether a costly check is due for these bytes."""
    return sum(data) % one_in == 0


def same(left: Any, right: Any) -> bool:
    """Equal in value and in every type; the order of keys does not matter."""
    if type(left) is not type(right):
        return False
    if type(left) is dict:
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if type(left) in {list, tuple}:
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def decoders_agree(data: bytes, production: Any) -> Any:
    """Both decoders of production take what the reference takes, as equal values; return it, or REFUSED.

    What the collector's decoder refuses it has asked ``agent.wire.cbor`` about: that is asked again rarely.
    """
    answer = decoded(data)
    first = repr(answer)
    _agrees("admit.decode", _answer(production, data), first)
    if answer is not REFUSED or rare(data, 4):
        _agrees("agent.wire.cbor", _answer(cbor.decode, data), first)
    if answer is not REFUSED and rare(data):
        _encodes(answer, data)
    return answer


def _agrees(name: str, answer: Any, first: str) -> None:
    other = repr(answer)
    demand(other == first, f"{name} decodes otherwise than the reference: {other:.80} for {first:.80}")


def decoded(data: bytes) -> Any:
    """What the bytes mean to the reference, REFUSED when nothing."""
    return _answer(reference.decode, data)


def _answer(decode: Any, data: bytes) -> Any:
    try:
        return decode(data)
    except reference.Refused:
        return REFUSED
    except WireError as error:
        demand(error.reason == "malformed", f"decoding ended as {error.reason}")
        return REFUSED


def _encodes(value: Any, data: bytes) -> None:
    """The encoder's form is one, is no longer than any other and means the same."""
    encoded = cbor.encode(value)
    demand(same(reference.decode(encoded), value), "encoded to another value")
    demand(len(encoded) <= len(data), "encoded longer than it came")
    demand(cbor.encode(cbor.decode(encoded)) == encoded, "two encodings of one value")
