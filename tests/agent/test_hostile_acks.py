"""Acks that were not meant for this device, or by nobody who knows it: counted, ignored, and cheap.

The ones with a right MAC are what a collector gone wrong, or whoever took its secret, can send.
"""

from __future__ import annotations

import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.acks import AckReader, Verdict
from agent.log import Log
from agent.ports.files import Files
from agent.segment import Record
from agent.spool import Spool
from agent.wire import cbor, cose, frame

if TYPE_CHECKING:
    from pathlib import Path

KEY, KID = bytes(range(32)), b"kidkidki"
OLD_KEY, OLD_KID = bytes(32), b"oldoldol"
RUNNING, EARLIER = b"running-", b"earlier-"
TOPIC = "vigia/v1/a/mx-001/ack"
SEALED = 1000
HUGE = (1 << 63) - 1
REASONS = {
    "", "ack_malformed", "ack_oversized", "ack_wrong_mac", "ack_bad_payload", "ack_other_key",
    "ack_unknown_incarnation", "ack_never_sealed",
}  # fmt: skip


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Spool:
    folder: Path = tmp_path_factory.mktemp("spool")
    made = Spool(Files(), (str(folder), None), 1 << 22, Log(lambda: 0, lambda _line: None))
    made.recover("mx-001")
    for boot, incarnation in ((1, EARLIER), (2, RUNNING)):
        for seq in range(SEALED):
            made.add(Record("data", boot, incarnation, seq, "vigia/v1/a/mx-001/data", b"frame"))
    return made


def read(spool: Spool, message: bytes, topic: str = TOPIC) -> Verdict:
    reader = AckReader(KEY, KID, RUNNING, spool, {OLD_KID: OLD_KEY})
    return reader.read(topic, message, SEALED)


def ack(changes: dict[int, Any] | None = None, *, key: bytes = KEY, kid: bytes = KID) -> bytes:
    value = {1: kid, 2: RUNNING, 3: [[0, 4]], 4: [], 5: 1, **(changes or {})}
    return cose.mac0(key, kid, TOPIC.encode(), cbor.encode(value))


def beyond() -> bytes:
    """An ack whose interval ends at 2**64 - 1, which our encoder would not write."""
    payload = cbor.encode({1: KID, 2: RUNNING, 3: [[0, 4]], 4: [], 5: 1})
    changed = payload.replace(b"\x82\x00\x04", b"\x82\x00\x1b" + b"\xff" * 8)
    assert changed != payload
    return cose.mac0(KEY, KID, TOPIC.encode(), changed)


def settled(verdict: Verdict) -> int:
    return len(verdict.stored) + len(verdict.refused)


WRONG: dict[str, tuple[str, bytes]] = {
    "a flipped tag": ("ack_wrong_mac", ack()[:-1] + bytes([ack()[-1] ^ 1])),
    "a flipped payload": ("ack_wrong_mac", ack()[:-12] + bytes([ack()[-12] ^ 1]) + ack()[-11:]),
    "another secret": ("ack_wrong_mac", ack(key=b"\1" * 32)),
    "the old key for the new kid": ("ack_wrong_mac", ack(key=OLD_KEY)),
    "an unknown kid": ("ack_other_key", ack(kid=b"\0" * 8)),
    "another kid inside": ("ack_other_key", ack({1: OLD_KID})),
    "the old key for the running incarnation": ("ack_other_key", ack(key=OLD_KEY, kid=OLD_KID)),
    "another incarnation": ("ack_unknown_incarnation", ack({2: b"\0" * 8})),
    "one above the highest": ("ack_never_sealed", ack({3: [[0, SEALED]]})),
    "refused above the highest": ("ack_never_sealed", ack({4: [[SEALED, SEALED, "x"]]})),
    "every seq there can be": ("ack_never_sealed", ack({3: [[0, HUGE]]})),
    "every seq there can be, refused": ("ack_never_sealed", ack({3: [], 4: [[0, HUGE, "x"]]})),
    "beyond 64 bits": ("ack_malformed", beyond()),
    "stored and refused": ("ack_bad_payload", ack({4: [[4, 9, "x"]]})),
    "refused around stored": ("ack_bad_payload", ack({4: [[0, 100, "x"]]})),
    "intervals that overlap": ("ack_bad_payload", ack({3: [[0, 4], [4, 5]]})),
    "intervals backwards": ("ack_bad_payload", ack({3: [[5, 6], [0, 1]]})),
    "too many intervals": ("ack_bad_payload", ack({3: [[2 * at, 2 * at] for at in range(65)]})),
    "no COSE": ("ack_malformed", b"hello"),
    "nothing": ("ack_malformed", b""),
    "64 KiB": ("ack_oversized", bytes(65536)),
}


@pytest.mark.parametrize("name", WRONG)
def test_it_is_counted_and_ignored(spool: Spool, name: str) -> None:
    reason, message = WRONG[name]
    verdict = read(spool, message)
    assert (verdict.trouble, settled(verdict)) == (reason, 0)


def test_another_topic_or_frame_is_not_taken(spool: Spool) -> None:
    assert read(spool, ack(), "vigia/v1/b/mx-001/ack").trouble == "ack_wrong_mac"
    assert read(spool, ack(), "vigia/v1/a/mx-002/ack").trouble == "ack_wrong_mac"
    assert read(spool, cose.sign1(cose.protected(cose.ES256, KID), b"", bytes(64))).trouble == "ack_malformed"


def test_of_an_earlier_incarnation_only_what_waits_is_settled(spool: Spool) -> None:
    """Its highest seq is not known any more, and need not be: the ranges are never written out."""
    verdict = read(spool, ack({2: EARLIER, 3: [[0, HUGE]]}))
    assert (verdict.trouble, len(verdict.stored)) == ("", SEALED)
    verdict = read(spool, ack({2: EARLIER, 3: [[SEALED, HUGE]]}, key=OLD_KEY, kid=OLD_KID))
    assert (verdict.trouble, settled(verdict)) == ("", 0)


def worst() -> list[bytes]:
    """Right MACs around what costs most to read, within the size an ack may have."""
    room = cose.MAX_ACK_BYTES - 100
    ranges = [[at << 40, (at << 40) + 1] for at in range(frame.MAX_ACK_RANGES)]
    refused = [[2 * at, 2 * at, "x" * 20] for at in range(frame.MAX_ACK_RANGES)]
    value = {1: KID, 2: EARLIER, 3: [], 4: [], 5: 1}
    return [
        ack({2: EARLIER, 3: ranges}),
        ack({2: EARLIER, 3: [], 4: refused}),
        ack({**value, 9: [[] for _ in range(room)]}),
        ack({**value, 9: dict.fromkeys(range(room // 4))}),
        ack({**value, 3: [[at, at] for at in range(room // 7)]}),
        ack({**value, 9: "x" * room}),
    ]


def test_the_worst_costs_little_time_and_memory(spool: Spool) -> None:
    for message in worst():
        tracemalloc.start()
        began = time.process_time()
        verdict = read(spool, message)
        spent_s = time.process_time() - began
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert verdict.trouble in REASONS
        assert spent_s < 0.5
        assert peak < 1_000_000


ANY_RANGES = st.lists(st.tuples(st.integers(-1, HUGE), st.integers(-1, HUGE)), max_size=4)
NEAR_RANGES = st.lists(st.tuples(st.integers(0, SEALED + 1), st.integers(0, SEALED + 1)), max_size=4)


@given(
    st.sampled_from([KID, OLD_KID, b"\0" * 8]),
    st.sampled_from([RUNNING, EARLIER, b"\0" * 8]),
    st.one_of(ANY_RANGES, NEAR_RANGES),
    st.one_of(ANY_RANGES, NEAR_RANGES),
)
@settings(max_examples=200, deadline=None)
def test_whatever_a_right_mac_says(
    spool: Spool,
    kid: bytes,
    incarnation: bytes,
    stored: list[tuple[int, int]],
    refused: list[tuple[int, int]],
) -> None:
    changes = {1: kid, 2: incarnation, 3: [list(r) for r in stored], 4: [[*r, "x"] for r in refused]}
    verdict = read(spool, ack(changes))
    assert verdict.trouble in REASONS
    if verdict.trouble:
        assert settled(verdict) == 0
        return
    told = {entry.seq for entry in verdict.stored}
    bad = {entry.seq for entry, _ in verdict.refused}
    assert told == {seq for lo, hi in stored for seq in range(lo, min(hi, SEALED - 1) + 1)}
    assert bad == {seq for lo, hi in refused for seq in range(lo, min(hi, SEALED - 1) + 1)}


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_whatever_a_right_mac_covers(spool: Spool, payload: bytes) -> None:
    verdict = read(spool, cose.mac0(KEY, KID, TOPIC.encode(), payload))
    assert verdict.trouble in REASONS - {""}
    assert settled(verdict) == 0
