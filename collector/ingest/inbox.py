"""Where the network thread leaves messages and the pipeline takes them, without waiting for each other.

Its size is bounded by the broker, which hands out no more than the in-flight window before messages are
acknowledged.
"""

from __future__ import annotations

from collections import deque
from threading import Condition
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collector.clock import Clock
    from collector.model import Received

IDLE_S = 0.02  # when nothing came for this long, the broker's window is full or there is nothing more


class Inbox:
    """A queue that hands out batches."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._messages: deque[Received] = deque()
        self._changed = Condition()

    def put(self, message: Received) -> None:
        """Leave a message; never waits for the pipeline."""
        with self._changed:
            self._messages.append(message)
            self._changed.notify()

    def oldest_ms(self) -> int | None:
        """When the message that waits longest arrived; None when none waits."""
        with self._changed:
            return self._messages[0].arrival_ms if self._messages else None

    def take(self, limit: int, wait_s: float, batch_s: float) -> list[Received]:
        """Wait ``wait_s`` for a first message, then gather until ``limit``, ``batch_s`` or a pause."""
        with self._changed:
            if not self._messages:
                self._changed.wait(wait_s)
            end = self._clock.mono() + batch_s
            while 0 < len(self._messages) < limit and self._clock.mono() < end:
                if not self._changed.wait(min(IDLE_S, max(0.0, end - self._clock.mono()))):
                    break
            return [self._messages.popleft() for _ in range(min(limit, len(self._messages)))]
