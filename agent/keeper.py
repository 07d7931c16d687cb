"""When the spool goes to flash. No I/O.

Flash wears out: with the link up and mains present nothing is written. With the link down for 30 s, or on
battery, everything goes there at most once in 30 s, and an event at once as long as its budget lasts.
"""

from agent.sampler import Budget

DOWN_MS = 30_000
EVERY_MS = 30_000
EVENT_BURST = 10
EVENT_EVERY_MS = 300_000


class Keeper:
    """Remembers when flash was written last."""

    def __init__(self) -> None:
        """Nothing was written yet."""
        self._written_ms: "int | None" = None
        self._events = Budget(EVENT_BURST, EVENT_EVERY_MS)

    def due(self, now_ms: int, *, down_ms: int, on_battery: bool, event: bool) -> bool:
        """Tell whether to write now; ``event``: one was sealed this moment."""
        if down_ms < DOWN_MS and not on_battery:
            return False
        if self._written_ms is None or now_ms - self._written_ms >= EVERY_MS:
            return True
        return event and self._events.take(now_ms)

    def written(self, now_ms: int) -> None:
        """Note that flash was written."""
        self._written_ms = now_ms
