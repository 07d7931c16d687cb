"""What a store of readings does; ``influx`` and ``embedded`` do it, one test suite holds both to it.

A store answers per frame: what it did with each, and why. It raises ``StoreUnavailableError`` when it
did nothing and the same call may succeed later. Writing the same points again changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.model import Point, Reason, Value


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one frame's points: stored when ``reason`` is None, else refused as a whole."""

    reason: Reason | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest row of one series, with the time of that row."""

    site: str
    device: str
    measurement: str
    instance: str | None
    time_ms: int
    fields: dict[str, Value]


@dataclass(frozen=True, slots=True)
class SeriesQuery:
    """Numbers over time: ``[start_ms, stop_ms)``, averaged over ``every_ms`` (None: as they are)."""

    site: str
    measurement: str
    fields: tuple[str, ...]
    start_ms: int
    stop_ms: int
    device: str | None = None
    instance: str | None = None
    every_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """One field of one device and instance, ``(time_ms, number)`` in order of time.

    ``device`` is empty for what the centre itself concluded (``site_state``, ``power_event``).
    """

    device: str
    measurement: str
    instance: str | None
    name: str
    points: list[tuple[int, float]] = field(default_factory=list)


class Store(Protocol):
    """Where readings are kept."""

    def provision(self) -> list[str]:
        """Create what is missing (buckets, retention, downsampling); say in one line each what was done."""

    def check(self) -> None:
        """Return when the store can be written, else raise ``StoreUnavailableError`` with the reason."""

    def write(self, frames: Sequence[Sequence[Point]]) -> list[Written]:
        """Write the points of each frame; one answer per frame, in the same order."""

    def late_hours(self, frames: Sequence[Sequence[Point]]) -> set[tuple[str, int]]:
        """Return the hours (site, begin in ms) that need their means made again because of these points."""

    def make_means(self, site: str, start_ms: int, stop_ms: int) -> None:
        """Make the means of a site's hours again; doing it twice changes nothing."""

    def latest(self, site: str | None = None, since_ms: int = 0) -> list[Latest]:
        """Return the newest row of every device's series at a site (None: at all), from ``since_ms`` on."""

    def series(self, query: SeriesQuery) -> list[Series]:
        """Return numbers over time; at most 10,000 points a series."""

    def close(self) -> None:
        """Give connections and files back."""
