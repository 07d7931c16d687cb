"""A crash between any two stages: the broker delivers again, nothing is lost and nothing doubled."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy.exc import OperationalError

from collector.errors import LeaseLostError, StoreUnavailableError
from collector.ingest.batch import Batch
from collector.model import Arrival, Born, Readings
from tests.ingest.world import START_MS

STAGES = (
    "address", "verify", "admit", "receive", "resolve", "points", "write", "commit",
    "broker_acks", "device_acks",
)  # fmt: skip
DUPLICATE = ("duplicate", "")
STORED = ("stored", "")


class Killed(BaseException):
    """The process ends here."""


class Wrapped:
    """A stage after, or before, which something happens."""

    def __init__(self, stage, error, *, times=1, before=False):
        self.name = stage.name
        self._stage, self._error, self._left, self._before = stage, error, times, before

    def __call__(self, batch):
        if not self._before:
            self._stage(batch)
        if self._left:
            self._left -= 1
            raise self._error
        if self._before:
            self._stage(batch)


def break_at(world, name, error, **how):
    world.pipeline._steps = [
        Wrapped(step, error, **how) if step.name == name else step for step in world.pipeline._steps
    ]


def unsynced(device):
    """No clock: times rest on the anchor, which must survive the crash."""
    device.clock_ms = None
    return [device.seal("birth", seq=0), device.data(1), device.data(2, START_MS + 500)]


@pytest.mark.parametrize("stage", STAGES)
def test_killed_after(world, device, stage):
    messages = unsynced(device)
    world.clock.step(500)
    break_at(world, stage, Killed())
    batch = Batch.of([world.received(message) for message in messages])
    with pytest.raises(Killed):
        world.pipeline.run(batch, threading.Event())
    acked = len(world.post.acked)
    told = stage in {"broker_acks", "device_acks"}
    assert acked == (3 if told else 0)

    world.clock.step(45_000)  # an anchor taken from this arrival would be another
    world.restart()
    committed = stage in STAGES[STAGES.index("commit") :]
    assert world.take(*messages) == [DUPLICATE if committed else STORED] * 3

    anchored = stage in STAGES[STAGES.index("resolve") :]
    shift = 0 if anchored else 45_000
    expected = [(START_MS + shift + offset, value) for offset, value in ((-10_000, 127.1), (0, 3.0))]
    expected += [(time_ms + 500, value) for time_ms, value in expected]
    assert world.points() == sorted(expected)
    assert world.incarnation(device).stored == [[0, 2]]
    kinds = [type(observation) for _, observation in world.judge.told]
    assert (kinds.count(Arrival), kinds.count(Born), kinds.count(Readings)) == (3, 1, 4)
    assert world.acks(device)[-1].stored == [[0, 2]]


@pytest.mark.parametrize("stage", STAGES[: STAGES.index("broker_acks")])
@pytest.mark.parametrize("before", [True, False])
def test_store_or_state_do_not_answer(world, device, monkeypatch, stage, before):
    monkeypatch.setattr("collector.pipeline.BACKOFF_S", (0.001, 0.002))
    error = OperationalError("UPDATE", {}, Exception("database is locked"))
    break_at(
        world, stage, error if stage != "write" else StoreUnavailableError("down"), times=3, before=before
    )
    outcomes = world.take(*unsynced(device))
    ambiguous = stage == "commit" and not before  # committed, but we were not told
    assert outcomes == [DUPLICATE if ambiguous else STORED] * 3
    assert len(world.points()) == 4
    assert len(world.post.acked) == 3
    assert world.judge.names().count("Arrival") == 3
    assert world.acks(device)[-1].stored == [[0, 2]]


def test_stopped_while_the_store_is_down_acks_nothing(world, device):
    break_at(world, "write", StoreUnavailableError("down"), times=1000, before=True)
    stop = threading.Event()
    stop.set()
    assert not world.pipeline.run(Batch.of([world.received(device.data(0))]), stop)
    assert (world.post.acked, world.post.sent, world.judge.told) == ([], [], [])


def test_a_lost_lease_stops_before_anything_is_written(world, device):
    with world.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE lease SET epoch = epoch + 1, owner = 'other'")
    with pytest.raises(LeaseLostError):
        world.take(device.data(0))
    assert world.points() == []
    assert world.post.acked == []


def test_a_lease_lost_after_the_write_commits_nothing(world, device):
    class Thief(Wrapped):
        def __call__(self, batch):
            self._stage(batch)
            with world.engine.begin() as connection:
                connection.exec_driver_sql("UPDATE lease SET epoch = epoch + 1, owner = 'other'")

    world.pipeline._steps = [
        Thief(step, None) if step.name == "write" else step for step in world.pipeline._steps
    ]
    with pytest.raises(LeaseLostError):
        world.take(device.data(0))
    assert world.post.acked == []
    assert world.judge.told == []
    assert world.incarnation(device).stored == []


def test_failing_rules_do_not_stop_the_readings(world, device):
    world.judge.fail = ValueError("a rule is wrong")
    assert world.take(device.data(0)) == [STORED]
    assert len(world.points()) == 2
    assert world.incarnation(device).stored == [[0, 0]]
