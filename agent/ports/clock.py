"""The machine's clocks: time since its start, and wall time only when it is known to be right.

OpenWrt sets a clock without battery to the newest file's time, so a plausible wall time proves nothing.
The kernel says whether a time service disciplines its clock (adjtimex(2), STA_UNSYNC); it forgets at boot.
"""

import asyncio
import os
import time

try:
    from agent.cpython.kernel import adjtimex, timex, uptime_ms
except ImportError:  # MicroPython has neither ctypes nor clock_gettime
    from agent.ports.micropython import adjtimex, timex, uptime_ms

__all__ = ("SystemClock", "timex")

_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_BOOT_ID = "/proc/sys/kernel/random/boot_id"  # random(4): drawn at every start of the kernel


class SystemClock:
    """What the agent knows of time, and the other two things it asks of the kernel."""

    def __init__(self) -> None:
        """Read what never changes while the kernel runs."""
        with open(_BOOT_ID) as file:
            self._kernel_boot = bytes.fromhex(file.read().strip().replace("-", ""))

    def uptime_ms(self) -> int:
        """Milliseconds since the kernel's start, sleep included (CLOCK_BOOTTIME)."""
        return uptime_ms()

    def wall_ms(self) -> "int | None":
        """Milliseconds since 1970 UTC; None unless the kernel says that its clock is synchronised."""
        state = adjtimex()
        if state < 0 or state == _TIME_ERROR:
            return None
        return time.time_ns() // 1_000_000

    async def sleep_ms(self, duration_ms: int) -> None:
        """Let others run for so long."""
        await asyncio.sleep(duration_ms / 1000)

    def kernel_boot(self) -> bytes:
        """Return the 16 bytes that are new at every start of the kernel."""
        return self._kernel_boot

    def random_bytes(self, count: int) -> bytes:
        """Return bytes of the kernel's random source."""
        return os.urandom(count)
