"""The Raspberry Pi's own supply: measurement ``pi_power``.

The firmware tells whether the supply is below 4.63 V, and whether it slows the processor down for that or
for heat: by a file of its driver or by ``vcgencmd get_throttled``. The kernel's own watch over the same bit
(hwmon ``rpi_volt``) costs nothing to ask: where it is there the command runs once an interval only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agent.errors import ReaderError
from agent.ports.command import run as run_command
from agent.readers.files import listing, read_text

if TYPE_CHECKING:
    from agent.readers.port import Fields, Reader, Row
    from agent.readers.ubus import Run
    from agent.timing import Clock

LIMIT_MS: Final = 1000
MOST_BYTES: Final = 256
_LONGEST: Final = 8  # hexadecimal digits of 32 bits
# bits of get_throttled (Raspberry Pi documentation, "vcgencmd"): now, and 16 higher since the start
LOW, CAPPED, THROTTLED, SOFT_LIMIT = 1 << 0, 1 << 1, 1 << 2, 1 << 3
SLOWED: Final = CAPPED | THROTTLED | SOFT_LIMIT
SEEN: Final = 16


def parse_throttled(text: str | None) -> int | None:
    """``throttled=0x50005`` of the command, ``50005`` of the driver's file."""
    digits = (text or "").strip().rpartition("=")[2].removeprefix("0x")
    if not 0 < len(digits) <= _LONGEST or set(digits.lower()) - set("0123456789abcdef"):
        return None
    return int(digits, 16)


def parse_alarm(text: str | None) -> int | None:
    """``in0_lcrit_alarm``: 0 or 1."""
    return int(text) if text in {"0", "1"} else None


class PiPower:
    """Reads one machine; ``root`` as in Host."""

    name = "pi_power"
    watched = ("undervoltage", "throttled")

    def __init__(self, clock: Clock, interval_ms: int, watch_ms: int, run: Run, root: str = "/") -> None:
        self.interval_ms = interval_ms
        self.watch_ms = watch_ms
        self._clock = clock
        self._run = run
        self._root = root
        self._file = self._find_file()
        self._bits: int | None = None
        self._seen = 0
        self._ask_at_ms = 0

    async def read(self) -> list[Row]:
        """Return the row; ReaderError ``nothing_readable`` on a machine that tells nothing of it."""
        alarm = self._alarm()
        bits = await self._throttled(spare=alarm is not None)
        low = (None if bits is None else bits & LOW) if alarm is None else alarm
        if low is None:
            raise ReaderError("nothing_readable", "neither the firmware nor hwmon tells of the supply")
        # some firmware forgets what it told once; what was seen stays seen
        self._seen |= (bits or 0) >> SEEN | (bits or 0) & (LOW | SLOWED) | low
        fields: Fields = {"undervoltage": int(bool(low)), "undervoltage_seen": int(bool(self._seen & LOW))}
        if bits is not None:
            fields["throttled"] = int(bool(bits & SLOWED))
            fields["throttled_seen"] = int(bool(self._seen & SLOWED))
        return [("pi_power", None, fields)]

    def _alarm(self) -> int | None:
        folder = self._root + "sys/class/hwmon/"
        for chip in listing(folder):
            if read_text(f"{folder}{chip}/name") == "rpi_volt":
                return parse_alarm(read_text(f"{folder}{chip}/in0_lcrit_alarm"))
        return None

    async def _throttled(self, *, spare: bool) -> int | None:
        if self._file is not None:
            return parse_throttled(read_text(self._file))
        now_ms = self._clock.uptime_ms()
        if now_ms >= self._ask_at_ms or not spare:
            self._ask_at_ms = now_ms + self.interval_ms
            self._bits = await self._asked()
        return self._bits

    async def _asked(self) -> int | None:
        try:
            output = await self._run(["vcgencmd", "get_throttled"], LIMIT_MS, MOST_BYTES)
            return parse_throttled(output.decode())
        except (ReaderError, UnicodeError):
            return None

    def _find_file(self) -> str | None:
        """Find ``platform/soc*/*firmware/get_throttled``, whose folders are named after the machine."""
        platform = self._root + "sys/devices/platform/"
        for soc in listing(platform):
            for part in listing(platform + soc) if soc.startswith("soc") else ():
                if part.endswith("firmware") and "get_throttled" in listing(f"{platform}{soc}/{part}"):
                    return f"{platform}{soc}/{part}/get_throttled"
        return None


def make_pi_power(_options: dict[str, Any], clock: Clock, sample_ms: int, watch_ms: int) -> Reader:
    """Build the reader."""
    return PiPower(clock, sample_ms, watch_ms, run_command)
