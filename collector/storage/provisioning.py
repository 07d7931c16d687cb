"""A store that is provisioned when it comes up late: InfluxDB may start after us, empty or replaced.

Provisioning is tried only after a write that found the store unavailable, and its own failure says nothing
new: the write is repeated anyway. With a token that may only write, ``vigia-collector provision`` is run by
hand with another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.errors import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.log import Reporter
    from collector.model import Point
    from collector.storage.port import Latest, Series, SeriesQuery, Store, Written


class ProvisioningStore:
    """Does what ``store`` does, and provisions it when a write finds it unavailable."""

    def __init__(self, store: Store, reporter: Reporter) -> None:
        self._store = store
        self._reporter = reporter

    def provision(self) -> list[str]:
        """Create what is missing."""
        return self._store.provision()

    def check(self) -> None:
        """Raise ``StoreUnavailableError`` when the store cannot be written."""
        self._store.check()

    def write(self, frames: Sequence[Sequence[Point]]) -> list[Written]:
        """Write; when the store is unavailable, provision it for the next time."""
        try:
            return self._store.write(frames)
        except StoreUnavailableError:
            self._try_to_provision()
            raise

    def _try_to_provision(self) -> None:
        try:
            done = self._store.provision()
        except StoreUnavailableError:
            return  # whoever writes reports it
        for line in done:
            self._reporter.info(line)

    def late_hours(self, frames: Sequence[Sequence[Point]]) -> set[tuple[str, int]]:
        """Return the hours whose means lack these points."""
        return self._store.late_hours(frames)

    def make_means(self, site: str, start_ms: int, stop_ms: int) -> None:
        """Make means again."""
        self._store.make_means(site, start_ms, stop_ms)

    def latest(self, site: str | None = None, since_ms: int = 0) -> list[Latest]:
        """Return the newest rows."""
        return self._store.latest(site, since_ms)

    def series(self, query: SeriesQuery) -> list[Series]:
        """Return numbers over time."""
        return self._store.series(query)

    def close(self) -> None:
        """Give connections back."""
        self._store.close()
