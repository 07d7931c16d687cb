"""What the collector says of incidents, followed over its API; everybody waits on the same polling."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from simulators.demo.failure import DemoError

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.demo.api import Api, Item
    from simulators.demo.speaker import Speaker

POLL_S = 0.4
_PATIENCE = 10  # polls that may fail in a row: the web may be busy, not gone

T = TypeVar("T")


class Board:
    """All incidents by number, polled by ``follow``; news are announced as they come."""

    def __init__(self, api: Api, speaker: Speaker) -> None:
        self._api = api
        self._speaker = speaker
        self._items: dict[int, Item] = {}
        self._turned = asyncio.Condition()
        self._failure: DemoError | None = None

    def __getitem__(self, number: int) -> Item:
        """Return one incident as last seen."""
        return self._items[number]

    def items(self) -> list[Item]:
        """Return all incidents as last seen, oldest first."""
        return [self._items[number] for number in sorted(self._items)]

    async def follow(self) -> None:
        """Poll until cancelled, or until the API stopped answering, which then everybody is told."""
        failures = 0
        while self._failure is None:
            try:
                self._take(await self._api.incidents())
                failures = 0
            except DemoError as error:
                failures += 1
                self._failure = error if failures > _PATIENCE else None
            async with self._turned:
                self._turned.notify_all()
            await asyncio.sleep(POLL_S)

    async def until(self, find: Callable[[], T | None], limit_s: float, trouble: str) -> T:
        """Return what ``find`` finds; ``TimeoutError`` with the trouble in words after the limit."""
        try:
            async with asyncio.timeout(limit_s), self._turned:
                while (found := find()) is None:
                    await self._turned.wait()
                    if self._failure is not None:
                        raise self._failure
        except TimeoutError as error:
            raise TimeoutError(f"{trouble} ({limit_s:g} s)") from error
        return found

    def _take(self, items: list[Item]) -> None:
        """Announce what is new and keep everything."""
        for item in reversed(items):
            before = self._items.get(item["id"])
            if before is None:
                self._speaker.raised(item)
            elif before["cleared_ms"] is None and item["cleared_ms"] is not None:
                self._speaker.cleared(item)
            elif before["cause"] != item["cause"]:
                self._speaker.revised(item)
            self._items[item["id"]] = item
