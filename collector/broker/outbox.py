"""Messages on their way to one client: those in flight, those that wait. Pure and bounded.

A message at QoS 1 leaves only when it is acknowledged. After a lost connection ``rewind`` puts everything
in flight before what waits, in the order it was sent, to go out again as a duplicate.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.broker.packets import Message

LAST_MID = 65_535


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one client may have outstanding; as ``certs/mosquitto.py`` sets for Mosquitto."""

    in_flight: int = 2000
    messages: int = 100_000
    bytes: int = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Departure:
    """A message to send now; ``mid`` is 0 at QoS 0."""

    mid: int
    message: Message
    again: bool


class Outbox:
    """One client's outgoing messages."""

    def __init__(self, limits: Limits, wake: Callable[[], None] = lambda: None) -> None:
        self.wake = wake  # called when there may be something to take
        self._limits = limits
        self._waiting: deque[Message] = deque()
        self._flying: dict[int, Message] = {}
        self._again: deque[int] = deque()
        self._bytes = 0
        self._mid = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._flying)

    def offer(self, message: Message) -> str | None:
        """Queue a message; the reason when there is no room."""
        size = len(message.payload)
        if len(self._waiting) >= self._limits.messages or self._bytes + size > self._limits.bytes:
            return "queue_full"
        self._waiting.append(message)
        self._bytes += size
        self.wake()
        return None

    def take(self) -> Departure | None:
        """Return the next message to send, or None while the window is full or nothing waits."""
        while self._again:
            mid = self._again.popleft()
            if mid in self._flying:
                return Departure(mid, self._flying[mid], again=True)
        if not self._waiting:
            return None
        if self._waiting[0].qos == 0:
            message = self._waiting.popleft()
            self._bytes -= len(message.payload)
            return Departure(0, message, again=False)
        if len(self._flying) >= self._limits.in_flight:
            return None
        mid = self._next_mid()
        self._flying[mid] = self._waiting.popleft()
        return Departure(mid, self._flying[mid], again=False)

    def acked(self, mid: int) -> str | None:
        """Forget a message; the reason when it is not in flight."""
        message = self._flying.pop(mid, None)
        if message is None:
            return "unknown_mid"
        self._bytes -= len(message.payload)
        self.wake()
        return None

    def rewind(self) -> None:
        """Prepare for the next connection: QoS 0 is forgotten, what was in flight goes first."""
        self._again = deque(self._flying)
        self._waiting = deque(message for message in self._waiting if message.qos)
        self._bytes = sum(len(message.payload) for message in (*self._waiting, *self._flying.values()))

    def _next_mid(self) -> int:
        while True:
            self._mid = self._mid % LAST_MID + 1
            if self._mid not in self._flying:
                return self._mid
