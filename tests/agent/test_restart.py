"""What an agent says at its start of how the last one ended: planned, killed, or the power gone with RAM."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agent import identity, loop
from agent.build import build
from agent.log import Log
from agent.ports.files import Files
from agent.samples import Sample, packed
from tests.agent.centre import Centre
from tests.agent.virtual import ScriptedTransport, VirtualClock

if TYPE_CHECKING:
    from agent.loop import Agent

QUIET = Log(lambda: 0, lambda _line: None)


class Life:
    """Starts of one device; the link is always down."""

    def __init__(self, config: dict[str, Any], folder: Path) -> None:
        config["intervals"] |= {"frame_s": 86_400}
        self.config = config
        self.centre = Centre(folder)
        self.clock = VirtualClock()
        self.kernel = b"\1" * 16
        self.clock.kernel_boot = lambda: self.kernel  # type: ignore[method-assign]  # that of this start

    def start(self) -> Agent:
        transport = ScriptedTransport()
        transport.refuse = "unreachable"
        return build(self.config, clock=self.clock, readers=[], transport=transport, log=QUIET)

    def planned(self) -> Agent:
        """A whole run, from start to an orderly stop."""

        async def run() -> Agent:
            agent = self.start()
            stop = asyncio.Event()
            task = asyncio.create_task(agent.run(stop))
            await self.clock.settle()
            stop.set()
            await self.clock.advance(10_000)
            await task
            return agent

        return asyncio.run(run())

    def killed(self, frames: int = 3) -> Agent:
        """A run that seals and is gone without a word."""

        async def run() -> Agent:
            agent = self.start()
            for _ in range(frames):
                sample = Sample(self.clock.now_ms, "system", None, {"load1": 1.0})
                await agent.parts.sealer.data(packed([sample]))
            return agent

        return asyncio.run(run())

    def lose_ram(self) -> None:
        shutil.rmtree(self.config["spool"]["ram_dir"])
        self.kernel = bytes([self.kernel[0] + 1]) * 16

    def dropped(self) -> dict[str, int]:
        """What the first frame of the next start says of losses."""
        agent = self.killed(1)
        [entry] = [
            e for e in agent.parts.spool.entries() if e.incarnation == agent.parts.identity.incarnation
        ]
        received = self.centre.take(entry.topic, agent.parts.spool.read(entry))
        return received.payload.dropped


@pytest.fixture
def life(config, device_folder, monkeypatch) -> Life:
    monkeypatch.setattr(loop, "FIRST_FRAME_MS", 86_400_000)
    return Life(config, device_folder)


def test_the_first_start_has_lost_nothing(life):
    assert life.dropped() == {}


def test_after_a_planned_stop_nothing_is_lost_with_ram(life):
    life.planned()
    life.lose_ram()
    assert life.dropped() == {}


def test_a_killed_process_loses_nothing_and_says_nothing(life):
    agent = life.killed()
    assert agent.status()["spooled"] == 3
    assert life.dropped() == {}
    assert life.killed(0).status()["spooled"] == 4


def test_a_power_cut_is_stated_by_the_next_start_and_by_every_one_until_the_machine_restarts(life):
    life.killed()
    life.lose_ram()
    assert life.dropped() == {"ram_wiped": 1}
    assert life.dropped() == {"ram_wiped": 1}
    life.planned()
    life.lose_ram()
    assert life.dropped() == {}


def test_a_crash_and_then_a_planned_stop_is_a_planned_stop(life):
    life.killed()
    life.planned()
    life.lose_ram()
    assert life.dropped() == {}


def test_what_one_process_dropped_the_next_one_tells(life):
    agent = life.killed()
    agent.parts.spool.lose(agent.parts.spool.entries()[0], "refused")
    assert life.dropped() == {"refused": 1}


def test_without_flash_nothing_is_known_and_nothing_claimed(life):
    life.config["spool"]["flash_dir"] = None
    life.killed()
    life.lose_ram()
    assert life.dropped() == {}


def test_the_planned_stop_writes_flash_once_more_and_a_killed_one_does_not(life):
    boot = Path(life.config["spool"]["flash_dir"]) / "boot"
    life.killed()
    assert boot.read_text() == "1"
    life.planned()
    assert boot.read_text() == "2 stopped"
    life.killed()
    assert boot.read_text() == "3"


@pytest.mark.parametrize("flash", [True, False])
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", 0), (b"12", 12), (b"12 stopped", 12), (b"-3", 0), (b"1.5", 0), (b"\xff\xfe", 0),
        (b" stopped", 0), (b"4294967294", (1 << 32) - 2), (b"4294967295", 0), (b"9" * 40, 0),
        (b"12 stoppe", 0), (b"\xc2\xb2", 0),
    ],
)  # fmt: skip
def test_a_boot_file_that_changed_begins_anew_and_stops_nobody(tmp_path, content, expected, flash):
    (tmp_path / "boot").write_bytes(content)
    folders = ("/nowhere", str(tmp_path)) if flash else (str(tmp_path), None)
    assert identity.read_boot(Files(), folders) == expected
    assert identity.ended_in_flight(Files(), folders) == (
        flash and expected > 0 and b"stopped" not in content
    )
    assert identity.count_boot(Files(), folders, QUIET) == (expected + 1, flash)


def test_a_flash_that_takes_no_mark_is_counted_only(tmp_path):
    class ReadOnly(Files):
        def write_new(self, path: str, data: bytes, *, sync: bool) -> None:
            raise OSError(30, "Read-only file system")

    lines: list[str] = []
    identity.mark_stopped(ReadOnly(), ("/nowhere", str(tmp_path)), 3, Log(lambda: 0, lines.append))
    assert "cannot be noted" in lines[0]
