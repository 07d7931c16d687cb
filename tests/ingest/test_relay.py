"""What overlaps: the next batch begins while the store takes the one before, and nothing else."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy.exc import OperationalError

from collector.errors import LeaseLostError, StoreUnavailableError
from collector.ingest.batch import Batch
from collector.ingest.relay import Relay
from tests.ingest.world import Sealer, outcome
from tests.servers.wait import until

STORED, DUPLICATE = ("stored", ""), ("duplicate", "")
BUSY = OperationalError("UPDATE", {}, Exception("database is locked"))


class Gate:
    """A store that takes points when it is let; ``fail``: how often it does not answer before."""

    def __init__(self, store):
        self._store = store
        self.open = threading.Event()
        self.asked = 0
        self.fail = 0

    def write(self, frames):
        self.asked += 1
        assert self.open.wait(20)
        if self.fail:
            self.fail -= 1
            raise StoreUnavailableError("down")
        return self._store.write(frames)

    def late_hours(self, frames):
        return self._store.late_hours(frames)

    def series(self, query):
        return self._store.series(query)

    def close(self):
        self._store.close()


class Way:
    """The world with a relay before its pipeline, and the stages in the order in which they ended."""

    def __init__(self, world, monkeypatch):
        monkeypatch.setattr("collector.pipeline.BACKOFF_S", (0.001, 0.002))
        self.world = world
        self.stop = threading.Event()
        self.nudged = threading.Event()
        self.ended: list[tuple[str, int]] = []
        self.error: tuple[str, Exception] | None = None
        self.store = world.store = Gate(world.store)
        world.restart()
        self.relay = Relay(world.pipeline, self.nudged.set)
        self.step, world.pipeline._step = world.pipeline._step, self._note

    def _note(self, step, batch):
        if self.error is not None and step.name == self.error[0]:
            error, self.error = self.error[1], None
            raise error
        self.step(step, batch)
        self.ended.append((step.name, batch.items[0].received.mid))

    def take(self, *messages):
        """Hand a batch on, from another thread since the store may be shut."""
        batch = Batch.of([self.world.received(message) for message in messages])
        self.world.pipeline.prepare(batch)
        thread = threading.Thread(target=self.relay.take, args=(batch, self.stop))
        thread.start()
        return batch, thread

    def close(self):
        self.store.open.set()
        self.relay.finish(self.stop)
        self.relay.close()


@pytest.fixture
def way(world, monkeypatch):
    made = Way(world, monkeypatch)
    yield made
    made.store.open.set()
    made.relay.close()


@pytest.fixture
def other(world):
    found = Sealer("r2", incarnation=b"inc-0002")
    world.enrol(found)
    world.registry._next_refresh = float("-inf")
    world.registry.refresh()
    return found


def mid(batch):
    return batch.items[0].received.mid


def test_the_next_batch_begins_while_the_store_takes_one(way, other, device):
    first, thread = way.take(device.data(0))
    thread.join()
    second, thread = way.take(other.data(0))
    until(lambda: ("points", mid(second)) in way.ended, "the second to begin")
    assert ("write", mid(first)) not in way.ended
    assert way.world.post.acked == []
    way.store.open.set()
    thread.join()
    way.close()
    assert [message.mid for message in way.world.post.acked] == [mid(first), mid(second)]
    assert [outcome(item) for batch in (first, second) for item in batch.items] == [STORED, STORED]
    assert way.nudged.is_set()


def test_batches_with_a_device_in_common_do_not_overlap(way, device):
    first, thread = way.take(device.data(0))
    thread.join()
    second, thread = way.take(device.data(0), device.data(1))
    until(lambda: way.store.asked == 1, "the store to be asked")
    way.store.open.set()
    thread.join()
    way.close()
    assert way.ended.index(("device_acks", mid(first))) < way.ended.index(("receive", mid(second)))
    assert [outcome(item) for item in second.items] == [DUPLICATE, STORED]
    assert way.world.incarnation(device).stored == [[0, 1]]


@pytest.mark.parametrize("times", [1, 3])
def test_a_store_that_does_not_answer_holds_both_back(way, other, device, times):
    way.store.fail = times
    first, thread = way.take(device.data(0))
    thread.join()
    second, thread = way.take(other.data(0))
    way.store.open.set()
    thread.join()
    way.close()
    assert [message.mid for message in way.world.post.acked] == [mid(first), mid(second)]
    assert way.world.judge.names().count("Arrival") == 2
    assert len(way.world.points()) == 4


@pytest.mark.parametrize("stage", ["receive", "resolve", "points", "commit"])
def test_a_busy_database_holds_both_back(way, other, device, stage):
    first, thread = way.take(device.data(0))
    thread.join()
    way.error = stage, BUSY
    second, thread = way.take(other.data(0))
    way.store.open.set()
    thread.join()
    way.close()
    assert [message.mid for message in way.world.post.acked] == [mid(first), mid(second)]
    assert way.world.judge.names().count("Arrival") == 2


def test_stopped_while_the_store_is_down_nothing_is_acked_past_it(way, other, device):
    way.store.fail = 1_000
    way.take(device.data(0))[1].join()
    way.stop.set()
    _, thread = way.take(other.data(0))
    way.store.open.set()
    thread.join()
    assert way.world.post.acked == []
    assert way.world.judge.told == []


def test_a_lost_lease_ends_both(way, other, device):
    way.take(device.data(0))[1].join()
    way.error = "commit", LeaseLostError("taken over")
    way.store.open.set()
    batch = Batch.of([way.world.received(other.data(0))])
    way.world.pipeline.prepare(batch)
    with pytest.raises(LeaseLostError):
        way.relay.take(batch, way.stop)
    assert way.world.post.acked == []
    assert batch.session is None
