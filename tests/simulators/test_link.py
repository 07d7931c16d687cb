"""The line that can die, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from simulators.link import Link
from simulators.ports import free

LIMIT_S = 10


class Echo:
    """An upstream that answers what it gets and remembers what it saw."""

    def __init__(self):
        self.connections = 0
        self.received = b""
        self.ended = asyncio.Event()

    async def serve(self, reader, writer):
        self.connections += 1
        with contextlib.suppress(OSError):
            while data := await reader.read(1000):
                self.received += data
                writer.write(data)
                await writer.drain()
        self.ended.set()
        writer.close()


@contextlib.asynccontextmanager
async def line():
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    link = Link("127.0.0.1", server.sockets[0].getsockname()[1])
    await link.open()
    try:
        async with asyncio.timeout(LIMIT_S):
            yield link, echo
    finally:
        await link.close()
        server.close()
        await server.wait_closed()


async def say(streams, text):
    streams[1].write(text)
    await streams[1].drain()


async def hear(streams, count):
    return await streams[0].readexactly(count)


async def nothing_comes(streams):
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(streams[0].read(1), 0.2)


def test_it_carries_both_ways():
    async def main():
        async with line() as (link, _echo):
            near = await asyncio.open_connection("127.0.0.1", link.port)
            await say(near, b"hello")
            assert await hear(near, 5) == b"hello"
            near[1].close()

    asyncio.run(main())


def test_a_cut_line_is_silent_and_loses_nothing():
    async def main():
        async with line() as (link, echo):
            near = await asyncio.open_connection("127.0.0.1", link.port)
            await say(near, b"a")
            await hear(near, 1)
            link.cut()
            await say(near, b"b")
            await nothing_comes(near)
            assert echo.received == b"a"
            assert not echo.ended.is_set()
            link.restore()
            assert await hear(near, 1) == b"b"
            near[1].close()

    asyncio.run(main())


def test_a_connection_made_while_cut_waits():
    async def main():
        async with line() as (link, echo):
            link.cut()
            near = await asyncio.open_connection("127.0.0.1", link.port)
            await say(near, b"first")
            await nothing_comes(near)
            assert echo.connections == 0
            link.restore()
            assert await hear(near, 5) == b"first"
            near[1].close()

    asyncio.run(main())


def test_who_gives_up_while_cut_never_reaches_the_far_end():
    async def main():
        async with line() as (link, echo):
            link.cut()
            near = await asyncio.open_connection("127.0.0.1", link.port)
            await say(near, b"lost")
            near[1].close()
            await near[1].wait_closed()
            await link.idle()
            link.restore()
            other = await asyncio.open_connection("127.0.0.1", link.port)
            await say(other, b"x")
            assert await hear(other, 1) == b"x"
            assert (echo.connections, echo.received) == (1, b"x")
            other[1].close()

    asyncio.run(main())


def test_the_far_end_learns_of_an_end_only_when_the_line_is_back():
    async def main():
        async with line() as (link, echo):
            near = await asyncio.open_connection("127.0.0.1", link.port)
            await say(near, b"a")
            await hear(near, 1)
            link.cut()
            near[1].close()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(echo.ended.wait(), 0.2)
            link.restore()
            await echo.ended.wait()

    asyncio.run(main())


def test_a_dead_device_says_no_farewell():
    async def main():
        async with line() as (link, echo):
            near = await asyncio.open_connection("127.0.0.1", link.port)
            await say(near, b"a")
            await hear(near, 1)
            link.cut()
            await say(near, b"farewell")
            link.strand()
            near[1].close()
            link.restore()
            reborn = await asyncio.open_connection("127.0.0.1", link.port)
            await say(reborn, b"b")
            assert await hear(reborn, 1) == b"b"
            # the old connection is still there for the far end, and it heard nothing on it
            assert echo.received == b"ab"
            assert not echo.ended.is_set()
            reborn[1].close()

    asyncio.run(main())


def test_drop_ends_connections_and_close_refuses_new_ones():
    async def main():
        async with line() as (link, _echo):
            near = await asyncio.open_connection("127.0.0.1", link.port)
            await say(near, b"a")
            await hear(near, 1)
            await link.drop()
            with contextlib.suppress(ConnectionResetError):
                assert await near[0].read(1) == b""
            near[1].close()
            await link.close()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", link.port)

    asyncio.run(main())


def test_an_upstream_that_is_not_there_ends_the_connection():
    async def main():
        link = Link("127.0.0.1", free(1)[0])
        await link.open()
        async with asyncio.timeout(LIMIT_S):
            near = await asyncio.open_connection("127.0.0.1", link.port)
            with contextlib.suppress(ConnectionResetError):
                assert await near[0].read(1) == b""
            near[1].close()
        await link.close()

    asyncio.run(main())
