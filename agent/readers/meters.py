"""Meters of the mains on Modbus: measurement ``mains``, the instance is the meter's name.

The meters of one bus are asked one after the other, buses at the same time. A meter lives on the line that
it measures, so one that does not answer says something about the supply: ``answers`` turns to 0 after two
questions without an answer, for one can be a disturbance. A bus that cannot be reached (adapter pulled out,
gateway away) says nothing about the supply: ``line_lost``, and ``answers`` is left out. Values are those of
this very reading, or absent.
"""

import asyncio

from agent.errors import ReaderError
from agent.readers.meter_kinds import sane
from agent.readers.modbus import FRAME_ERRORS, TIMEOUTS, RtuEar, TcpEar
from agent.timing import LimitReached, within

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from agent.readers.meter_line import SerialLine, TcpLine
    from agent.readers.meter_spec import MeterSpec
    from agent.readers.port import Fields, Row
    from agent.timing import Clock

    Ear = RtuEar | TcpEar
    Line = SerialLine | TcpLine

OPEN_MS = 1000
PAUSES_MS = (2000, 4000, 8000, 16_000)  # before the next attempt at a line that is gone, by failures in a row
GRACE_MS = 30
MISSES = 2
BACKWARDS_W = 5.0  # less is a meter's rounding
_LOST = (OSError, EOFError, LimitReached)
COUNTERS = (TIMEOUTS, FRAME_ERRORS)  # always told; the others once they count


class Meter:
    """One meter, and what was heard of it."""

    def __init__(self, spec: "MeterSpec") -> None:
        """Know nothing yet."""
        self.spec = spec
        self._counts: "dict[str, int]" = {name: 0 for name in COUNTERS}  # noqa: C420 - MicroPython has no fromkeys with a default
        self._values: "Fields" = {}
        self._misses = 0
        self._heard = False
        self._backwards: "int | None" = None

    def hear(self, words: list[int]) -> None:
        """Take the registers of an answer."""
        values, bad = sane(self.spec.parse(words))
        self.count("bad_values", bad)
        self._values, self._misses, self._heard = dict(values), 0, True
        power = values.get("power", 0.0)
        if self.spec.signed and abs(power) >= BACKWARDS_W:
            self._backwards = int(power < 0)

    def miss(self, reason: str) -> None:
        """Take the news that there was no answer, or none that can be used."""
        self.count(reason, 1)
        self._values = {}
        self._misses += 1

    def count(self, name: str, more: int) -> None:
        """Count what disturbs."""
        if more:
            self._counts[name] = self._counts.get(name, 0) + more

    def fields(self, *, lost: bool) -> "Fields":
        """Return the fields of ``mains``."""
        fields: "Fields" = {"line_lost": int(lost)}
        if not lost:
            if self._misses >= MISSES or self._heard:
                fields["answers"] = int(self._misses < MISSES)
            fields.update(self._values)
        if self._backwards is not None:
            fields["backwards"] = self._backwards
        fields.update(self._counts)
        fields.update(self.spec.labels)
        return fields


class Bus:
    """A line and its meters."""

    def __init__(self, clock: "Clock", line: "Line", meters: list[Meter]) -> None:
        """Keep the line closed."""
        self.meters = meters
        self.trouble = ""
        self._clock = clock
        self._line = line
        self._tcp = meters[0].spec.scheme == "tcp"
        self._transaction = 0
        self._failures = 0
        self._wait_until_ms = 0

    async def read(self) -> None:
        """Ask every meter; ``trouble`` says what the line failed of."""
        if self.trouble and self._clock.uptime_ms() < self._wait_until_ms:
            return
        try:
            for meter in self.meters:
                await self._ask(meter)
            self.trouble, self._failures = "", 0
        except _LOST as error:
            await self._line.close()
            self.trouble = self.meters[0].spec.path + ": " + str(error)
            pause_ms = PAUSES_MS[min(self._failures, len(PAUSES_MS) - 1)]
            self._failures += 1
            self._wait_until_ms = self._clock.uptime_ms() + pause_ms
        except asyncio.CancelledError:
            await self._line.close()
            raise

    async def close(self) -> None:
        """Close the line."""
        await self._line.close()

    async def _ask(self, meter: Meter) -> None:
        if not self._line.is_open():
            await within(self._clock, self._line.open(), OPEN_MS)
        words: list[int] = []
        for address, count in meter.spec.blocks:
            self._transaction = (self._transaction + 1) & 0xFFFF
            kind = TcpEar if self._tcp else RtuEar
            ear: "Ear" = kind(meter.spec.unit, address, count, self._transaction)
            reason = await self._listen(ear, meter.spec.limit_ms(count), words)
            meter.count("echoes", ear.echoes)
            meter.count("strangers", ear.strangers)
            if reason:
                meter.miss(reason)
                if self._line.fickle:
                    await self._line.close()  # what comes late must not pass for the next answer either
                return
        meter.hear(words)

    async def _listen(self, ear: "Ear", limit_ms: int, words: list[int]) -> str:
        """Add the registers of the answer to ``words``; return why there is none."""
        await self._clock.sleep_ms(self._line.pause_ms)
        await self._line.write(ear.question)
        # when something held up the loop the answer may lie there though its time is over: look again
        for wait_ms in (limit_ms, GRACE_MS):
            try:
                words += await within(self._clock, self._answer(ear), wait_ms)
            except LimitReached:
                continue
            except ReaderError as error:
                return error.reason
            return ""
        return FRAME_ERRORS if ear.held else TIMEOUTS

    async def _answer(self, ear: "Ear") -> list[int]:
        while True:
            found = ear.take(await self._line.read())
            if found is not None:
                return found


class Meters:
    """Reads the meters of all lines."""

    name = "meters"
    watched = ("answers", "backwards", "line_lost")

    def __init__(self, buses: list[Bus], interval_ms: int, watch_ms: int) -> None:
        """Read no more often than the slowest line can."""
        worst_ms = max([sum([meter.spec.worst_ms() for meter in bus.meters]) for bus in buses]) + OPEN_MS
        usual_ms = max([sum([meter.spec.usual_ms() for meter in bus.meters]) for bus in buses])
        self.interval_ms = max(interval_ms, worst_ms)
        self.watch_ms = max(watch_ms, 2 * usual_ms) if watch_ms else 0
        self._buses = buses

    async def read(self) -> "list[Row]":
        """Return a row for each meter; ReaderError ``line_lost`` when no line can be reached."""
        if len(self._buses) == 1:
            await self._buses[0].read()
        else:
            await asyncio.gather(*[bus.read() for bus in self._buses])
        if all([bus.trouble for bus in self._buses]):  # noqa: C419 - for MicroPython
            raise ReaderError("line_lost", self._buses[0].trouble)
        rows: "list[Row]" = []
        for bus in self._buses:
            rows += [("mains", meter.spec.name, meter.fields(lost=bool(bus.trouble))) for meter in bus.meters]
        return rows

    async def close(self) -> None:
        """Close all lines."""
        for bus in self._buses:
            await bus.close()


def make_meters(meters: "dict[str, str]", clock: "Clock", interval_ms: int, watch_ms: int) -> Meters:
    """Return the reader for meters as the configuration names them."""
    from agent.readers.meter_line import SerialLine, TcpLine  # noqa: PLC0415 - only where there are some
    from agent.readers.meter_spec import lines  # noqa: PLC0415 - same

    buses = []
    for specs in lines(meters):
        line: "Line" = TcpLine(specs[0]) if specs[0].scheme else SerialLine(specs[0])
        buses.append(Bus(clock, line, [Meter(spec) for spec in specs]))
    return Meters(buses, interval_ms, watch_ms)
