"""In which order spooled frames go out on a connection. No I/O.

Newest state first: the birth, then the newest data, then what happened meanwhile at a bounded rate (events
before data, oldest first). What is sealed while the link is up goes at once, before any backlog.
"""

from agent.sampler import Budget

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from agent.shelf import Entry

# The collector takes 5 frames/s of one device; the rest of that is for what happens now.
BACKLOG_BURST = 8
BACKLOG_EVERY_MS = 250


class Outbox:
    """Three queues: urgent (birth, event), live (data), and the backlog of earlier."""

    def __init__(self) -> None:
        """Begin empty."""
        self._urgent: "list[Entry]" = []
        self._live: "list[Entry]" = []
        self._backlog: "list[Entry]" = []
        self._budget = Budget(BACKLOG_BURST, BACKLOG_EVERY_MS)

    def fill(self, waiting: "list[Entry]") -> None:
        """Begin a connection with everything that waits, in the order it was sealed."""
        self._urgent = []
        newest = [entry for entry in waiting if entry.kind == "data"][-1:]
        self._live = newest
        events = [entry for entry in waiting if entry.kind == "event"]
        others = [entry for entry in waiting if entry.kind != "event" and entry not in newest]
        self._backlog = events + others

    def add(self, entry: "Entry") -> None:
        """Take a frame that was sealed just now."""
        (self._live if entry.kind == "data" else self._urgent).append(entry)

    def clear(self) -> None:
        """Forget all queues; the spool has everything."""
        self._urgent, self._live, self._backlog = [], [], []

    def urgent(self) -> "Entry | None":
        """Take the next frame that waits for nothing."""
        return _next(self._urgent)

    def other(self, now_ms: int) -> "Entry | None":
        """Take the next live frame, or one of the backlog if its rate allows."""
        live = _next(self._live)
        if live is not None:
            return live
        _skip_gone(self._backlog)
        if self._backlog and self._budget.take(now_ms):
            return self._backlog.pop(0)
        return None

    def wait_ms(self, now_ms: int) -> "int | None":
        """Return in how many ms the next frame of the backlog may go, None when there is none."""
        return self._budget.wait_ms(now_ms) if self._backlog else None

    def __len__(self) -> int:
        return len(self._urgent) + len(self._live) + len(self._backlog)


def _next(queue: "list[Entry]") -> "Entry | None":
    _skip_gone(queue)
    return queue.pop(0) if queue else None


def _skip_gone(queue: "list[Entry]") -> None:
    while queue and queue[0].gone:
        queue.pop(0)
