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
    """A queue per shard that hands out batches; order holds within a shard, where a device's messages are.

    When more waits than a batch takes, it comes from one shard, the one that waits longest: many frames of
    few devices cost half as much as few frames of many, because state and rules are per device and facility.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[str, deque[Received]] = {}
        self._count = 0
        self._changed = Condition()

    def put(self, message: Received) -> None:
        """Leave a message; never waits for the pipeline."""
        with self._changed:
            self._waiting.setdefault(message.shard, deque()).append(message)
            self._count += 1
            self._changed.notify()

    def oldest_ms(self) -> int | None:
        """When the message that waits longest arrived; None when none waits."""
        with self._changed:
            return min((queue[0].arrival_ms for queue in self._waiting.values()), default=None)

    def take(self, limit: int, wait_s: float, batch_s: float) -> list[Received]:
        """Wait ``wait_s`` for a first message, then gather until ``limit``, ``batch_s`` or a pause."""
        with self._changed:
            if not self._count:
                self._changed.wait(wait_s)
            end = self._clock.mono() + batch_s
            while 0 < self._count < limit and self._clock.mono() < end:
                if not self._changed.wait(min(IDLE_S, max(0.0, end - self._clock.mono()))):
                    break
            return self._take(limit)

    def _take(self, limit: int) -> list[Received]:
        taken: list[Received] = []
        for shard, queue in sorted(self._waiting.items(), key=lambda entry: entry[1][0].arrival_ms):
            while queue and len(taken) < limit:
                taken.append(queue.popleft())
            if queue:
                break
            del self._waiting[shard]
        self._count -= len(taken)
        return taken
