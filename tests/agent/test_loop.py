"""The whole agent in virtual time: when flash is written, what the agent says of itself, how it ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from agent.build import build
from agent.ports.files import Files
from tests.agent.centre import Centre
from tests.agent.test_sampler import ScriptedReader
from tests.agent.virtual import ScriptedTransport, VirtualClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent.readers.port import Row


class CountingFiles(Files):
    def __init__(self) -> None:
        self.flash_writes = 0

    def append(self, path: str, data: bytes, *, sync: bool) -> None:
        self.flash_writes += "/flash/" in path
        super().append(path, data, sync=sync)


class Bench:
    """An agent with a UPS whose state the test sets, on a link that acks while ``acking``."""

    def __init__(self, config: dict[str, Any], centre: Centre) -> None:
        config["intervals"] |= {"frame_s": 30, "resend_s": 60, "reconnect_s": 30}
        self.state: dict[str, float] = {"ob": 0, "battery_charge_percent": 100.0}
        self.clock = VirtualClock()
        self.transport = ScriptedTransport()
        self.files = CountingFiles()
        self.centre = centre
        reader = ScriptedReader("ups", self._read, watch_ms=2000)
        reader.watched = ("ob",)
        self.agent = build(
            config, clock=self.clock, readers=[reader], transport=self.transport, fs=self.files
        )
        self.boot_writes = self.files.flash_writes
        self._answered = 0

    def _read(self, _read: int) -> list[Row]:
        return [("upsd", "ups", dict(self.state))]

    async def run(self, duration_ms: int, *, acking: bool = True) -> None:
        for _ in range(duration_ms // 1000):
            await self.clock.advance(1000)
            if acking and self.transport.connected:
                self._answer()

    def _answer(self) -> None:
        fresh = self.transport.sent[self._answered :]
        self._answered = len(self.transport.sent)
        for topic, message in fresh:
            self.transport.deliver(*self.centre.ack(self.centre.take(topic, message)))


class BrokenSigner:
    kid = bytes(8)

    async def sign(self, message: bytes) -> bytes:
        raise RuntimeError("no signature")


@pytest.fixture
def bench(config, device_folder):
    def run(scenario: Callable[[Bench], Awaitable[None]]) -> None:
        async def whole() -> None:
            made = Bench(config, Centre(device_folder))
            stop = asyncio.Event()
            task = asyncio.create_task(made.agent.run(stop))
            await scenario(made)
            stop.set()
            await made.clock.advance(10_000)
            await task

        asyncio.run(whole())

    return run


def test_flash_is_never_written_with_the_link_up_and_mains_present(bench):
    async def scenario(made: Bench) -> None:
        await made.run(3_600_000)
        assert made.files.flash_writes == 0
        assert made.agent.status()["sealed"] >= 120
        assert made.agent.status()["spooled"] <= 1

    bench(scenario)


def test_a_link_down_for_30_s_puts_everything_into_flash_every_30_s(bench):
    async def scenario(made: Bench) -> None:
        await made.run(10_000)
        made.transport.refuse = "unreachable"
        made.transport.cut()
        await made.run(29_000)
        assert made.files.flash_writes == 0
        await made.run(600_000)
        assert 15 <= made.files.flash_writes <= 21
        status = made.agent.status()
        assert status["on_flash"] >= status["spooled"] - 1
        made.transport.refuse = None
        await made.run(120_000)
        assert made.agent.status()["on_flash"] == 0

    bench(scenario)


def test_going_on_battery_is_in_flash_at_once(bench):
    async def scenario(made: Bench) -> None:
        await made.run(10_000)
        made.state["ob"] = 1
        await made.run(3000, acking=False)
        assert [entry.kind for entry in made.agent.parts.spool.entries()] == ["event"]
        assert made.agent.status()["on_flash"] == 1
        made.state["battery_charge_percent"] = 89.0
        await made.run(3000, acking=False)
        assert made.agent.status()["on_flash"] == 2

    bench(scenario)


def test_the_agent_reports_on_itself_and_its_readers(bench):
    async def scenario(made: Bench) -> None:
        await made.run(70_000)
        tables = [table for received in made.centre.of("data") for table in received.payload.tables]
        (own, *_) = [table for table in tables if table[:2] == ["agent", None]]
        assert {"boot_unsaved", "spool_frames", "link_sessions", "frames_sealed", "rss_bytes"} <= set(own[2])
        assert [table for table in tables if table[:2] == ["agent", "ups"]]
        times = [table for table in tables if table[0] == "upsd"]
        assert sum(len(table[3]) for table in times) == 7  # a sample each 10 s, nothing of the watching

    bench(scenario)


def test_a_failure_of_the_agent_itself_ends_it_and_is_raised(config, device_folder):
    async def run() -> None:
        made = Bench(config, Centre(device_folder))

        made.agent.parts.sealer._envelope._signer = BrokenSigner()
        task = asyncio.create_task(made.agent.run(asyncio.Event()))
        await made.clock.advance(10_000)
        with pytest.raises(RuntimeError, match="no signature"):
            await task

    asyncio.run(run())


def test_cancelling_leaves_everything_in_the_spool_and_the_will_to_the_broker(config, device_folder):
    async def run() -> None:
        made = Bench(config, Centre(device_folder))
        task = asyncio.create_task(made.agent.run(asyncio.Event()))
        await made.run(40_000, acking=False)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await made.clock.settle()
        assert len(made.transport.published_wills) == 1
        assert made.agent.status()["on_flash"] == made.agent.status()["sealed"]
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())
