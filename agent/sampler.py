"""Readers, each in a task of its own: when they are read, how long they may take, what turned.

A reader that fails or hangs costs its own data only and shows as ``agent/reader_ok = 0``. A reader that
blocks the loop without awaiting cannot be bounded by anyone.
"""

import asyncio

from agent.errors import ReaderError
from agent.ports.memory import fitting
from agent.power import PowerWatch
from agent.samples import Sample, Waiting, clean
from agent.timing import LimitReached, within

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent.log import Log
    from agent.readers.port import Reader
    from agent.samples import Parts, Value
    from agent.timing import Clock

MIN_LIMIT_MS = 1000
MAX_LIMIT_MS = 10_000
MAX_PENDING = fitting(4000, 128)  # samples that wait for a frame; more means that sealing fails
CALM_MS = 100  # between two reads, however often the system tells of a turn
TURN_MS = 400  # a read that is due waits so long, at the most, for another: all at once take 40 KB of a heap
TURN_STEP_MS = 50
EARLY_MS = 10  # the uptime comes in steps of 10 ms: a read that is due may seem to be so much too early
EVENT_BURST = 20
EVENT_EVERY_MS = 15_000  # what flaps for long goes into data frames instead, with the same resolution


class Budget:
    """A token bucket: ``burst`` at once, then one every ``every_ms``."""

    def __init__(self, burst: int, every_ms: int) -> None:
        """Begin full."""
        self._burst = burst
        self._every_ms = every_ms
        self._left = float(burst)
        self._at_ms = 0

    def take(self, now_ms: int) -> bool:
        """Take one if there is one."""
        if self.wait_ms(now_ms) > 0:
            return False
        self._left -= 1
        return True

    def wait_ms(self, now_ms: int) -> int:
        """Return in how many ms there is one."""
        self._left = min(float(self._burst), self._left + (now_ms - self._at_ms) / self._every_ms)
        self._at_ms = now_ms
        return 0 if self._left >= 1 else int((1 - self._left) * self._every_ms) + 1


class Watch:
    """One reader with what is remembered of it between two reads."""

    def __init__(self, reader: "Reader") -> None:
        """Begin without a reading."""
        self.reader = reader
        self.ok = True
        self.took_ms = 0
        self.failures = 0
        self.budget = Budget(EVENT_BURST, EVENT_EVERY_MS)
        self._fields: tuple[str, ...] = tuple(getattr(reader, "watched", ()))
        self._last: "dict[tuple[str, str | None], list[Value]]" = {}

    def period_ms(self) -> int:
        """Return the time between two reads."""
        interval_ms = self.reader.interval_ms
        return min(self.reader.watch_ms, interval_ms) if self.reader.watch_ms else interval_ms

    def limit_ms(self) -> int:
        """Return how long one read may take."""
        return min(max(self.reader.interval_ms, MIN_LIMIT_MS), MAX_LIMIT_MS)

    def turned(self, samples: list[Sample]) -> bool:
        """Remember the watched fields; True when one differs from the reading before."""
        if not self._fields:
            return False
        first = not self._last
        changed = False
        for sample in samples:
            values = [sample.fields.get(name) for name in self._fields]
            key = (sample.measurement, sample.instance)
            changed = changed or self._last.get(key) != values
            self._last[key] = values
        return changed and not first

    def own_sample(self, now_ms: int) -> Sample:
        """Return the row ``agent`` of this reader."""
        fields: "dict[str, Value]" = {
            "reader_ok": int(self.ok),
            "reader_ms": self.took_ms,
            "reader_failures": self.failures,
        }
        return Sample(now_ms, "agent", self.reader.name, fields)


class Sampler:
    """Reads all readers until stopped; samples wait in ``take``, events go to ``on_event`` at once."""

    def __init__(
        self,
        clock: "Clock",
        readers: "list[Reader]",
        log: "Log",
        on_event: "Callable[[list[Sample]], Awaitable[None]]",
    ) -> None:
        """Follow ``readers``; ``on_event`` gets the whole reading in which something turned."""
        self._clock = clock
        self._watches = [Watch(reader) for reader in readers]
        self._log = log
        self._on_event = on_event
        self._waiting = Waiting(MAX_PENDING)
        self._reading: "Watch | None" = None  # whose turn it is
        self._tasks: "list[asyncio.Task[None]]" = []
        self._ended = False
        self._began_ms = 0
        self.power = PowerWatch()
        self.lost = 0  # samples that no frame could take
        self.on_reading: "Callable[[str, list[Sample], str], None] | None" = None  # (reader, samples, error)

    def start(self) -> None:
        """Begin to read."""
        self._began_ms = self._clock.uptime_ms()
        self._tasks = [asyncio.create_task(self._follow(watch)) for watch in self._watches]

    async def stop(self) -> None:
        """End reading and let readers close what they hold."""
        self.cancel()
        for task in self._tasks:
            try:
                await task
            except asyncio.CancelledError:
                pass
        self._tasks = []
        for watch in self._watches:
            close = getattr(watch.reader, "close", None)
            if close is not None:
                await self._close(watch, close)

    def cancel(self) -> None:
        """End reading without waiting for anything."""
        self._ended = True
        for task in self._tasks:
            task.cancel()

    def take(self) -> "Parts":
        """Return the samples since the last call."""
        return self._waiting.take()

    def lost_count(self) -> int:
        """Return how many samples no frame could take."""
        return self.lost

    async def read_once(self) -> "list[tuple[str, list[Sample], str]]":
        """Read every reader once; return (name, samples, error text or empty) of each."""
        results = []
        for watch in self._watches:
            samples, error = await self._read(watch)
            results.append((watch.reader.name, samples, error))
        return results

    async def _follow(self, watch: Watch) -> None:
        tick_ms = sample_ms = self._began_ms  # of all readers, so that one wakeup serves them all
        while not self._ended:  # a cancellation in the moment of a time limit is lost on MicroPython
            due = self._clock.uptime_ms() + EARLY_MS >= sample_ms
            if due:
                await self._turn(watch)
            if due or await self._moved(watch):
                samples, _ = await self._read(watch)
                now_ms = self._clock.uptime_ms()
                due = due or now_ms >= sample_ms
                await self._sort(watch, samples, due=due)
                if due:
                    self.keep([watch.own_sample(now_ms)])
                    sample_ms = _next(sample_ms, watch.reader.interval_ms, max(now_ms, sample_ms))
            tick_ms = _next(tick_ms, watch.period_ms(), max(tick_ms, self._clock.uptime_ms()))
            await self._wait(watch, tick_ms - self._clock.uptime_ms())

    async def _turn(self, watch: Watch) -> None:
        """Wait until no other read goes on; not for long: one that hangs must not cost the others' data."""
        left_ms = TURN_MS
        while self._reading is not None and left_ms > 0:
            await self._clock.sleep_ms(TURN_STEP_MS)
            left_ms -= TURN_STEP_MS
        self._reading = watch if watch.ok else None  # nobody waits for one that failed

    async def _moved(self, watch: Watch) -> bool:
        """Tell whether a reader has to be read before its next sample; one that cannot look has."""
        look = getattr(watch.reader, "look", None)
        if look is None or not watch.ok:
            return True
        try:
            return bool(await within(self._clock, look(), watch.limit_ms()))
        except Exception:  # noqa: BLE001 - whatever it is, the read that follows says it
            return True

    async def _wait(self, watch: Watch, wait_ms: int) -> None:
        """Wait for the next read; a reader that the system tells of a turn is read at once then."""
        wait_turn = getattr(watch.reader, "wait_turn", None)
        if wait_turn is None or wait_ms <= CALM_MS:
            await self._clock.sleep_ms(wait_ms)
        else:
            await self._clock.sleep_ms(CALM_MS)
            await wait_turn(wait_ms - CALM_MS)

    async def _sort(self, watch: Watch, samples: list[Sample], *, due: bool) -> None:
        """Send a reading in which something turned, keep one that is due, let the others go."""
        stepped = self.power.observe(samples)
        turned = watch.turned(samples) or stepped
        if turned and watch.budget.take(self._clock.uptime_ms()):
            await self._on_event(samples)
        elif turned or due:
            self.keep(samples)

    async def _read(self, watch: Watch) -> tuple[list[Sample], str]:
        """Return (samples, error text); no error of a reader goes further than here."""
        began_ms = self._clock.uptime_ms()
        error = ""
        samples: list[Sample] = []
        try:
            rows = await within(self._clock, watch.reader.read(), watch.limit_ms())
            samples, refused = clean(self._clock.uptime_ms(), rows)
            error = str(refused) + " rows that no frame can carry" if refused else ""
            self.lost += refused
        except (ReaderError, LimitReached) as failure:
            error = failure.reason + ": " + str(failure)
        except Exception as failure:  # noqa: BLE001 - a bug in one reader must not cost the others' data
            error = "bug: " + repr(failure)
        if self._reading is watch:
            self._reading = None
        watch.took_ms = self._clock.uptime_ms() - began_ms
        watch.ok = not error
        if error:
            watch.failures += 1
            self._log.trouble("reader_" + watch.reader.name, error)
        if self.on_reading is not None:
            self.on_reading(watch.reader.name, samples, error)
        return samples, error

    def keep(self, samples: list[Sample]) -> None:
        """Let samples wait for the next frame."""
        for sample in samples:
            self.lost += self._waiting.add(sample)

    async def _close(self, watch: Watch, close: "Callable[[], Awaitable[None]]") -> None:
        try:
            await within(self._clock, _awaited(close), MIN_LIMIT_MS)
        except Exception as failure:  # noqa: BLE001 - the others still have to be closed
            self._log.trouble("reader_close", watch.reader.name + ": " + repr(failure))


async def _awaited(close: "Callable[[], Awaitable[None]]") -> None:
    await close()


def _next(at_ms: int, every_ms: int, now_ms: int) -> int:
    """Return the first of the times ``at_ms + n * every_ms`` that is still to come."""
    return at_ms + ((now_ms - at_ms) // every_ms + 1) * every_ms
