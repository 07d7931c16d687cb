"""A device that floods does not delay the others: by order and counts, and once with a real Mosquitto."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from collector.ingest.batch import Batch
from tests.ingest.flood import Stage
from tests.ingest.world import Sealer, World, outcome

if TYPE_CHECKING:
    from pathlib import Path

RATE = 1_000  # messages a second, 200 times a device's share


def two(folder: Path) -> tuple[World, Sealer, Sealer]:
    flooder, other = Sealer("r1"), Sealer("r2", incarnation=b"inc-0002")
    return World(folder, [flooder, other]), flooder, other


def broken(message: tuple[str, bytes]) -> tuple[str, bytes]:
    return message[0], message[1][:-1] + bytes([message[1][-1] ^ 1])


@pytest.mark.parametrize("valid", [True, False])
def test_what_is_over_the_share_costs_neither_signature_nor_row(tmp_path, valid, monkeypatch):
    world, flooder, other = two(tmp_path)
    verified: list[object] = []
    verify = world.stages[1]._verify

    def counted(item: object) -> object:
        verified.append(item)
        return verify(item)

    monkeypatch.setattr(world.stages[1], "_verify", counted)
    flood = [flooder.data(seq) if valid else broken(flooder.data(0)) for seq in range(600)]
    outcomes = world.take(*flood[:300], other.data(0), *flood[300:], other.data(1))
    assert outcomes[300] == outcomes[-1] == ("stored", "")
    deferred = [said for said in outcomes if said == ("deferred", "rate_limited")]
    assert len(deferred) == 600 - 200  # the burst of this world
    assert len(verified) == 200 + 2
    assert len(world.quarantined()) <= 20
    world.close()


def test_a_share_is_the_devices_own(tmp_path):
    world, flooder, other = two(tmp_path)
    for seq in range(40):
        batch = Batch.of([
            *(world.received(flooder.data(0)) for _ in range(50)),
            world.received(other.data(seq, world.clock.now_ms())),
        ])  # fmt: skip
        assert world.pipeline.run(batch, threading.Event())
        assert outcome(batch.items[-1]) == ("stored", "")
        world.clock.step(1_000)
    world.close()


def test_the_flooders_deferred_frames_are_not_lost(tmp_path):
    world, flooder, _ = two(tmp_path)
    frames = [flooder.data(seq, tables=None) for seq in range(260)]
    first = world.take(*frames)
    assert first.count(("deferred", "rate_limited")) == 60
    assert not any(hi >= 200 for ack in world.acks(flooder) for _, hi in ack.stored)
    world.clock.step(20_000)
    again = world.take(*frames[200:])
    assert set(again) == {("stored", "")}
    world.close()


@pytest.mark.server
@pytest.mark.parametrize("kind", ["rubbish", "valid"])
def test_others_are_not_delayed_by_more_than_a_second(tmp_path, mosquitto_bin, kind):
    stage = Stage(tmp_path, mosquitto_bin, devices=10)
    try:
        quiet = stage.measure(3.0)
        result = stage.flooded(kind, RATE, 6.0)
    finally:
        stage.close()
    assert result.flooded_per_s > RATE / 2
    assert result.quantile(0.99) <= quiet.quantile(0.99) + 1.0
