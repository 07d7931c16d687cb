"""What is done while the batch before is stored."""

from __future__ import annotations

import threading

import pytest

from collector.clock import SystemClock
from collector.config import IngestConfig
from collector.ingest.ahead import Ahead
from collector.ingest.inbox import Inbox
from collector.model import Received
from tests.servers.wait import until


def message(number):
    return Received("0", "t", b"", number, 1, number)


def make(prepare, frames=2):
    inbox = Inbox(SystemClock())
    return inbox, Ahead(inbox, prepare, IngestConfig(batch_frames=frames, batch_ms=1))


def test_batches_come_in_order_and_one_is_ahead():
    prepared: list[int] = []
    inbox, ahead = make(lambda batch: prepared.append(batch.items[0].received.mid))
    for number in range(10):
        inbox.put(message(number))
    ahead.start()
    until(lambda: len(prepared) == 1, "a batch")
    assert ahead.oldest_ms() == 0
    taken: list[int] = []
    while (batch := ahead.take(1.0)) is not None and len(taken) < 10:
        taken += [item.received.mid for item in batch.items]
        assert len(prepared) * 2 <= len(taken) + 2
    assert taken == list(range(10))
    assert ahead.oldest_ms() is None
    ahead.stop()


def test_what_fails_there_fails_here():
    def fail(batch):
        raise ValueError("our own fault")

    inbox, ahead = make(fail)
    ahead.start()
    inbox.put(message(1))
    with pytest.raises(ValueError, match="our own fault"):
        ahead.take(5.0)
    ahead.stop()


def test_stopping_does_not_wait_for_who_takes():
    ready = threading.Event()
    inbox, ahead = make(lambda batch: ready.set(), frames=1)
    for number in range(5):
        inbox.put(message(number))
    ahead.start()
    assert ready.wait(10)
    ahead.stop()
    assert not ahead._thread.is_alive()


def test_nothing_in_time_is_nothing():
    _, ahead = make(lambda batch: None)
    ahead.start()
    assert ahead.take(0.01) is None
    ahead.stop()
