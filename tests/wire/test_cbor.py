"""Our CBOR against cbor2, on whatever hypothesis thinks of."""

from __future__ import annotations

import math
from typing import Any

import cbor2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.wire import cbor
from agent.wire.errors import WireError

NUMBERS = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.floats(allow_nan=False, allow_infinity=False, width=16),
)
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, FLOATS, st.text(max_size=40), st.binary(max_size=300))
KEYS = st.one_of(st.integers(0, 300), st.text(max_size=20))


def nested(depth: int) -> st.SearchStrategy[Any]:
    if not depth:
        return LEAVES
    inner = nested(depth - 1)
    keys = st.one_of(st.just(st.integers(-300, 300)), st.just(st.text(max_size=20)))
    maps = keys.flatmap(lambda kind: st.dictionaries(kind, inner, max_size=4))
    return st.one_of(LEAVES, st.lists(inner, max_size=4), maps)


VALUES = nested(3)


def alike(left: Any, right: Any) -> bool:
    """Equal with the same types and signs of zero."""
    if type(left) is not type(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(map(alike, left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(alike(left[key], right[key]) for key in left)
    if isinstance(left, float):
        return left == right and math.copysign(1, left) == math.copysign(1, right)
    return bool(left == right)


@given(VALUES)
@example(-0.0)
@example(2.0**-24)
@example(2.0**-149)
def test_encoding_is_that_of_cbor2(value: Any) -> None:
    # cbor2's canonical order is by length first (RFC 7049); for maps with keys of one type it is the same
    ours = cbor.encode(value)
    assert alike(cbor2.loads(ours), value)
    if not _mixes_signs(value):
        assert ours == cbor2.dumps(value, canonical=True)


def _mixes_signs(value: Any) -> bool:
    """Integer keys of both signs: bytewise order puts 300 before -1, length first the other way round."""
    if isinstance(value, list):
        return any(map(_mixes_signs, value))
    if isinstance(value, dict):
        return any(isinstance(key, int) and key < 0 for key in value) or any(
            map(_mixes_signs, value.values())
        )
    return False


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(WireError, match="unencodable"):
        cbor.encode(["\ud800"])


@given(VALUES)
def test_what_was_encoded_is_decoded(value: Any) -> None:
    assert alike(cbor.decode(cbor.encode(value)), value)
    assert alike(cbor.decode(cbor2.dumps(value)), value)


@given(st.binary(max_size=40))
def test_arbitrary_bytes_are_decoded_like_cbor2_or_refused(data: bytes) -> None:
    try:
        value = cbor.decode(data)
    except WireError as error:
        assert error.reason == "malformed"  # noqa: PT017 - most of the examples are refused
    else:
        assert alike(cbor2.loads(data), value)


@given(VALUES, st.data())
def test_every_cut_is_refused(value: Any, data: st.DataObject) -> None:
    encoded = cbor.encode(value)
    length = data.draw(st.integers(0, len(encoded) - 1))
    with pytest.raises(WireError, match="malformed"):
        cbor.decode(encoded[:length])


@given(VALUES, st.binary(min_size=1, max_size=4))
def test_bytes_behind_are_refused(value: Any, behind: bytes) -> None:
    with pytest.raises(WireError, match="malformed"):
        cbor.decode(cbor.encode(value) + behind)
