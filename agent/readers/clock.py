"""How right the clock is: what the kernel's loop says (adjtimex(2): ntpd, busybox, timesyncd), or chrony.

busybox's ntpd answers no questions, but leaves what it last measured in the kernel; chrony corrects the clock
by other means and leaves 0 there, so that it is asked itself, once a minute. ``offset_ms`` is clock minus
truth: positive is ahead. ``parse_*`` are pure.
"""

import struct

from agent.errors import ReaderError

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.readers.port import Fields, Row
    from agent.readers.ubus import Run
    from agent.timing import Clock

    Timex = Callable[[], tuple[int, bytes]]

# the beginning of struct timex in the machine's own sizes and byte order: modes, offset, freq, maxerror,
# esterror, status; musl keeps these longs at 32 bits on 32-bit machines, whatever the size of time_t
TIMEX = "Illlli"
_TIME_ERROR = 5
_STA_NANO = 0x2000  # offset is in ns, not in us
_STA_UNSYNC = 0x0040
_LIMIT_MS = 2000
_MOST_BYTES = 1024
_CHRONY_EVERY_MS = 60_000

# columns of chronyc's CSV, from the right: old versions have one fewer on the left
_ROOT_DELAY, _ROOT_DISPERSION, _LEAP, _SYSTEM_TIME, _STRATUM = -4, -3, -1, -10, -12
_COLUMNS = 13


def parse_timex(state: int, raw: bytes) -> "Fields":
    """State and ``struct timex`` as adjtimex gives them; nothing while the clock is not synchronised."""
    if state < 0 or state == _TIME_ERROR or len(raw) < struct.calcsize(TIMEX):
        return {}
    _, offset, _, max_error_us, _, status = struct.unpack(TIMEX, raw[: struct.calcsize(TIMEX)])
    if status & _STA_UNSYNC:
        return {}
    per_ms = 1_000_000 if status & _STA_NANO else 1000
    return {"offset_ms": -offset / per_ms, "max_error_ms": max_error_us / 1000, "source": "kernel"}


def parse_tracking(text: str) -> "Fields":
    """``chronyc -c tracking``: nothing unless chrony follows a source."""
    words = text.strip().split(",")
    if len(words) < _COLUMNS or words[_LEAP] == "Not synchronised":
        return {}
    try:
        stratum = int(words[_STRATUM])
        behind_s = float(words[_SYSTEM_TIME])
        distance_s = float(words[_ROOT_DELAY]) / 2 + float(words[_ROOT_DISPERSION])
    except ValueError:
        return {}
    if stratum <= 0:
        return {}
    return {
        "offset_ms": -behind_s * 1000,
        "max_error_ms": distance_s * 1000,
        "stratum": stratum,
        "source": "chrony",
    }


class ClockState:
    """The row ``clock``."""

    def __init__(self, clock: "Clock", timex: "Timex", run: "Run") -> None:
        self._clock = clock
        self._timex = timex
        self._run = run
        self._chrony: "Fields" = {}
        self._ask_at_ms: int | None = 0

    async def rows(self) -> "list[Row]":
        """Return whether the clock is synchronised and, when something can say, how well."""
        fields: "Fields" = {"synced": int(self._clock.wall_ms() is not None)}
        fields.update(parse_timex(*self._timex()))
        fields.update(await self._of_chrony())
        return [("clock", None, fields)]

    async def _of_chrony(self) -> "Fields":
        now_ms = self._clock.uptime_ms()
        if self._ask_at_ms is None or now_ms < self._ask_at_ms:
            return self._chrony
        self._ask_at_ms = now_ms + _CHRONY_EVERY_MS
        self._chrony = {}
        try:
            output = await self._run(["chronyc", "-c", "tracking"], _LIMIT_MS, _MOST_BYTES)
            self._chrony = parse_tracking(output.decode())
        except ReaderError as error:
            if error.reason == "command_missing":
                self._ask_at_ms = None  # not installed: not asked again
        except UnicodeError:
            pass
        return self._chrony
