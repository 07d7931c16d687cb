"""Access points of OpenWrt: hostapd and iwinfo over ``ubus``.

What turns is asked at every reading (``get_status``, ``get_clients``), what hardly changes once a minute
(``iwinfo info``, ``survey``): without ubusd's socket every question is a process. An access point that
hostapd does not know may still be one of a driver of its own; iwinfo tells of those.
"""

import json

from agent.errors import ReaderError
from agent.ports.command import run as run_command
from agent.readers import ubus
from agent.readers import wifi_parse as parse
from agent.readers.wifi import Wifi
from agent.readers.wifi_day import day_of
from agent.readers.wifi_pieces import Pieces

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from agent.readers.port import Reader
    from agent.readers.wifi_parse import Facts
    from agent.readers.wifi_values import Crowd
    from agent.timing import Clock

    Run = Callable[..., Awaitable[bytes]]
    Heard = tuple[bytes, int, "int | None"]

PREFIX = "hostapd."
LIMIT_MS = 2000
SCAN_LIMIT_MS = 20_000  # all channels of two bands, and the radio set up for it
MOST_BYTES = 1_000_000  # 500 clients, more than any radio takes; on a router they wait in its memory
MOST_HEARD = 200
MOST_DEVICES = 8
# what ubus says where hostapd has no get_status; whether hostapd is there at all, get_clients tells
WORDLESS = ("ubus_no_method", "ubus_not_found", "ubus_no_data", "ubus_failed", "command_failed")


class UbusWifi:
    """Asks ubusd or, with a command started by ``run`` (agent.ports.command.run), ``ubus``."""

    def __init__(self, run: "Run") -> None:
        """Know of no access point yet."""
        self._run = run
        self._hostapd: list[str] = []
        self._wordless: list[str] = []  # those whose hostapd has no get_status

    async def find(self) -> list[str]:
        """Return the names of the access points that are there. Raises ReaderError without ubus."""
        found = await ubus.list(self._run, PREFIX + "*")
        self._hostapd = [name[len(PREFIX) :] for name in found if name.startswith(PREFIX)]
        self._wordless = []
        return self._hostapd or await self._masters()

    async def look(self, name: str, crowd: "Crowd", *, closely: bool) -> "Facts":
        """Return the facts of one access point and put its clients into ``crowd``. Raises ReaderError."""

        def take(key: str | None, item: "dict[str, Any]") -> None:
            parse.parse_client(key, item, crowd)

        facts: "Facts" = {"up": 1}
        if closely:
            facts.update(await self._closely(name))
        if name not in self._hostapd:
            if facts.get("master") is False:
                return {"up": 0}
            crowd.bad += (await self._list("iwinfo", "assoclist", name, take)).bad
            return facts
        status = await self._status(name)
        pieces = await self._list(PREFIX + name, "get_clients", None, take)
        crowd.bad += pieces.bad
        if crowd.count and not crowd.measured():
            await self._measure(name, crowd)
        facts.update(parse.parse_freq(pieces.head))
        facts.update(status)
        return facts

    async def scan(self, name: str) -> "list[Heard]":
        """Listen on all channels; the access point's clients wait meanwhile. Raises ReaderError."""
        heard: "list[Heard]" = []

        def take(_key: str | None, item: "dict[str, Any]") -> None:
            one = parse.parse_heard(item)
            if one is not None and len(heard) < MOST_HEARD:
                heard.append(one)

        await self._list("iwinfo", "scan", name, take, SCAN_LIMIT_MS)
        return heard

    async def close(self) -> None:
        """Hold nothing."""

    async def _status(self, name: str) -> "Facts":
        if name in self._wordless:
            return {}
        try:
            return parse.parse_status(await ubus.call(self._run, PREFIX + name, "get_status"))
        except ReaderError as error:
            if error.reason not in WORDLESS:
                raise
            self._wordless.append(name)
            return {}

    async def _closely(self, name: str) -> "Facts":
        """Ask iwinfo, which need not be installed."""
        facts: "Facts" = {}

        def take(_key: str | None, item: "dict[str, Any]") -> None:
            parse.parse_survey(item, facts)

        try:
            facts.update(parse.parse_info(await ubus.call(self._run, "iwinfo", "info", {"device": name})))
            if "frequency" in facts:
                await self._list("iwinfo", "survey", name, take)
        except ReaderError:
            pass
        return facts

    async def _measure(self, name: str, crowd: "Crowd") -> None:
        """Ask iwinfo for the signals that hostapd did not tell."""

        def take(_key: str | None, item: "dict[str, Any]") -> None:
            parse.parse_measured(item, crowd)

        try:
            await self._list("iwinfo", "assoclist", name, take)
        except ReaderError:
            pass

    async def _masters(self) -> list[str]:
        """Return the devices that iwinfo calls access points."""
        try:
            answer = await ubus.call(self._run, "iwinfo", "devices")
        except ReaderError:
            return []
        names = answer.get("devices")
        found: list[str] = []
        for name in names[:MOST_DEVICES] if isinstance(names, list) else []:
            if isinstance(name, str) and (await self._closely(name)).get("master"):
                found += [name]
        return found

    async def _list(
        self,
        path: str,
        method: str,
        device: str | None,
        take: "Callable[..., None]",
        limit_ms: int = LIMIT_MS,
    ) -> Pieces:
        """Hand the entries of a long answer to ``take`` as they come."""
        pieces = Pieces(take)
        args = {} if device is None else {"device": device}
        if await ubus.asked(self._run, path, method, args, limit_ms, pieces.part, deep=True):
            return pieces
        argv = ["ubus", "call", path, method]
        if device is not None:
            argv.append(json.dumps(args))
        await self._run(argv, limit_ms, MOST_BYTES, pieces.feed)
        pieces.finish()
        return pieces


def make_wifi(options: "dict[str, Any]", clock: "Clock", sample_ms: int, _watch_ms: int) -> "Reader":
    """Build the reader of access points; options ``names places utc_offset_h neighbours scan_s day_file``."""
    return Wifi(clock, sample_ms, UbusWifi(ubus.bus(run_command)), day_of(options, clock), options)
