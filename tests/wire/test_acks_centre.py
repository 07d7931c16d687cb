"""The centre's acks keep the limits that a device holds them to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.wire import frame
from tests.ingest.world import Sealer, World

if TYPE_CHECKING:
    from pathlib import Path


def flush(world: World) -> None:
    world.clock.step(2100)
    stage: Any = next(stage for stage in world.stages if stage.name == "device_acks")
    stage.flush()


def test_more_intervals_than_an_ack_may_have_go_into_the_next(tmp_path: Path) -> None:
    device = Sealer()
    world = World(tmp_path, [device])
    seqs = list(range(0, 300, 2))
    assert set(world.take(*[device.data(seq) for seq in seqs])) == {("stored", "")}
    for _ in range(3):
        flush(world)
    acks = world.acks(device)
    assert [len(ack.stored) for ack in acks] == [frame.MAX_ACK_RANGES, frame.MAX_ACK_RANGES, 22]
    assert [lo for ack in acks for lo, _ in ack.stored] == seqs
    flush(world)
    assert len(world.acks(device)) == 3
    world.close()


def test_a_seq_is_told_once_in_an_ack_whatever_came_under_it(tmp_path: Path) -> None:
    device = Sealer()
    world = World(tmp_path, [device])
    other = device.data(1, tables=[["net", "eth1", ["carrier"], [[0, 1]]]])
    world.take(device.data(0), device.data(1), other, device.data(1), other)
    flush(world)
    told = [ack for ack in world.acks(device) if ack.stored]
    assert told[0].stored == [[0, 1]]
    world.close()
