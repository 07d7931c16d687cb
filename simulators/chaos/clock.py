"""The clock of a device whose time is wrong: not set, or stepping; its uptime outlives the agent."""

from __future__ import annotations

import os
import time

from simulators.clock import DeviceClock, now_ms


class ChaosClock(DeviceClock):
    """``boot_ns`` is when the device booted (monotonic), ``boot_id`` names that boot.

    ``phase`` counts the steps seen by this agent; ``offset_ms`` None: not synchronised.
    """

    def __init__(self, boot_ns: int, boot_id: bytes, offset_ms: int | None) -> None:
        super().__init__()
        self._boot_ns = boot_ns
        self._boot_id = boot_id
        self._offset_ms = offset_ms
        self.phase = 0

    def step(self, offset_ms: int | None) -> None:
        """Let wall time be off by this from now on."""
        self._offset_ms = offset_ms
        self.phase += 1

    def wall_ms(self) -> int | None:
        """Milliseconds since 1970 UTC as this device believes; None while not synchronised."""
        return None if self._offset_ms is None else now_ms() + self._offset_ms


def old_clock(days: int) -> ChaosClock:
    """Return the clock of a boot some days ago."""
    return ChaosClock(time.monotonic_ns() - 60_000_000_000, os.urandom(16), -days * 86_400_000)
