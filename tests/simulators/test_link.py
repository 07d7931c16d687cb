"""The line that can die, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

from simulators.link import Link
from simulators.ports import free
from simulators.protocols.sources import Impairment

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


async def answered_after_s(link, text):
    started = time.monotonic()
    near = await asyncio.open_connection("127.0.0.1", link.port)
    await say(near, text)
    assert await hear(near, len(text)) == text
    near[1].close()
    return time.monotonic() - started


@pytest.mark.parametrize("wrong", [Impairment(delay_s=0.15), Impairment(delay_s=0.15, jitter_s=0.05)])
def test_a_slow_line_delays_both_ways(wrong):
    async def main():
        async with line() as (link, _echo):
            await link.impair(wrong)
            assert await answered_after_s(link, b"ping") >= 0.3
            await link.impair(Impairment(delay_s=60))
            await link.impair(Impairment())
            assert await answered_after_s(link, b"ping") < LIMIT_S

    asyncio.run(main())


def test_what_jitters_keeps_its_order():
    sent = b"".join(n.to_bytes(2, "big") for n in range(200))

    async def main():
        async with line() as (link, echo):
            await link.impair(Impairment(jitter_s=0.05))
            near = await asyncio.open_connection("127.0.0.1", link.port)
            for place in range(0, len(sent), 20):
                await say(near, sent[place : place + 20])
                await asyncio.sleep(0.002)
            assert await hear(near, len(sent)) == sent
            assert echo.received == sent
            near[1].close()

    asyncio.run(main())


def test_a_delay_does_not_keep_a_second_message_waiting_for_the_first():
    async def main():
        async with line() as (link, _echo):
            await link.impair(Impairment(delay_s=1))
            near = await asyncio.open_connection("127.0.0.1", link.port)
            started = time.monotonic()
            await say(near, b"a")
            await asyncio.sleep(0.1)
            await say(near, b"b")
            assert await hear(near, 2) == b"ab"
            assert 2.1 <= time.monotonic() - started < 3  # one after the other it would be 3 and more
            near[1].close()

    asyncio.run(main())


def test_a_narrow_line_shares_its_rate_among_all_connections():
    async def main():
        async with line() as (link, _echo):
            await link.impair(Impairment(rate=20_000))
            started = time.monotonic()
            await asyncio.gather(*(answered_after_s(link, bytes(5_000)) for _ in range(2)))
            # 10,000 bytes up and down at once: half a second, and the last pieces come back after that
            assert time.monotonic() - started >= 0.5

    asyncio.run(main())


def test_a_line_that_refuses_ends_what_is_open_and_is_the_same_afterwards():
    async def main():
        async with line() as (link, _echo):
            near = await asyncio.open_connection("127.0.0.1", link.port)
            await say(near, b"a")
            await hear(near, 1)
            port = link.port
            await link.impair(Impairment(refuse=True))
            assert link.impairment == Impairment(refuse=True)
            with contextlib.suppress(ConnectionResetError):
                assert await near[0].read(1) == b""
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)
            near[1].close()
            await link.impair(Impairment())
            assert link.port == port
            assert await answered_after_s(link, b"b") >= 0

    asyncio.run(main())


def test_a_slow_line_that_is_cut_loses_nothing_and_a_dead_device_says_nothing_on_it():
    async def main():
        async with line() as (link, echo):
            await link.impair(Impairment(delay_s=0.05))
            near = await asyncio.open_connection("127.0.0.1", link.port)
            await say(near, b"a")
            link.cut()
            await nothing_comes(near)
            link.restore()
            assert await hear(near, 1) == b"a"
            link.cut()
            await say(near, b"farewell")
            link.strand()
            near[1].close()
            link.restore()
            assert await answered_after_s(link, b"b") >= 0.1
            assert echo.received == b"ab"

    asyncio.run(main())
