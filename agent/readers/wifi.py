"""Access points: whether they beacon, how many people use them and how well, and which neighbours are heard.

Addresses of clients are looked at and let go: what leaves this reader are counts, quantiles and an estimate
of distinct devices. Neighbours are known by the names that the configuration gives them. An access point
that was there once and is gone, or is configured and absent, has a row with ``up`` 0. Where the readings
come from is a source (agent.readers.wifi_ubus, agent.cpython.readers.wifi).
"""

from agent.errors import ReaderError
from agent.readers.wifi_ears import Ears
from agent.readers.wifi_survey import Airtime
from agent.readers.wifi_values import Crowd, RateUnit, is_address

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any, Protocol

    from agent.readers.port import Fields, Row
    from agent.readers.wifi_day import Day
    from agent.readers.wifi_parse import Facts
    from agent.timing import Clock

    class Source(Protocol):
        """Where readings of Wi-Fi come from; every method raises ReaderError."""

        async def find(self) -> list[str]:
            """Return the names of the access points that are there."""

        async def look(self, name: str, crowd: Crowd, *, closely: bool) -> Facts:
            """Return the facts of one and put its clients into ``crowd``."""

        async def scan(self, name: str) -> "list[tuple[bytes, int, int | None]]":
            """Return (BSSID, signal, MHz) of what one hears on all channels."""

        async def close(self) -> None:
            """Let go what is held."""


MOST = 8  # access points of one device
CLOSELY_MS = 60_000
_BUDGET = 0.6  # of the time that one reading may take; an access point beyond it waits for the next one
_MOST_BUDGET_MS = 6000
_PLAIN = ("up", "dfs_wait", "frequency", "channel", "noise", "tx_power")


class Wifi:
    """Reads the access points ``names`` (None: all that are found) of one source."""

    name = "wifi"
    watch_ms = 0
    watched = ("up", "heard")

    def __init__(
        self,
        clock: "Clock",
        interval_ms: int,
        source: "Source",
        day: "Day",
        options: "dict[str, Any] | None" = None,
    ) -> None:
        """Options: ``names``, ``places`` {name: place}, ``neighbours`` {name: BSSIDs}, ``scan_s``."""
        options = options or {}
        self.interval_ms = interval_ms
        self._clock = clock
        self._source = source
        self._day = day
        self._names: list[str] | None = options.get("names")
        self._places: dict[str, str] = options.get("places") or {}
        self._ears = Ears(clock, source, options.get("neighbours") or {}, options.get("scan_s"))
        self._known: list[str] = list(self._names or [])[:MOST]
        self._unit = RateUnit()
        self._there: list[str] = []
        self._radios: dict[str, str] = {}
        self._airtimes: dict[tuple[str, str], Airtime] = {}
        self._close_ms: int | None = None
        self._bad = self._unread = 0

    async def read(self) -> "list[Row]":
        """Return a ``wifi_ap`` row per access point, the ``wifi`` row, and neighbours after a scan."""
        now_ms = self._clock.uptime_ms()
        closely = self._close_ms is None or now_ms - self._close_ms >= CLOSELY_MS - self.interval_ms // 2
        if closely:
            await self._find()
            self._close_ms = now_ms
        self._day.roll()
        found, trouble = await self._look_at_all(now_ms, closely=closely)
        if trouble is not None and not found:
            self._close_ms = None
            raise trouble
        self._day.keep()
        neighbours, heard = self._ears.take(self._one_per_radio(found))
        total = self._total(found)
        total.update(heard)
        rows: "list[Row]" = [("wifi_ap", name, fields) for name, fields in found]
        return rows + neighbours + [("wifi", None, total)]

    async def close(self) -> None:
        """Stop listening and let the source close."""
        await self._ears.close()
        await self._source.close()

    async def _find(self) -> None:
        self._there = [name for name in await self._source.find() if not is_address(name)]
        if self._names is None:
            for name in sorted(self._there):
                if name not in self._known and len(self._known) < MOST:
                    self._known.append(name)

    async def _look_at_all(
        self, began_ms: int, *, closely: bool
    ) -> "tuple[list[tuple[str, Fields]], ReaderError | None]":
        """Return the fields of each access point, and the last trouble with one that told nothing."""
        found: "list[tuple[str, Fields]]" = []
        trouble: ReaderError | None = None
        self._bad = self._unread = 0
        for name in self._known:
            if self._clock.uptime_ms() - began_ms > min(_MOST_BUDGET_MS, self.interval_ms * _BUDGET):
                trouble = ReaderError("timeout", "no time left for " + name)
                break
            try:
                found.append((name, await self._look(name, closely=closely)))
            except ReaderError as error:
                trouble = error
        return found, trouble

    async def _look(self, name: str, *, closely: bool) -> "Fields":
        """Return the fields of one; when it does not answer, look whether it is there at all."""
        if name not in self._there:
            return {"up": 0}
        crowd = Crowd(self._unit, lambda mac: self._day.see(name, mac))
        try:
            facts = await self._source.look(name, crowd, closely=closely)
        except ReaderError as error:
            if error.reason in ("command_failed", "ubus_not_found"):
                await self._find()
            if name not in self._there:
                return {"up": 0}
            raise
        self._radios[name] = facts.get("radio") or name.partition("-")[0]
        return self._fields(name, facts, crowd, closely=closely)

    def _fields(self, name: str, facts: "Facts", crowd: Crowd, *, closely: bool) -> "Fields":
        fields: "Fields" = {field: facts[field] for field in _PLAIN if field in facts}
        if fields.get("up"):
            fields.update(crowd.fields())
            fields["clients_day"] = self._day.count(name)
            fields.update(self._airtime(name, facts))
        if closely and name in self._places:
            fields["place"] = self._places[name]
        self._bad += crowd.bad
        self._unread += crowd.unread
        return fields

    def _airtime(self, name: str, facts: "Facts") -> "dict[str, float]":
        """Prefer the driver's own counters for who took the time, hostapd's for how much now."""
        now_ms = self._clock.uptime_ms()
        fields: "dict[str, float]" = {}
        for source in ("survey", "times"):
            if source in facts:
                key = (name, source)
                first = key not in self._airtimes
                airtime = self._airtimes.setdefault(key, Airtime())
                fields.update(airtime.take(now_ms, facts[source]))
                if first and source == "times" and "used" in facts:
                    fields["airtime_percent"] = facts["used"]
        return fields

    def _total(self, found: "list[tuple[str, Fields]]") -> "Fields":
        return {
            "access_points": len(self._known),
            "access_points_up": len([1 for _, fields in found if fields.get("up")]),
            "clients": sum([int(fields.get("clients", 0)) for _, fields in found]),
            "clients_day": self._day.count(),
            "clients_unread": self._unread,
            "bad_values": self._bad,
        }

    def _one_per_radio(self, found: "list[tuple[str, Fields]]") -> list[str]:
        """Return the first access point that is up of each radio."""
        radios: list[str] = []
        names = []
        for name, fields in found:
            if fields.get("up") and self._radios[name] not in radios:
                radios.append(self._radios[name])
                names.append(name)
        return names
