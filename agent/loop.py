"""The running agent: what is started, in which order it stops, and what it says of itself."""

import asyncio

from agent.ports.memory import memory, recycle_seldom
from agent.sampler import Sampler
from agent.samples import clean
from agent.timing import wait_for_event

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any, Protocol

    from agent.identity import Identity
    from agent.keeper import Keeper
    from agent.log import Log
    from agent.publisher import Publisher
    from agent.readers.port import Reader
    from agent.samples import Sample
    from agent.sealer import Sealer
    from agent.shelf import Entry
    from agent.spool import Spool
    from agent.timing import Clock

    class Page(Protocol):
        """What is served to people beside the agent; it keeps its failures to itself."""

        async def run(self) -> None:
            """Serve until cancelled."""


KEEP_MS = 5000
SETTLED_FRAMES = 3  # birth, and the first two with data
FIRST_FRAME_MS = 3000  # a technician at the device should not wait a whole interval


class Parts:
    """What an agent is made of, so that one name passes it on."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts, by name
        self,
        identity: "Identity",
        clock: "Clock",
        log: "Log",
        spool: "Spool",
        sealer: "Sealer",
        publisher: "Publisher",
        keeper: "Keeper",
    ) -> None:
        """Keep the parts as they are."""
        self.identity = identity
        self.clock = clock
        self.log = log
        self.spool = spool
        self.sealer = sealer
        self.publisher = publisher
        self.keeper = keeper


class Agent:
    """Samples, seals, spools and publishes until told to stop."""

    def __init__(self, parts: Parts, readers: "list[Reader]", frame_ms: int, *, boot_unsaved: bool) -> None:
        """Follow ``readers`` with a data frame every ``frame_ms``."""
        self.parts = parts
        self.sampler = Sampler(parts.clock, readers, parts.log, self.event)
        parts.sealer.lost_samples = self.sampler.lost_count
        self._frame_ms = frame_ms
        self._boot_unsaved = boot_unsaved
        self._ended = asyncio.Event()
        self._failure: "BaseException | None" = None
        self._started_ms = parts.clock.uptime_ms()
        self.all_kept: "Callable[[], None]" = _nobody  # called at the end when nothing is left in RAM alone
        self.after_frame: "Callable[[], None]" = _nobody
        self.page: "Page | None" = None  # what is served beside the agent's own work

    async def run(self, stop: asyncio.Event) -> None:
        """Return after an orderly stop; raise what made a part of the agent itself fail."""
        publishing = asyncio.create_task(self._guarded(self.parts.publisher.run()))
        sealing = asyncio.create_task(self._guarded(self._seal_forever()))
        keeping = asyncio.create_task(self._guarded(self._keep_forever()))
        until = asyncio.create_task(self._until(stop))
        serving = asyncio.create_task(self.page.run()) if self.page else None
        self.sampler.start()
        try:
            await self._ended.wait()
            await self.sampler.stop()
            await sealing
            self.parts.publisher.stop(await self._last_word())
            await publishing
        finally:
            for task in (publishing, sealing, keeping, until):
                task.cancel()
            if serving is not None:
                serving.cancel()
            self.sampler.cancel()
            self.parts.spool.flush()
        if self.parts.spool.on_flash() == self.parts.spool.frames():
            self.all_kept()
        if self._failure is not None:
            raise self._failure

    async def event(self, samples: "list[Sample]") -> None:
        """Seal what turned, and see that it survives a power cut."""
        await self.parts.sealer.event(samples)
        self._keep(event=True)

    def status(self) -> "dict[str, Any]":
        """Return what this agent knows of itself: texts, numbers, and counters by reason."""
        parts = self.parts
        return {
            "device": parts.identity.device,
            "incarnation": parts.identity.incarnation.hex(),
            "boot": parts.identity.boot,
            "started_ms": self._started_ms,
            "heard_ms": parts.publisher.heard_ms,
            "link": parts.publisher.link.state,
            "sessions": parts.publisher.link.sessions,
            "sealed": parts.sealer.next_seq,
            "spooled": parts.spool.frames(),
            "spool_bytes": parts.spool.size(),
            "on_flash": parts.spool.on_flash(),
            "outstanding": parts.publisher.outstanding(),
            "on_battery": self.sampler.power.on_battery(),
            "dropped": dict(parts.spool.dropped),
            "counts": dict(parts.publisher.counts),
        }

    async def _guarded(self, work: "Coroutine[Any, Any, None]") -> None:
        """Run a part; when it fails the agent ends, for whoever supervises it to start anew."""
        try:
            await work
        except Exception as failure:  # noqa: BLE001 - raised again at the end of run
            self._failure = failure
            self._ended.set()

    async def _until(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._ended.set()

    async def _last_word(self) -> "Entry | None":
        """Seal what is left and the planned stop; after a failure of our own there is nothing to plan."""
        if self._failure is not None:
            return None
        await self._seal()
        return await self.parts.sealer.event([], stop=True)

    async def _seal_forever(self) -> None:
        wait_ms = min(FIRST_FRAME_MS, self._frame_ms)
        while not await wait_for_event(self.parts.clock, self._ended, wait_ms):
            await self._seal()
            wait_ms = self._frame_ms

    async def _seal(self) -> None:
        now_ms = self.parts.clock.uptime_ms()
        own, _ = clean(now_ms, [("agent", None, self._own_fields())])
        self.sampler.keep(own)
        await self.parts.sealer.data(self.sampler.take())
        if self.parts.sealer.next_seq >= SETTLED_FRAMES:
            recycle_seldom()
        self.after_frame()

    async def _keep_forever(self) -> None:
        while not await wait_for_event(self.parts.clock, self._ended, KEEP_MS):
            self._keep(event=False)

    def _keep(self, *, event: bool) -> None:
        now_ms = self.parts.clock.uptime_ms()
        down_ms = self.parts.publisher.link.down_ms()
        on_battery = self.sampler.power.on_battery()
        wanted = self.parts.keeper.due(now_ms, down_ms=down_ms, on_battery=on_battery, event=event)
        if wanted and self.parts.spool.flush():
            self.parts.keeper.written(now_ms)

    def _own_fields(self) -> dict[str, int]:
        parts = self.parts
        fields = {
            "boot_unsaved": int(self._boot_unsaved),
            "spool_frames": parts.spool.frames(),
            "spool_bytes": parts.spool.size(),
            "dropped_data": parts.spool.dropped.get("data", 0),
            "dropped_event": parts.spool.dropped.get("event", 0),
            "link_sessions": parts.publisher.link.sessions,
            "frames_sealed": parts.sealer.next_seq,
        }
        fields.update(memory())
        return fields


def _nobody() -> None:
    """Nobody wants to know."""
