"""The collector's clock, passed through constructors so that tests and replays bring their own."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Wall time and a clock that never steps."""

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC."""

    def mono(self) -> float:
        """Seconds of a clock that never goes back."""


class SystemClock:
    """The machine's own clocks."""

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC."""
        return time.time_ns() // 1_000_000

    def mono(self) -> float:
        """Seconds of a clock that never goes back."""
        return time.monotonic()
