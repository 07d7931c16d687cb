"""Whatever arrives, the answer is a value or a WireError with a known reason."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent.wire import cbor, cose, frame, topics
from agent.wire.errors import WireError

REASONS = {"oversized", "bad_topic", "malformed", "bad_payload", "wrong_kind", "wrong_mac"}
VECTORS = Path(__file__).resolve().parent.parent / "vectors" / "wire"
MESSAGES = [
    bytes.fromhex(example["message"])
    for example in json.loads((VECTORS / "frames.json").read_text(encoding="utf-8"))["frames"]
    if example["expect"] == "valid"
]
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(allow_nan=False),
    st.text(max_size=3),
    st.binary(max_size=16),
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(st.integers(0, 14), inner, max_size=14)
    ),
    max_leaves=30,
)


def answer(function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except WireError as error:
        assert error.reason in REASONS, error  # noqa: PT017 - a value is as good an answer
        return None


def open_unverified(message: bytes) -> None:
    parsed = answer(cose.parse_sign1, message)
    value = answer(cbor.decode, parsed[2]) if parsed else None
    for kind in topics.KINDS:
        answer(frame.check_payload, kind, value)


@given(st.binary(max_size=200))
def test_arbitrary_messages(message: bytes) -> None:
    open_unverified(message)
    answer(cose.open_mac0, bytes(32), b"topic", message)


@given(st.sampled_from(MESSAGES), st.randoms(use_true_random=False))
def test_mutated_messages(message: bytes, chance: random.Random) -> None:
    changed = bytearray(message)
    for _ in range(chance.randint(1, 4)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    open_unverified(bytes(changed))


@given(st.sampled_from(MESSAGES), st.randoms(use_true_random=False))
def test_mutated_payloads(message: bytes, chance: random.Random) -> None:
    """Past the envelope: what a compromised device can sign."""
    changed = bytearray(cose.parse_sign1(message)[2])
    for _ in range(chance.randint(1, 4)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    value = answer(cbor.decode, bytes(changed))
    for kind in topics.KINDS:
        answer(frame.check_payload, kind, value)


@given(st.sampled_from(topics.KINDS), st.dictionaries(st.integers(0, 14), ANYTHING, max_size=14))
def test_payloads_of_any_shape(kind: str, value: dict[int, Any]) -> None:
    answer(frame.check_payload, kind, value)
    answer(frame.check_ack, value)


@given(ANYTHING)
def test_tables_of_any_shape(value: Any) -> None:
    answer(frame.check_table, value)
    answer(frame.check_table, ["net", None, ["f"], value])
    answer(frame.check_table, ["net", None, value, [[0, 1]]])


@given(st.text(max_size=60))
def test_topics_of_any_text(text: str) -> None:
    answer(topics.parse, text)
    answer(topics.parse, "vigia/v1/c/" + text + "/data")
