"""A stopwatch finer than 1 ms, on both interpreters."""

import time

if hasattr(time, "ticks_us"):  # MicroPython

    def now_us() -> int:
        """Return a stamp for ``since_ms``."""
        return int(time.ticks_us())  # type: ignore[attr-defined]  # its own

    def since_ms(stamp_us: int) -> float:
        """Return the milliseconds since a stamp of ``now_us``."""
        return float(time.ticks_diff(time.ticks_us(), stamp_us)) / 1000  # type: ignore[attr-defined]  # MicroPython's

else:

    def now_us() -> int:
        """Return a stamp for ``since_ms``."""
        return time.perf_counter_ns() // 1000

    def since_ms(stamp_us: int) -> float:
        """Return the milliseconds since a stamp of ``now_us``."""
        return (time.perf_counter_ns() // 1000 - stamp_us) / 1000
