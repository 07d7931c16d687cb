"""When a frame was sealed: synchronised, anchored, arrival, bounded; clocks that lie."""

from __future__ import annotations

import pytest

from collector.model import ClockFault, Quality, Readings
from tests.ingest.world import START_MS, Sealer

HOUR_MS = 3_600_000


def times(world):
    return sorted({time_ms for time_ms, _ in world.points()})


def quality(world):
    return world.store.latest()[0].fields.get("time_quality", "synced")


def test_a_synchronised_clock_is_used_however_late(world, device):
    world.take(device.data(0, START_MS - 5 * HOUR_MS))
    assert times(world) == [START_MS - 5 * HOUR_MS - 10_000, START_MS - 5 * HOUR_MS]
    assert quality(world) == "synced"


def test_a_synchronised_frame_anchors_the_others_of_its_batch(world, device):
    device.clock_ms = None
    early = device.data(0, START_MS - 50_000)
    device.clock_ms = 0
    world.take(early, device.data(1))
    assert times(world) == [START_MS - 60_000, START_MS - 50_000, START_MS - 10_000, START_MS]
    assert world.incarnation(device).anchor_source == Quality.SYNCED


def test_a_live_birth_anchors_on_its_arrival(world, device):
    device.clock_ms = None
    world.clock.step(700)  # the way here
    world.take(device.seal("birth", seq=0))
    world.take(device.data(1, START_MS - 30_000), device.data(2))
    assert times(world) == [START_MS + 700 - ms for ms in (40_000, 30_000, 10_000, 0)]
    assert quality(world) == "arrival"


def test_an_anchor_never_moves(world, device):
    device.clock_ms = None
    world.clock.step(900)
    world.take(device.data(0))
    device.clock_ms = 0
    world.take(device.data(1, START_MS + 100))
    device.clock_ms = None
    world.take(device.data(2, START_MS + 200))
    assert [ms for ms in times(world) if ms >= START_MS] == [START_MS + 100, START_MS + 900, START_MS + 1100]


def test_another_start_of_the_agent_shares_the_kernels_anchor(world, device):
    world.take(device.data(0))
    again = device.restarted(b"inc-0002", boot=2)
    again.clock_ms = None
    world.clock.step(2 * HOUR_MS)
    world.take(again.data(0, START_MS + 5000), live=False)
    assert START_MS + 5000 in times(world)
    assert quality(world) == "anchored"


def test_without_reference_it_lies_before_the_next_boot_and_never_lives(world, device):
    lost = device.restarted(b"inc-0000", boot=0, kernel_boot=b"kernel-boot-0000")
    lost.clock_ms = None
    lost.started_ms = START_MS - 3 * HOUR_MS
    world.take(device.seal("birth", seq=0))
    world.take(lost.data(3, START_MS - HOUR_MS))
    assert max(times(world)) == device.started_ms
    assert world.incarnation(lost).anchor_source == Quality.BOUNDED
    assert not any(o.current for _, o in world.judge.told if isinstance(o, Readings))


def test_a_backlog_does_not_anchor_on_arrival(world, device):
    device.clock_ms = None
    world.take(device.data(0), live=False)
    assert quality(world) == "bounded"
    assert not any(o.current for _, o in world.judge.told if isinstance(o, Readings))


@pytest.mark.parametrize("off_ms", [-HOUR_MS, HOUR_MS, -61_000, 61_000])
def test_a_birth_shows_a_wrong_clock(world, device, off_ms):
    device.clock_ms = off_ms
    birth = device.seal("birth", seq=0, tables=[["upsd", "apc", ["input_voltage"], [[0, 127.0]]]])
    assert world.take(birth) == [("stored", "")]
    world.clock.step(30_000)
    world.take(device.data(1, START_MS + 30_000))
    assert times(world) == [START_MS, START_MS + 20_000, START_MS + 30_000]
    assert quality(world) == "arrival"
    assert not world.incarnation(device).clock_trusted
    faults = [told for _, told in world.judge.told if isinstance(told, ClockFault)]
    assert [(told.device, told.off_ms) for told in faults] == [(device.device, off_ms)] * 2


@pytest.mark.parametrize("off_ms", [-59_000, 59_000, 0])
def test_a_birth_within_a_minute_is_believed(world, device, off_ms):
    device.clock_ms = off_ms
    world.take(device.seal("birth", seq=0))
    assert world.incarnation(device).clock_trusted


def test_a_birth_that_the_broker_held_back_is_believed(world, device):
    birth = device.seal("birth", seq=0)
    world.clock.step(HOUR_MS)
    world.take(birth, live=False)
    assert world.incarnation(device).clock_trusted


def test_an_old_birth_sent_again_is_believed(world, device):
    births = [device.seal("birth", seq=0), device.seal("birth", START_MS + HOUR_MS, seq=5, session=2)]
    world.clock.step(HOUR_MS)
    world.take(births[1], births[0])
    assert world.incarnation(device).clock_trusted


def test_what_came_before_the_fault_keeps_its_time(world, device):
    world.take(device.data(0))
    device.clock_ms = HOUR_MS
    world.clock.step(60_000)
    world.take(device.data(3, START_MS + 60_000))
    device.clock_ms = 0
    assert world.take(device.data(1, START_MS + 20_000)) == [("stored", "")]
    assert times(world) == [START_MS + ms for ms in (-10_000, 0, 10_000, 20_000, 50_000, 60_000)]
    assert world.incarnation(device).fault_seq == 3


def test_when_all_clocks_are_off_it_is_ours(world):
    fleet = [Sealer(f"r{n}", incarnation=b"inc-%04d" % n) for n in range(10, 17)]
    for device in fleet:
        world.enrol(device)
    world.clock.step(50_000)  # our clock is 50 s ahead of theirs, which is true to them
    world.take(*[device.seal("birth", seq=0) for device in fleet[:6]])
    world.clock.step(20_000)
    world.take(fleet[6].seal("birth", START_MS, seq=0))
    assert world.incarnation(fleet[6]).clock_trusted
