"""One story of a spool, cut at every step, on a disk that is full at every point; and single faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.agent.spool_device import Device
from tests.agent.unsafe_files import FLASH, RAM

if TYPE_CHECKING:
    from collections.abc import Callable

STORY = ("data", "data", "event", "ack", "flush", "data", "refuse", "data", "flush", "birth", "ack", "flush")


def told(device: Device, work: Callable[[], object]) -> None:
    """Live through a story in which everything happens, then ``work``."""
    for what in STORY:
        device.work(what)
    for at in range(60):
        device.add("event" if at % 10 == 0 else "data", 2000)
    work()


@pytest.mark.parametrize("end", ["kill", "power_cut"])
def test_cut_at_every_step_of_a_story(end: str) -> None:
    steps = 0
    while True:
        device = Device(steps)
        cut = device.cut(lambda: told(device, device.spool.flush), steps)  # noqa: B023 - called at once
        getattr(device, end)()
        device.check(exact=end == "kill")
        if not cut:
            break
        steps += 1
    assert steps > 100


@pytest.mark.parametrize("medium", [RAM, FLASH])
def test_a_disk_that_is_full_at_every_point_of_a_story(medium: str) -> None:
    for room in range(0, 60_000, 500):
        device = Device(room)
        device.files.room[medium] = room
        told(device, device.spool.flush)
        device.check(exact=False)
        events = {key for key, one in device.sealed.items() if one.kind == "event"}
        assert device.spool.dropped.get("event", 0) == len(device.missing() & events)
        if medium == FLASH:  # RAM takes what flash does not
            assert not device.missing() & events
        device.files.room[medium] = None
        device.add()
        device.spool.flush()
        assert all(device.spool._on_flash(entry) for entry in device.spool.entries())
        device.kill()
        device.check(exact=False)


def test_a_read_only_flash_loses_nothing_and_is_left_alone() -> None:
    device = Device(1)
    device.files.read_only = {FLASH}
    for what in STORY:
        device.work(what)
    assert not device.missing()
    assert device.spool.on_flash() == 0
    device.kill()
    assert not device.missing()
    device.files.read_only = set()
    device.spool.flush()
    assert device.spool.on_flash() == device.spool.frames()
    device.power_cut()
    assert not device.missing()


def test_a_frame_given_up_does_not_come_back_with_the_next_process() -> None:
    device = Device(1)
    for _ in range(5):
        device.add()
    device.refuse(device.spool.entries()[2])
    device.kill()
    assert len(device.waiting()) == 4
    assert device.spool.dropped == {"refused": 1}
    device.kill()
    assert device.spool.dropped == {"refused": 1}


def test_what_was_in_memory_alone_is_counted_by_the_next_process() -> None:
    device = Device(1)
    device.files.room[RAM] = 0
    device.add("event")
    assert device.spool.frames() == 1
    device.files.room[RAM] = None
    device.spool._save_account()
    device.kill()
    assert device.spool.dropped == {"event": 1}
    assert not device.waiting()


def test_an_account_of_another_start_of_the_machine_or_of_nonsense_is_none() -> None:
    device = Device(1)
    device.spool.tell("samples", 3)
    device.kernel += 1
    device.kill()
    assert (device.spool.continued, device.spool.dropped) == (False, {})
    device.kill()
    assert device.spool.continued
    for content in (b"", b"[", b"[]", b'{"kernel_boot": 1}', b"\xff"):
        device.files.write_new(RAM + "/account", content, sync=False)
        device.kill()
        assert (device.spool.continued, device.spool.dropped) == (False, {})
    odd = '{"kernel_boot": "%s", "dropped": {"data": "x", "odd": 1, "event": -1, "refused": 2}, "gone": %s}'
    for gone in ("1", '{"00": 1}', '{"00": [[1]]}', '{"00": [["a", 1]]}'):
        kernel = (b"%016d" % device.kernel).hex()
        device.files.write_new(RAM + "/account", (odd % (kernel, gone)).encode(), sync=False)
        device.kill()
        assert device.spool.dropped == {"refused": 2}


def test_when_only_events_are_left_data_give_way_to_them_and_a_birth_goes_on() -> None:
    device = Device(1)
    for _ in range(60):
        device.add("event", 2000)
    events = device.spool.frames()
    before = dict(device.spool.dropped)
    device.add("data", 2000)
    assert device.spool.dropped == {**before, "data": 1}
    device.add("birth", 500)
    assert device.spool.frames() == events + 1
    device.add("event", 2000)
    assert device.spool.dropped["event"] == before["event"] + 1


@pytest.mark.parametrize("flashed", [False, True])
def test_a_refused_frame_is_counted_or_still_there_wherever_the_process_dies(flashed) -> None:
    for steps in range(8):
        device = Device(steps)
        device.add()
        if flashed:
            device.spool.flush()
        entry = device.spool.entries()[0]
        device.cut(lambda: device.refuse(entry), steps)  # noqa: B023 - called at once
        device.kill()
        assert device.spool.dropped.get("refused", 0) + len(device.waiting()) == 1


def test_a_folder_that_could_not_be_listed_at_the_start_keeps_its_files() -> None:
    device = Device(1)
    device.add()
    device.spool.flush()
    before = device.files.read(FLASH + "/00000000.seg")

    def refuse(folder: str) -> list[str]:
        raise OSError(5, folder)

    names, device.files.names = device.files.names, refuse  # type: ignore[method-assign]  # an I/O error
    device.kill()
    assert device.spool.troubles == 2
    device.add("event")
    device.spool.flush()
    assert [device.spool.read(entry) for entry in device.spool.entries()]
    assert device.files.read(FLASH + "/00000000.seg") == before
    device.files.names = names  # type: ignore[method-assign]  # it is well again
    device.kill()
    assert len(device.waiting()) == 2
