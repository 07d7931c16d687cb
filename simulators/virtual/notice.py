"""A reader that is told when something can have turned, as netlink tells a real one.

A poll that falls between two turns of its place finds what the poll before found: it is left out. Where a
voltage is near a threshold, and shortly after a turn (a driver refreshes late, its data grow stale later),
all are made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.sampler import CALM_MS

if TYPE_CHECKING:
    from agent.timing import Clock
    from simulators.instruments.base import Reader, Row
    from simulators.world.place import Place

SETTLED_MS: Final = 36_000  # what follows a turn last: values (30 s), then a status


class Noticed:
    """A reader whose polls that can find nothing new are left out; ``clock`` is the agent's."""

    def __init__(self, reader: Reader, place: Place, clock: Clock) -> None:
        self._reader = reader
        self._place = place
        self._clock = clock
        self._every_ms = reader.watch_ms
        self.name = reader.name
        self.interval_ms = reader.interval_ms
        self.watch_ms = 0
        self.watched: tuple[str, ...] = getattr(reader, "watched", ())

    async def read(self) -> list[Row]:
        """Return what the reader reads."""
        return await self._reader.read()

    async def wait_turn(self, limit_ms: int) -> None:
        """Return at the next poll that may find something new, at the latest after the limit."""
        place = self._place
        now = place.t_ms
        ahead_ms = place.next_change_ms() - now
        if now - place.turned_ms < SETTLED_MS or not place.steady():
            ahead_ms = 0
        polls = max(1, -(-ahead_ms // self._every_ms))
        await self._clock.sleep_ms(min(limit_ms, polls * self._every_ms - CALM_MS))


def noticed(readers: list[Reader], place: Place, clock: Clock) -> list[Reader]:
    """Return the readers, those that poll between their samples without idle polls."""
    return [Noticed(reader, place, clock) if reader.watch_ms else reader for reader in readers]
