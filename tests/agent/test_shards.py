"""When a device believes that its collector is there, and what a lost or forged epoch costs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.shards import MAX_BYTES, RESET_MS, Shards
from agent.wire import topics

TOPIC = topics.status("a")


def said(state: str, epoch: Any, owner: str = "here:1") -> bytes:
    return json.dumps({"state": state, "owner": owner, "epoch": epoch}).encode()


def known(epoch: int = 7, state: str = "online") -> Shards:
    shards = Shards()
    assert shards.take(TOPIC, said(state, epoch), 0) == state
    return shards


def test_the_late_will_of_a_worker_that_lost_the_shard_never_counts() -> None:
    shards = known(7)
    assert shards.take(TOPIC, said("offline", 6), 1000) == "old_epoch"
    assert shards.online(TOPIC, 1000)
    assert shards.online(TOPIC, 100 * RESET_MS)
    assert shards.take(TOPIC, said("offline", 6), 100 * RESET_MS) == "old_epoch"


@pytest.mark.parametrize("before", ["online", "offline"])
def test_a_collector_that_was_rebuilt_is_believed_after_a_while(before: str) -> None:
    shards = known(7, before)
    assert shards.take(TOPIC, said("online", 1), 1000) == "old_epoch"
    assert shards.online(TOPIC, 1000 + RESET_MS - 1) == (before == "online")
    assert shards.online(TOPIC, 1000 + RESET_MS)
    assert shards.take(TOPIC, said("offline", 1), 1000 + RESET_MS) == "offline"  # its word counts now
    assert not shards.online(TOPIC, 1000 + RESET_MS)
    assert shards.take(TOPIC, said("online", 2), 1000 + RESET_MS) == "online"


def test_saying_it_again_does_not_put_it_off() -> None:
    shards = known(7, "offline")
    for at in range(0, RESET_MS, RESET_MS // 10):
        assert shards.take(TOPIC, said("online", 1 + at % 3), at) == "old_epoch"
    assert shards.online(TOPIC, RESET_MS)


@pytest.mark.parametrize("epoch", [7, 8])
def test_a_word_of_the_known_epoch_or_a_higher_one_ends_the_claim(epoch: int) -> None:
    shards = known(7)
    shards.take(TOPIC, said("online", 1), 0)
    assert shards.take(TOPIC, said("offline", epoch), RESET_MS - 1) == "offline"
    assert not shards.online(TOPIC, 10 * RESET_MS)


def test_a_claim_that_is_taken_back_is_none() -> None:
    shards = known(7, "offline")
    shards.take(TOPIC, said("online", 1), 0)
    shards.take(TOPIC, said("offline", 1), 1000)
    assert not shards.online(TOPIC, 10 * RESET_MS)


def test_a_forged_epoch_silences_a_shard_for_a_while_only() -> None:
    shards = known(7)
    assert shards.take(TOPIC, said("offline", 1 << 70), 0) == "offline"
    assert shards.take(TOPIC, said("online", 8), 10) == "old_epoch"
    assert shards.online(TOPIC, 10 + RESET_MS)


def test_shards_do_not_mix() -> None:
    shards = known(7)
    assert not shards.online(topics.status("b"), 0)
    assert shards.take(topics.status("b"), said("online", 1), 0) == "online"


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"{}", b"[]", b"\xff", b"null", b"[" * MAX_BYTES, b"[" * 5000,
        said("online", True), said("online", 1.5), said("online", -1), said("online", "1"), said("up", 1),
        said("online", None),
        json.dumps({"state": ["online"], "epoch": 1}).encode(), said("online", 9, "x" * MAX_BYTES),
    ],
)  # fmt: skip
def test_nonsense_is_counted_and_ignored(payload: bytes) -> None:
    shards = known(7)
    assert shards.take(TOPIC, payload, 0) == "malformed"
    assert shards.online(TOPIC, 10 * RESET_MS)


@given(st.text(max_size=30), st.binary(max_size=100))
def test_no_message_breaks_it_and_no_topic_makes_it_grow(text: str, payload: bytes) -> None:
    shards = Shards()
    for topic in (text, "vigia/v1/" + text + "/collector", TOPIC):
        shards.take(topic, payload, 0)
        shards.take(topic, said("online", 1), 0)
    assert set(shards._known) <= {topics.status(shard) for shard in topics.SHARDS}
