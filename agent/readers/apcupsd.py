"""The UPS of an apcupsd, by its network information server: measurement ``upsd``, as far as the fields exist.

STATFLAG is the truth for flags: the words of STATUS are replaced by COMMLOST or SHUTTING DOWN. While apcupsd
has lost the UPS (COMMLOST) it repeats its last numbers: that is the contact state ``data_stale``, and they
are not taken. DATE is when apcupsd last polled the UPS, by default every 60 s, END APC when it wrote the
answer: the difference is the age of the numbers; the flags turn at once. One apcupsd serves one UPS.
"""

import asyncio

from agent.errors import ReaderError
from agent.readers import nis
from agent.readers.joining import FAILURES, Joining
from agent.readers.nis_client import NisClient
from agent.readers.ups_relations import STATUS
from agent.readers.ups_sane import Heard
from agent.readers.ups_state import WATCHED, UpsState
from agent.timing import within

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from agent.readers.port import Fields, Row
    from agent.timing import Clock

# bits of STATFLAG (apcupsd's include/defines.h) -> NUT's words
FLAG_BITS = (
    (0x001, "CAL"), (0x002, "TRIM"), (0x004, "BOOST"), (0x008, "OL"), (0x010, "OB"), (0x020, "OVER"),
    (0x040, "LB"), (0x080, "RB"), (0x200, "FSD"),
)  # fmt: skip
LOST_BITS = 0x100 | 0x800  # contact with the UPS, or as a slave with the master, is lost
BATTERY_BIT = 0x04000000
NO_BATTERY = "NOBATT"  # apcupsd's word; NUT has none

# key -> NUT's variable; factors by unit. What is not here is not read.
NUMBERS = {
    "BATTV": "battery.voltage",
    "BCHARGE": "battery.charge",
    "DLOWBATT": "battery.runtime.low",
    "DSHUTD": "ups.delay.shutdown",
    "DWAKE": "ups.delay.start",
    "HITRANS": "input.transfer.high",
    "ITEMP": "ups.temperature",
    "LINEFREQ": "input.frequency",
    "LINEV": "input.voltage",
    "LOADPCT": "ups.load",
    "LOTRANS": "input.transfer.low",
    "NOMAPNT": "ups.power.nominal",
    "NOMBATTV": "battery.voltage.nominal",
    "NOMINV": "input.voltage.nominal",
    "NOMOUTV": "output.voltage.nominal",
    "OUTPUTV": "output.voltage",
    "TIMELEFT": "battery.runtime",
}
UNITS = {
    "Volts": 1, "Percent": 1, "Hz": 1, "C": 1, "VA": 1, "Seconds": 1, "Minutes": 60, "Hours": 3600,
}  # fmt: skip
COUNTS = {"NUMXFERS": "number_transfers", "TONBATT": "time_on_battery"}
POLL_S = "60"  # apcupsd's own POLLTIME, where its times cannot be read
MAX_COUNT = 0x7FFFFFFF
LIMIT_MS = 1500  # as for upsd
MAX_NAME = 40
UNNAMED = "apcupsd"


class Status:
    """One answer to ``status``, taken record by record."""

    def __init__(self) -> None:
        """Begin with nothing heard."""
        self.name = UNNAMED
        self.flags: int | None = None
        self.heard = Heard()
        self.more: "Fields" = {}
        self._polled_s: int | None = None
        self._written_s: int | None = None

    def take(self, key: str, value: str) -> None:
        """Take one record; what is not known is left out."""
        if key in NUMBERS:
            self._number(NUMBERS[key], value)
        elif key in COUNTS:
            _count(self.more, COUNTS[key], value)
        elif key == "STATFLAG":
            self.flags = _hex(value)
        elif key == "UPSNAME":
            self.name = _name(value)
        elif key == "LASTXFER":
            self.heard.take("input.transfer.reason", value)
        elif key == "DATE":
            self._polled_s = nis.seconds(value)
        elif key == "END APC":
            self._written_s = nis.seconds(value)

    def finish(self) -> None:
        """Turn the flags into NUT's status; ReaderError ``garbage`` when there were none."""
        if self.flags is None:
            raise ReaderError("garbage", "a status without STATFLAG")
        self.heard.take(STATUS, " ".join(tokens(self.flags)))
        self.heard.take("driver.parameter.pollinterval", POLL_S)

    def lost(self) -> bool:
        """Tell whether apcupsd has lost the UPS."""
        return bool(self.flags is not None and self.flags & LOST_BITS)

    def age_ms(self) -> int | None:
        """Return how old the numbers are, None where the two times do not say it."""
        if self._polled_s is None or self._written_s is None or self._written_s < self._polled_s:
            return None
        return (self._written_s - self._polled_s) * 1000

    def _number(self, variable: str, value: str) -> None:
        parts = value.split()
        if len(parts) < 2 or parts[1] not in UNITS:  # noqa: PLR2004 (a number and its unit)
            return
        factor = UNITS[parts[1]]
        try:
            text = parts[0] if factor == 1 else str(float(parts[0]) * factor)
        except ValueError:
            text = parts[0]
        self.heard.take(variable, text)


def tokens(flags: int) -> list[str]:
    """Return NUT's words for a STATFLAG."""
    found = [word for bit, word in FLAG_BITS if flags & bit]
    return found if flags & BATTERY_BIT else found + [NO_BATTERY]  # noqa: RUF005 - MicroPython does not unpack in lists


def _hex(text: str) -> int | None:
    try:
        return int(text.split()[0], 16)  # noqa: PLC0207 - MicroPython's split takes no keywords
    except (ValueError, IndexError):
        return None


def _count(more: "Fields", field: str, value: str) -> None:
    word = (value.split() or [""])[0]
    if word.isdigit() and int(word) <= MAX_COUNT:
        more[field] = int(word)


def _name(text: str) -> str:
    plain = "".join(
        [c if c.isdigit() or "a" <= c.lower() <= "z" or c in "._-" else "-" for c in text[:MAX_NAME]]
    )
    return plain or UNNAMED


class Apcupsd:
    """Reads the UPS of one apcupsd: all of its status at every watch, for it is one answer."""

    name = "apcupsd"
    watched = WATCHED

    def __init__(
        self,
        clock: "Clock",
        interval_ms: int,
        watch_ms: int,
        client: NisClient,
        nominal_v: float | None = None,
    ) -> None:
        self.interval_ms = interval_ms
        self.watch_ms = watch_ms
        self._clock = clock
        self._limit_ms = min(LIMIT_MS, max(500, interval_ms // 2))
        self._client = client
        self._joining = Joining(clock, client.connected, client.connect)
        self._nominal_v = nominal_v
        self._name: str | None = None
        self._state = UpsState(nominal_v)
        self._one_at_a_time = asyncio.Lock()

    async def read(self) -> "list[Row]":
        """Return the row of the UPS; ReaderError ``server_lost`` or ``garbage`` while none is known."""
        async with self._one_at_a_time:
            status = Status()
            try:
                await within(self._clock, self._ask(status), self._limit_ms)
                self._joining.worked()
                self._hear(status)
            except FAILURES as error:
                await self._give_up(error)
                if self._name is None:
                    raise ReaderError(getattr(error, "reason", "server_lost"), "no UPS known: " + str(error))
                self._state.lose("server_lost")
            except asyncio.CancelledError:
                await self._give_up(None)
                raise
            return [("upsd", self._name, self._state.fields(self._clock.uptime_ms()))]

    async def close(self) -> None:
        """Drop the connection; the next read would make it anew."""
        await self._joining.close()
        await self._client.drop()

    async def _ask(self, status: Status) -> None:
        await self._joining.joined()
        await self._client.status(status.take)
        status.finish()

    def _hear(self, status: Status) -> None:
        if status.name != self._name:  # another UPS was put in its place
            self._name, self._state = status.name, UpsState(self._nominal_v)
        if status.lost():
            self._state.lose("data_stale")
        else:
            self._state.take(status.heard, self._clock.uptime_ms(), status.age_ms(), status.more)

    async def _give_up(self, error: Exception | None) -> None:
        if self._joining.under_way():
            return
        if error is not None and self._client.connected():
            self._joining.failed(error)
        await self._client.drop()
