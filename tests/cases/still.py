"""A clock for readers under test; apart from the runner, which needs the heap for every reader there is."""

import asyncio


class Clock:
    """Time that stands still, unsynchronised."""

    now_ms = 5000

    def uptime_ms(self) -> int:
        return self.now_ms

    def wall_ms(self) -> "int | None":
        return None

    async def sleep_ms(self, duration_ms: int) -> None:
        await asyncio.sleep(duration_ms / 1000)

    def kernel_boot(self) -> bytes:
        return bytes(16)

    def random_bytes(self, count: int) -> bytes:
        return bytes(count)
