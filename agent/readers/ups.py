"""UPSes behind one NUT server: the status at a watch, all variables at a sample and when the status turns.

A server that is absent, slow, or talks nonsense, and a UPS that it cannot reach, are contact states of that
UPS and never errors, so that what is known of it stays. Only when no UPS is known at all does a lost server
raise ReaderError. One slow server cannot hold the reader longer than ``LIMIT_MS``; the connection is dropped
then and made anew, beside the reads and after pauses that grow. Who was not heard is asked first next time.
"""

import asyncio

from agent.errors import ReaderError
from agent.readers import nut
from agent.readers.joining import FAILURES, Joining
from agent.readers.ups_relations import STATUS
from agent.readers.ups_sane import Heard
from agent.readers.ups_state import CONTACT, WATCHED, UpsState
from agent.readers.upsd_client import UpsdClient
from agent.timing import within

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from agent.readers.port import Row
    from agent.timing import Clock

# A local upsd answers in a millisecond. Below the watch interval of 2 s: no read may run into the next.
LIMIT_MS = 1500
_SHORT_LIMIT_MS = 750  # where samples are taken so fast that the caller cuts a read off after a second
MOST = 16  # UPSes of one server


class Ups:
    """Reads the UPSes ``names`` (None: all that the server lists) of one server."""

    name = "ups"
    watched = WATCHED

    def __init__(
        self,
        clock: "Clock",
        interval_ms: int,
        watch_ms: int,
        server: UpsdClient,
        names: list[str] | None = None,
        nominal_v: float | None = None,
    ) -> None:
        self.interval_ms = interval_ms
        self.watch_ms = watch_ms
        self._clock = clock
        self._limit_ms = LIMIT_MS if interval_ms >= 2 * LIMIT_MS else min(LIMIT_MS, _SHORT_LIMIT_MS)
        self._server = server
        self._joining = Joining(clock, server.connected, server.connect)
        self._listing = names is None
        self._nominal_v = nominal_v
        self._known: dict[str, UpsState] = {}
        self._heard: set[str] = set()
        self._turn = 0
        self._turns: dict[str, int] = {}  # UPS -> when it was heard last, in turns
        self._sampled_ms: int | None = None
        self._one_at_a_time = asyncio.Lock()
        self._learn(names or [])

    async def read(self) -> "list[Row]":
        """Return one row per known UPS; ReaderError ``server_lost`` or ``garbage`` when none is known."""
        async with self._one_at_a_time:
            return await self._read()

    async def look(self) -> bool:
        """Ask for the status alone; tell whether a UPS or its contact differs from before."""
        async with self._one_at_a_time:
            before = [state.known() for state in self._known.values()]
            await self._hear(sample=False)
            return before != [state.known() for state in self._known.values()]

    async def close(self) -> None:
        """Drop the connection; the next read would make it anew."""
        await self._joining.close()
        await self._server.drop()

    async def _read(self) -> "list[Row]":
        await self._hear(sample=self._sample_is_due(self._clock.uptime_ms()))
        now_ms = self._clock.uptime_ms()
        return [("upsd", name, state.fields(now_ms)) for name, state in sorted(self._known.items())]

    async def _hear(self, *, sample: bool) -> None:
        self._heard = set()
        try:
            await within(self._clock, self._ask(sample), self._limit_ms)
            self._joining.worked()
        except FAILURES as error:
            await self._give_up(error)
            self._lose(error)
        except asyncio.CancelledError:
            await self._give_up(None)
            raise

    async def _give_up(self, error: Exception | None) -> None:
        """Drop a connection: an answer half read would be taken for the next question's."""
        if self._joining.under_way():
            return
        if error is not None and self._server.connected():
            self._joining.failed(error)
        await self._server.drop()

    def _sample_is_due(self, now_ms: int) -> bool:
        """Count a sample as due half a watch early: the caller's rhythm and this one must not drift apart."""
        if self._sampled_ms is not None and now_ms - self._sampled_ms < self.interval_ms - self.watch_ms // 2:
            return False
        self._sampled_ms = now_ms
        return True

    async def _ask(self, sample: bool) -> None:  # noqa: FBT001 (the one thing it depends on)
        await self._joining.joined()
        if self._listing and (sample or not self._known):
            self._learn(await self._server.names())
        for name in sorted(self._known, key=self._heard_last):
            try:
                await self._ask_about(name, sample)
            except nut.RefusedError as refusal:
                self._known[name].lose(CONTACT.get(refusal.reason, "server_lost"))
            self._heard.add(name)
            self._turn += 1
            self._turns[name] = self._turn

    def _heard_last(self, name: str) -> tuple[int, str]:
        return self._turns.get(name, 0), name

    async def _ask_about(self, name: str, sample: bool) -> None:  # noqa: FBT001 (same)
        state = self._known[name]
        if not sample and state.in_contact() and state.same_status(await self._status(name)):
            state.hear_status(self._clock.uptime_ms())
            return
        heard = Heard()
        await self._server.variables(name, heard.take)
        state.take(heard, self._clock.uptime_ms())

    async def _status(self, name: str) -> str:
        try:
            return await self._server.get(name, STATUS)
        except nut.RefusedError as refusal:
            if refusal.reason == "VAR-NOT-SUPPORTED":  # power distribution units have no status
                return ""
            raise

    def _learn(self, names: list[str]) -> None:
        for name in names[:MOST]:
            if name not in self._known and len(self._known) < MOST:
                self._known[name] = UpsState(self._nominal_v)

    def _lose(self, error: Exception) -> None:
        """Mark the UPSes that were not heard in this read."""
        if not self._known:
            raise ReaderError(getattr(error, "reason", "server_lost"), "no UPS known: " + str(error))
        for name, state in self._known.items():
            if name not in self._heard:
                state.lose("server_lost")
