"""The link's states as one table. No I/O.

An event that the table does not have raises StateError and changes nothing.
"""

from agent.errors import StateError

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable

DOWN = "down"
CONNECTING = "connecting"
SUBSCRIBING = "subscribing"
UP = "up"
CLOSING = "closing"
CLOSED = "closed"

TABLE = {
    DOWN: {"connect": CONNECTING, "stop": CLOSED},
    CONNECTING: {"connack": SUBSCRIBING, "lost": DOWN, "stop": CLOSED},
    SUBSCRIBING: {"suback": UP, "lost": DOWN, "stop": CLOSING},
    UP: {"lost": DOWN, "stop": CLOSING},
    CLOSING: {"lost": CLOSED, "disconnected": CLOSED},
    CLOSED: {},
}


class Link:
    """Where the link is in the table, since when, and how long it has not been up."""

    def __init__(self, uptime_ms: "Callable[[], int]") -> None:
        """Begin down."""
        self._uptime_ms = uptime_ms
        self._unusable_since_ms = uptime_ms()
        self.state = DOWN
        self.sessions = 0

    def fire(self, event: str) -> None:
        """Take a step of the table."""
        onward = TABLE[self.state].get(event)
        if onward is None:
            raise StateError("illegal_event", event + " while the link is " + self.state)
        if self.state == UP:
            self._unusable_since_ms = self._uptime_ms()
        if event == "connect":
            self.sessions += 1
        self.state = onward

    def up(self) -> bool:
        """Tell whether frames can be sent."""
        return self.state == UP

    def down_ms(self) -> int:
        """Return for how long no frame could be sent; 0 while the link is up."""
        return 0 if self.state == UP else self._uptime_ms() - self._unusable_since_ms
