"""What every simulated reader has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.scenario.model import DevicePart
    from simulators.world.place import Place

Fields = dict[str, int | float | str]
Row = tuple[str, str | None, Fields]


class Reader(Protocol):
    """The shape of the agent's readers (``agent/readers/port.py``)."""

    name: str
    interval_ms: int
    watch_ms: int

    async def read(self) -> list[Row]:
        """Return rows: measurement, instance, fields."""


@dataclass(frozen=True, slots=True)
class Intervals:
    """How often a device samples and watches (ms)."""

    sample_ms: int = 10_000
    watch_ms: int = 2_000


class Instrument:
    """A reader of one device at a place. ``watched``: fields whose change is an event."""

    name = ""
    watched: tuple[str, ...] = ()
    watches = False

    def __init__(
        self, place: Place, part: DevicePart, intervals: Intervals, now_ms: Callable[[], int]
    ) -> None:
        self.interval_ms = intervals.sample_ms
        self.watch_ms = intervals.watch_ms if self.watches else 0
        self.place = place
        self.part = part
        self.now_ms = now_ms

    async def read(self) -> list[Row]:
        """Return rows as of now."""
        now = self.now_ms()
        self.place.advance(now)
        return self.rows(now)

    def rows(self, now: int) -> list[Row]:
        """Return rows; the place has come to this time."""
        raise NotImplementedError
