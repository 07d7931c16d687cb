"""Which access points of the same facility are still heard: a scan now and then, when it is configured.

During a scan a radio leaves its channel and its clients wait, so there is at most one in ``scan_s``. What
is heard of strangers is not looked at, but for how many they are. A neighbour goes by the name that the
configuration gives its addresses; it counts as lost when two scans in a row missed it, for one misses
beacons by chance. A radio that hears nobody at all has not listened.
"""

import asyncio

from agent.readers.wifi_values import mac_of

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from agent.readers.port import Fields, Row
    from agent.readers.wifi import Source
    from agent.timing import Clock

MISSES = 2
_MS = 1000
_FIRST_MS = 60_000  # after a start there is enough to do


class Ears:
    """Scans in a task of its own, which takes longer than a reading may."""

    def __init__(
        self, clock: "Clock", source: "Source", neighbours: dict[str, list[str]], scan_s: int | None
    ) -> None:
        """``neighbours``: name -> BSSIDs; ``scan_s`` None: never scan."""
        self._clock = clock
        self._source = source
        self._names = {mac_of(text): name for name, texts in neighbours.items() for text in texts}
        self._misses = {name: 0 for name in neighbours}  # noqa: C420 - MicroPython has no fromkeys with a default
        self._every_ms = None if scan_s is None else int(scan_s * _MS)
        self._due_ms = clock.uptime_ms() + _FIRST_MS
        self._task: "asyncio.Task[None] | None" = None
        self._heard: "list[tuple[bytes, int, int | None]]" = []
        self._failed = 0
        self._listened = 0
        self._done = False

    def take(self, access_points: list[str]) -> "tuple[list[Row], Fields]":
        """Return (a row per neighbour, fields of ``wifi``) once a scan has ended; begin one that is due."""
        if self._every_ms is None or (self._task is not None and not self._done):
            return [], {}
        told = self._results() if self._done else ([], {})
        now_ms = self._clock.uptime_ms()
        if now_ms >= self._due_ms and access_points:
            self._due_ms = now_ms + self._every_ms
            self._task = asyncio.create_task(self._listen(access_points))
        return told

    async def close(self) -> None:
        """Give up a scan that is under way."""
        if self._task is not None:
            self._task.cancel()
            try:
                await self._task
            except asyncio.CancelledError:
                pass
            self._task = None

    async def _listen(self, access_points: list[str]) -> None:
        for name in access_points:
            heard = await self._scanned(name)
            if heard:
                self._listened += 1
                self._heard.extend(heard)
            else:
                self._failed += 1
        self._done = True

    async def _scanned(self, name: str) -> "list[tuple[bytes, int, int | None]]":
        try:
            return await self._source.scan(name)
        except Exception:  # noqa: BLE001 - nobody awaits this task; one failure must not end listening for good
            return []

    def _results(self) -> "tuple[list[Row], Fields]":
        rows: "list[Row]" = []
        best: "dict[str, tuple[int, int | None]]" = {}
        for mac, signal, mhz in self._heard:
            name = self._names.get(mac)
            if name is not None and (name not in best or signal > best[name][0]):
                best[name] = (signal, mhz)
        for name in sorted(self._misses):
            fields = self._judged(name, best.get(name))
            if fields:
                rows.append(("wifi_neighbour", name, fields))
        total: "Fields" = {"scan_failures": self._failed}
        if self._listened:
            total["networks_heard"] = len({mac for mac, _, _ in self._heard})
        self._heard = []
        self._failed = self._listened = 0
        self._task = None
        self._done = False
        return rows, total

    def _judged(self, name: str, heard: "tuple[int, int | None] | None") -> "Fields":
        if heard is not None:
            self._misses[name] = 0
            fields: "Fields" = {"heard": 1, "signal": float(heard[0])}
            if heard[1] is not None:
                fields["frequency"] = heard[1]
            return fields
        if self._failed:  # it may be one that only the radio without ears could hear
            return {}
        self._misses[name] += 1
        return {"heard": 0} if self._misses[name] >= MISSES else {}
