"""Virtual time and a transport by script, so that minutes pass in milliseconds and always in the same way."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
from typing import TYPE_CHECKING

from agent.errors import LinkError

if TYPE_CHECKING:
    from collections.abc import Callable

SETTLE = 60  # turns of the loop after which everything that can run has run


class VirtualClock:
    """The agent's clock; time passes only in ``advance``."""

    def __init__(self, seed: int = 1) -> None:
        self.now_ms = 1_000_000
        self.wall: int | None = None
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = itertools.count()
        self._random = random.Random(seed)  # noqa: S311 - the same jitter in every run

    def uptime_ms(self) -> int:
        return self.now_ms

    def wall_ms(self) -> int | None:
        return self.wall

    async def sleep_ms(self, duration_ms: int) -> None:
        waker = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now_ms + max(0, duration_ms), next(self._count), waker))
        await waker

    def kernel_boot(self) -> bytes:
        return bytes(16)

    def random_bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)

    async def advance(self, duration_ms: int) -> None:
        """Let so much time pass, waking every sleeper at its time."""
        until_ms = self.now_ms + duration_ms
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= until_ms:
            at_ms, _, waker = heapq.heappop(self._sleepers)
            self.now_ms = max(self.now_ms, at_ms)
            if not waker.done():
                waker.set_result(None)
                await self.settle()
        self.now_ms = until_ms
        await self.settle()

    async def settle(self) -> None:
        for _ in range(SETTLE):
            await asyncio.sleep(0)


class ScriptedTransport:
    """Keeps the transport contract without a network. ``refuse`` makes connects fail, ``cut`` ends one."""

    def __init__(self) -> None:
        self.on_message: Callable[[str, bytes], None] = lambda _topic, _payload: None
        self.on_puback: Callable[[int], None] = lambda _mid: None
        self.on_lost: Callable[[str], None] = lambda _reason: None
        self.on_room: Callable[[], None] = lambda: None
        self.full = False
        self.refuse: str | None = None
        self.hang = False
        self.pubacks = True
        self.connected = False
        self.attempts = 0
        self.will: tuple[str, bytes] | None = None
        self.published_wills: list[tuple[str, bytes]] = []
        self.subscriptions: list[tuple[str, int]] = []
        self.sent: list[tuple[str, bytes]] = []
        self._mids = itertools.count(1)

    async def connect(self, will_topic: str, will_payload: bytes) -> None:
        self.attempts += 1
        if self.hang:
            await asyncio.get_running_loop().create_future()
        if self.refuse:
            raise LinkError(self.refuse)
        self.will = (will_topic, will_payload)
        self.connected = True

    async def subscribe(self, subscriptions: list[tuple[str, int]]) -> None:
        self._check()
        self.subscriptions = list(subscriptions)

    def publish(self, topic: str, payload: bytes) -> int:
        self._check()
        self.sent.append((topic, payload))
        mid = next(self._mids)
        if self.pubacks:
            asyncio.get_running_loop().call_soon(self._puback, mid)
        return mid

    def room(self) -> bool:
        return not self.full

    async def disconnect(self) -> None:
        self.connected = False
        self.will = None

    def close(self) -> None:
        if self.connected:
            self._end()

    def cut(self) -> None:
        """Lose the connection."""
        self._end()
        self.on_lost("cut")

    def deliver(self, topic: str, payload: bytes) -> None:
        """Bring a message from the broker."""
        assert self.connected
        self.on_message(topic, payload)

    def _puback(self, mid: int) -> None:
        if self.connected:
            self.on_puback(mid)

    def _end(self) -> None:
        self.connected = False
        if self.will is not None:
            self.published_wills.append(self.will)
            self.will = None

    def _check(self) -> None:
        if not self.connected:
            raise LinkError("not_connected")
