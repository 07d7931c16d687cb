"""Leases, hearing, buckets, the inbox, the strict decoder: each alone."""

from __future__ import annotations

import threading
from itertools import pairwise

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from agent.wire import cbor
from agent.wire.errors import WireError
from collector.clock import SystemClock
from collector.errors import LeaseLostError
from collector.ingest.admit import decode
from collector.ingest.bucket import TokenBuckets
from collector.ingest.hearing import SETTLE_MS, Hearing
from collector.ingest.inbox import DEVICES, Inbox
from collector.ingest.lease import LEASE_MS, Leases, default_owner
from collector.model import Received
from collector.storage.state import Base, Lease, open_engine
from tests.ingest.world import SteppedClock


@pytest.fixture
def engine(tmp_path):
    made = open_engine(f"sqlite:///{tmp_path / 'state.db'}")
    Base.metadata.create_all(made)
    yield made
    made.dispose()


# --- leases -------------------------------------------------------------------------------------------


def test_a_held_shard_is_waited_for_until_its_lease_ends(engine):
    clock = SteppedClock()
    first, second = Leases(engine, "a", clock), Leases(engine, "b", clock)
    assert first.acquire("01") == []
    assert second.acquire("12") == ["1"]
    clock.step(LEASE_MS)
    assert second.acquire("1") == []
    assert second.epochs == {"2": 1, "1": 2}
    with Session(engine) as session, pytest.raises(LeaseLostError):
        first.check(session, "1")


def test_checking_prolongs(engine):
    clock = SteppedClock()
    first, second = Leases(engine, "a", clock), Leases(engine, "b", clock)
    first.acquire("0")
    clock.step(LEASE_MS - 1)
    with Session(engine) as session, session.begin():
        first.check(session, "0")
    clock.step(LEASE_MS - 1)
    assert second.acquire("0") == ["0"]


def test_released_and_dead_owners_leases_are_free_at_once(engine):
    clock = SteppedClock()
    first = Leases(engine, "a", clock)
    first.acquire("0")
    first.release()
    assert Leases(engine, "b", clock).acquire("0") == []
    with Session(engine) as session, session.begin():
        lease = session.get(Lease, "0")
        assert lease is not None
        lease.owner = default_owner().rpartition(":")[0] + ":4999999"
    again = Leases(engine, "c", clock)
    assert again.acquire("0") == []
    assert again.epochs == {"0": 3}


# --- hearing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last_heard", "steps", "expected"),
    [
        (None, [("hears", 0)], (0, True)),  # nothing was ever heard: nobody can have gone silent
        (0, [("hears", 5_000)], (5_000, True)),  # a short restart
        (0, [("hears", 60_000)], (60_000, False)),  # devices are given time after a long one
        (0, [("hears", 60_000)], (60_000 + SETTLE_MS, True)),
        (0, [("hears", 0), ("deaf", 10_000)], (20_000, False)),
        (0, [("hears", 0), ("deaf", 10_000), ("hears", 12_000)], (12_000, True)),
        (0, [("hears", 0), ("deaf", 10_000), ("deaf", 90_000), ("hears", 91_000)], (92_000, False)),
        (None, [], (0, False)),
    ],
)
def test_who_may_judge_silence(last_heard, steps, expected):
    hearing = Hearing(last_heard)
    for what, at in steps:
        getattr(hearing, what)(at)
    at, may = expected
    assert hearing.may_judge(at) is may


# --- buckets and inbox --------------------------------------------------------------------------------


def test_buckets_fill_again_and_are_apart():
    buckets = TokenBuckets(rate=5, burst=3)
    assert [buckets.take(b"v/0/a/data", 0) for _ in range(4)] == [True, True, True, False]
    assert buckets.take(b"v/0/b/data", 0)
    assert [buckets.take(b"v/0/a/event", 0.3) for _ in range(2)] == [True, False]  # all kinds together
    assert [buckets.take(b"v/0/a/data", 100) for _ in range(4)] == [True, True, True, False]
    assert buckets.take(b"\xff", 0)


def message(number):
    return Received("0", "t", b"", number, 1, number)


def test_the_inbox_hands_out_in_order_up_to_the_limit():
    inbox = Inbox(SystemClock())
    for number in range(5):
        inbox.put(message(number))
    assert inbox.oldest_ms() == 0
    assert [m.mid for m in inbox.take(3, 0, 0.2)] == [0, 1, 2]
    assert [m.mid for m in inbox.take(3, 0, 0.2)] == [3, 4]
    assert inbox.take(3, 0, 0.2) == []
    assert inbox.oldest_ms() is None


def test_the_inbox_empties_the_shard_that_waits_longest_first():
    inbox = Inbox(SystemClock())
    for number in range(9):
        inbox.put(Received("ab0"[number % 3], "t", b"", number, 1, number))
    assert [m.mid for m in inbox.take(4, 0, 0.2)] == [0, 1, 3, 6]
    assert inbox.oldest_ms() == 2
    assert [m.mid for m in inbox.take(4, 0, 0.2)] == [2, 4, 5, 7]  # of b less waits: it has half of the batch
    assert [m.mid for m in inbox.take(4, 0, 0.2)] == [8]
    assert inbox.oldest_ms() is None


def test_a_burst_of_one_device_waits_for_its_turn():
    inbox = Inbox(SystemClock())
    for number in range(1000):
        inbox.put(Received("0", "v/loud/data", b"", number, 1, number))
    for number in range(1000, 1010):
        inbox.put(Received("0", f"v/r{number % 5}/data", b"", number, 1, number))
    first = [m.mid for m in inbox.take(300, 0, 0.2)]
    assert first == [*range(290), *range(1000, 1010)]  # all of the others, in order of arrival
    assert inbox.oldest_ms() == 290
    assert [m.mid for m in inbox.take(2000, 0, 0.2)] == list(range(290, 1000))


def test_who_speaks_live_overtakes_a_backlog_in_up_to_half_of_a_batch():
    inbox = Inbox(SystemClock())
    for number in range(400):  # ten messages of each of 40 devices
        inbox.put(Received("0", f"v/back{number % 40}/data", b"", number, 1, number))
    for number in range(400, 410):
        inbox.put(Received("1", f"v/live{number}/data", b"", number, 1, number))
    first = [m.mid for m in inbox.take(50, 0, 0.2)]
    assert first[-10:] == list(range(400, 410))
    assert sorted(mid % 40 for mid in first[:-10]) == sorted(
        [0, 1, 2, 3] * 10
    )  # four devices with all they have
    for number in range(410, 510):  # two of each, as after a pause of the broker
        inbox.put(Received("1", f"v/live{number % 50}/data", b"", number, 1, number))
    assert [m.mid >= 400 for m in inbox.take(50, 0, 0.2)] == [False] * 26 + [True] * 24


def test_a_device_of_a_backlog_does_not_overtake_itself():
    inbox = Inbox(SystemClock())
    taken: list[int] = []
    for number in range(60):
        inbox.put(Received("0", f"v/d{number % 3}/data", b"", number, 1, number))
        if number % 7 == 0:
            taken += [m.mid for m in inbox.take(4, 0, 0)]
    while some := inbox.take(4, 0, 0):
        taken += [m.mid for m in some]
    assert sorted(taken) == list(range(60))
    for device in range(3):
        mine = [mid for mid in taken if mid % 3 == device]
        assert mine == sorted(mine)


def test_a_batch_takes_so_many_devices_and_no_more():
    inbox = Inbox(SystemClock())
    for number in range(3 * DEVICES):
        inbox.put(Received("01"[number % 2], f"v/d{number}/data", b"", number, 1, number))
    taken = [[m.mid for m in inbox.take(10 * DEVICES, 0, 0.2)] for _ in range(4)]
    assert [len(mids) for mids in taken] == [DEVICES] * 3 + [0]
    assert taken[0][: DEVICES // 2] == list(range(DEVICES // 2))  # half of it by age, whatever the shard


def test_batches_in_a_row_have_no_device_in_common_while_others_wait():
    inbox = Inbox(SystemClock())
    for number in range(400):
        inbox.put(Received("0", f"v/d{number % 40}/data", b"", number, 1, number))
    batches = [{m.topic for m in inbox.take(100, 0, 0.2)} for _ in range(4)]
    assert all(batches)
    assert all(before.isdisjoint(after) for before, after in pairwise(batches))


def test_the_inbox_wakes_who_waits():
    inbox = Inbox(SystemClock())
    taken: list[Received] = []
    thread = threading.Thread(target=lambda: taken.extend(inbox.take(10, 30, 0.2)))
    thread.start()
    inbox.put(message(1))
    thread.join(10)
    assert [m.mid for m in taken] == [1]


# --- the decoder --------------------------------------------------------------------------------------

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 65), 1 << 65) | st.floats() | st.text(max_size=5)
    | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.integers(-3, 30) | st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


def strict(data):
    try:
        return repr(cbor.decode(data))
    except WireError as error:
        return error.reason


def fast(data):
    try:
        return repr(decode(data))
    except WireError as error:
        return error.reason


@settings(max_examples=300, deadline=None)
@given(PLAIN, st.booleans(), st.binary(max_size=2))
def test_the_fast_decoder_is_the_strict_one(value, canonical, tail):
    data = cbor2.dumps(value, canonical=canonical) + tail
    assert fast(data) == strict(data)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40))
def test_on_anything(data):
    assert fast(data) == strict(data)


AWKWARD = (
    "81" * 9 + "00", "81" * 8 + "00", "81" * 7 + "00", "a1" + "01a1" * 7 + "0100", "c11a514b67b0",
    "c249010000000000000000", "f97e00", "f7", "a201010102", "a2016161016162", "a1f500", "a1410100",
    "1bffffffffffffffff", "1b7fffffffffffffff", "3b7fffffffffffffff", "1817", "d9010280", "d81c80",
)  # fmt: skip


@pytest.mark.parametrize("data", AWKWARD)
def test_awkward_bytes(data):
    raw = bytes.fromhex(data)
    assert fast(raw) == strict(raw)
