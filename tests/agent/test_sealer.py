"""Frames as the sealer makes them: numbered without holes, split when too large, honest about the clock."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from agent.build import device_signer
from agent.identity import Identity, count_boot, hello
from agent.keeper import EVERY_MS, Keeper
from agent.log import Log
from agent.ports.clock import SystemClock
from agent.ports.files import Files
from agent.samples import Sample, packed
from agent.sealer import Envelope, Sealer
from agent.spool import Spool
from agent.wire import frame
from tests.agent.centre import Centre
from tests.agent.virtual import VirtualClock

if TYPE_CHECKING:
    from pathlib import Path

QUIET = Log(lambda: 0, lambda _line: None)


class Bench:
    def __init__(self, config: dict[str, Any], folder: Path) -> None:
        self.clock = VirtualClock()
        self.spool = Spool(Files(), (config["spool"]["ram_dir"], None), 1 << 20, QUIET)
        self.spool.recover(config["device"])
        identity = Identity(config, self.clock, 7, hello(config, []))
        self.sealer = Sealer(identity, Envelope(identity, self.clock, device_signer(config)), self.spool)
        self.centre = Centre(folder)

    def sealed(self) -> list[Any]:
        return [self.centre.take(entry.topic, self.spool.read(entry)) for entry in self.spool.entries()]


def big(count: int, size: int) -> list[Sample]:
    return [Sample(1_000_000, "net", f"eth{i}", {"text": "x" * size}) for i in range(count)]


def test_what_is_too_large_for_a_message_is_split_and_complete(config, device_folder):
    bench = Bench(config, device_folder)
    asyncio.run(bench.sealer.data(packed(big(1000, 250))))
    sealed = bench.sealed()
    assert len(sealed) > 1
    assert [one.seq for one in sealed] == list(range(len(sealed)))
    assert [table[1] for one in sealed for table in one.payload.tables] == [f"eth{i}" for i in range(1000)]
    assert max(entry.size for entry in bench.spool.entries()) < frame.MAX_BYTES + 100


def test_samples_older_than_a_frame_may_say_are_counted(config, device_folder):
    bench = Bench(config, device_folder)
    bench.clock.now_ms += frame.MAX_AGE_MS + 1
    asyncio.run(bench.sealer.data(packed(big(3, 1))))
    asyncio.run(bench.sealer.data([]))
    assert bench.sealed()[-1].payload.dropped == {"samples": 3}


def test_wall_time_only_when_the_clock_is_synchronised(config, device_folder):
    bench = Bench(config, device_folder)
    asyncio.run(bench.sealer.data([]))
    bench.clock.wall = 1_700_000_000_000
    asyncio.run(bench.sealer.data([]))
    assert [one.payload.wall_ms for one in bench.sealed()] == [None, 1_700_000_000_000]


def test_frames_sealed_at_the_same_time_are_numbered_one_by_one(config, device_folder):
    bench = Bench(config, device_folder)

    async def run() -> None:
        await asyncio.gather(*[bench.sealer.event(big(1, 1)) for _ in range(20)])

    asyncio.run(run())
    assert [one.seq for one in bench.sealed()] == list(range(20))
    assert {one.payload.boot for one in bench.sealed()} == {7}


def test_the_boot_counter_counts_and_says_when_it_cannot(tmp_path):
    folders = (str(tmp_path / "ram"), str(tmp_path / "flash"))
    assert [count_boot(Files(), folders, QUIET) for _ in range(3)] == [(1, True), (2, True), (3, True)]
    (tmp_path / "flash" / "boot").write_bytes(b"nonsense")
    assert count_boot(Files(), folders, QUIET) == (1, True)
    assert count_boot(Files(), (str(tmp_path / "ram"), None), QUIET) == (1, False)

    class ReadOnly(Files):
        def write_new(self, path: str, data: bytes, *, sync: bool) -> None:
            raise OSError(30, "Read-only file system")

    assert count_boot(ReadOnly(), folders, QUIET) == (2, False)


def test_flash_is_written_only_when_it_must_be():
    keeper = Keeper()
    assert not keeper.due(0, down_ms=0, on_battery=False, event=True)
    assert not keeper.due(0, down_ms=29_999, on_battery=False, event=True)
    assert keeper.due(0, down_ms=30_000, on_battery=False, event=False)
    assert keeper.due(0, down_ms=0, on_battery=True, event=False)
    keeper.written(1000)
    assert not keeper.due(1001, down_ms=0, on_battery=True, event=False)
    assert keeper.due(1000 + EVERY_MS, down_ms=0, on_battery=True, event=False)
    at_once = [keeper.due(1001, down_ms=0, on_battery=True, event=True) for _ in range(20)]
    assert at_once.count(True) == 10


def test_the_machine_s_clock():
    clock = SystemClock()
    first = clock.uptime_ms()
    assert clock.uptime_ms() >= first > 0
    assert len(clock.kernel_boot()) == 16
    assert len(clock.random_bytes(8)) == 8
    wall_ms = clock.wall_ms()
    assert wall_ms is None or wall_ms > 1_600_000_000_000
