"""A line that can die or be slow: a TCP proxy between a device and the broker.

``cut`` is what a dead backhaul looks like to both ends: nothing arrives, nothing is refused, connections
stay open until somebody's patience ends. ``restore`` delivers what TCP still holds, as retransmission
would. ``strand`` is what a dead device looks like to the broker: its connections stay, silent for ever.
``drop`` ends every connection at once. ``impair`` sets all that is wrong with it in one call.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from functools import partial

from simulators.lane import Lane, Pace
from simulators.protocols.sources import Impairment

_CHUNK = 65_536


class Link:
    """One device's line to the broker at ``host:port``. ``port`` is where the device connects."""

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self._open = asyncio.Event()
        self._open.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._life = 0  # of the device: what an earlier one had on the way is lost
        self._paces = Pace(), Pace()
        self._impairment = Impairment()
        self._host = "127.0.0.1"
        self.port = 0
        self.accepted = 0

    async def open(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; on port 0 on a free one."""
        self._host, self.port = host, port
        await self._listen()

    async def close(self) -> None:
        """Stop listening and end every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        await self.drop()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, self._host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    @property
    def impairment(self) -> Impairment:
        """What is wrong with it now."""
        return replace(self._impairment, cut=not self.up, refuse=self._server is None)

    def slow(self, *, delay_s: float = 0.0, jitter_s: float = 0.0, rate: float | None = None) -> None:
        """Let it be as slow as this, as ``Impairment`` says; a line that is cut stays so."""
        self._impairment = Impairment(delay_s=delay_s, jitter_s=jitter_s, rate=rate)

    async def impair(self, wrong: Impairment) -> None:
        """Let this be wrong with it from now on, and nothing else."""
        self.slow(delay_s=wrong.delay_s, jitter_s=wrong.jitter_s, rate=wrong.rate)
        if wrong.refuse:
            await self.close()
        elif self._server is None:
            await self._listen()
        if wrong.cut:
            self.cut()
        else:
            self.restore()

    @property
    def up(self) -> bool:
        """Tell whether the line carries."""
        return self._open.is_set()

    async def idle(self) -> None:
        """Return when every connection that exists now has ended."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Let the line go dead in both directions."""
        self._open.clear()

    def restore(self) -> None:
        """Let it carry again."""
        self._open.set()

    def strand(self) -> None:
        """Let the device's side of every connection be gone, unnoticed by the far end."""
        self._life += 1

    async def drop(self) -> None:
        """End every connection that exists now."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection in a task of its own."""
        self.accepted += 1
        task = asyncio.create_task(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect upstream once the line carries, then pump both ways until one side ends."""
        life = self._life
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(writer.transport.abort)
            first = await self._wait_for_line(reader)
            if first is None:
                return
            with contextlib.suppress(OSError):
                far_reader, far_writer = await asyncio.open_connection(*self._upstream)
                stack.callback(far_writer.transport.abort)
                far_writer.write(first)
                await self._pump_both(reader, writer, far_reader, far_writer)
                while life != self._life and await far_reader.read(_CHUNK):
                    pass  # nobody is there; the far end's own patience ends this

    async def _wait_for_line(self, reader: asyncio.StreamReader) -> bytes | None:
        """Return what the device sent while the line was dead; None when it gave up meanwhile."""
        held = bytearray()
        while not self.up:
            opened = asyncio.ensure_future(self._open.wait())
            read = asyncio.ensure_future(reader.read(_CHUNK))
            try:
                await asyncio.wait((opened, read), return_when=asyncio.FIRST_COMPLETED)
                if read.done():
                    if read.exception() or not read.result():
                        return None
                    held += read.result()
            finally:
                opened.cancel()
                read.cancel()
                await asyncio.gather(opened, read, return_exceptions=True)
        return bytes(held)

    async def _pump_both(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        far_reader: asyncio.StreamReader,
        far_writer: asyncio.StreamWriter,
    ) -> None:
        """Carry until either direction ends."""
        pumps = {
            asyncio.create_task(self._pump(reader, far_writer, self._paces[0])),
            asyncio.create_task(self._pump(far_reader, writer, self._paces[1])),
        }
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pace: Pace) -> None:
        """Carry one direction; what was read while the line is dead waits for it."""
        life = self._life

        async def deliver(data: bytes | None) -> None:
            await self._open.wait()
            if life != self._life:
                raise ConnectionAbortedError
            if data is not None:
                writer.write(data)
                await writer.drain()
                return
            writer.close()
            await writer.wait_closed()

        async with contextlib.AsyncExitStack() as stack:
            stack.enter_context(contextlib.suppress(OSError))
            lane: Lane | None = None
            running: asyncio.Task[None] | None = None
            while data := await reader.read(_CHUNK):
                if lane is None and self._slow:
                    # what is once slow stays in its lane, or it would overtake itself
                    lane = Lane(lambda: self._impairment, pace, deliver)
                    running = asyncio.create_task(lane.run())
                    running.add_done_callback(partial(_ended_badly, asyncio.current_task()))
                    stack.push_async_callback(_end, running)
                await (lane.put(data) if lane is not None else deliver(data))
            if lane is None or running is None:
                await deliver(None)
                return
            await lane.put(None)
            await running

    @property
    def _slow(self) -> bool:
        wrong = self._impairment
        return bool(wrong.delay_s or wrong.jitter_s or wrong.rate)


def _ended_badly(pump: asyncio.Task[None] | None, lane: asyncio.Task[None]) -> None:
    """End a pump whose lane has nowhere to deliver to."""
    if pump is not None and not lane.cancelled() and lane.exception() is not None:
        pump.cancel()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
