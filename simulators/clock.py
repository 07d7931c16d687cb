"""A simulated device's own clock: its uptime begins when it is switched on, its kernel boot id is its own.

It has the shape of the agent's clock port. Real time only; sleeping is the event loop's.
"""

from __future__ import annotations

import asyncio
import os
import time


def now_ms() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


class DeviceClock:
    """The clock of one boot of one device. ``synchronised`` is what NTP would have reported."""

    def __init__(self, *, synchronised: bool = True, booted_ms_ago: int = 30_000) -> None:
        self.synchronised = synchronised
        self._boot_ns = time.monotonic_ns() - booted_ms_ago * 1_000_000
        self._boot_id = os.urandom(16)

    def uptime_ms(self) -> int:
        """Milliseconds since this boot, never backwards."""
        return (time.monotonic_ns() - self._boot_ns) // 1_000_000

    def wall_ms(self) -> int | None:
        """Milliseconds since 1970 UTC; None while not synchronised."""
        return now_ms() if self.synchronised else None

    async def sleep_ms(self, duration_ms: int) -> None:
        """Sleep in the event loop."""
        await asyncio.sleep(duration_ms / 1000.0)

    def kernel_boot(self) -> bytes:
        """Return the id of this boot, 16 bytes."""
        return self._boot_id

    def random_bytes(self, count: int) -> bytes:
        """Return that many random bytes."""
        return os.urandom(count)
