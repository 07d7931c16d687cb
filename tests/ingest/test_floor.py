"""Sets of seqs against a model: new, known, or below the floor; nothing is acked that was not stored."""

from __future__ import annotations

from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.wire import intervals
from tests.ingest.world import START_MS, Sealer, World

STORED, DUPLICATE = ("stored", ""), ("duplicate", "")
TOO_OLD = ("refused", "too_old_to_judge")
BATCHES = st.lists(st.lists(st.integers(0, 120), min_size=1, max_size=12), min_size=1, max_size=8)


@settings(max_examples=12, deadline=None)
@given(batches=BATCHES, most=st.integers(2, 8), restarts=st.booleans())
def test_reception_against_a_model(tmp_path_factory, batches, most, restarts):
    device = Sealer()
    world = World(tmp_path_factory.mktemp("floor"), [device])
    stored: set[int] = set()
    with patch("collector.ingest.ledger.MAX_INTERVALS", most):
        for batch in batches:
            world.clock.step(60_000)
            floor = world.incarnation(device).floor if stored else 0
            outcomes = world.take(*[device.data(seq, START_MS + seq, tables=None) for seq in batch])
            for seq, outcome in zip(batch, outcomes, strict=True):
                assert outcome == (TOO_OLD if seq < floor else DUPLICATE if seq in stored else STORED)
                if outcome == STORED:
                    stored.add(seq)
            row = world.incarnation(device)
            assert len(row.stored) <= most + len(batch)
            assert row.floor >= floor
            assert row.stored_below + intervals.count(row.stored) == len(stored)
            assert all(lo >= row.floor for lo, _ in row.stored)
            if restarts:
                world.restart()
    acked = {seq for ack in world.acks(device) for lo, hi in ack.stored for seq in range(lo, hi + 1)}
    assert acked <= stored
    refused = {seq for ack in world.acks(device) for lo, hi, _ in ack.refused for seq in range(lo, hi + 1)}
    aside = [row for row in world.quarantined() if row.reason == "too_old_to_judge"]
    assert bool(aside) == bool(refused)
    world.close()


def test_a_thinned_backlog_newest_first_is_stored_whole(world, device):
    for first in range(1198, -1, -200):
        world.clock.step(100_000)
        seqs = range(first, max(first - 200, -1), -2)
        assert set(world.take(*[device.data(seq, tables=None) for seq in seqs])) == {STORED}
    assert len(world.incarnation(device).stored) == 600
