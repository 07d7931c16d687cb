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


SHARE = 100  # messages of one device in a batch while others of its shard wait

Numbered = tuple[int, "Received"]


class Inbox:
    """A queue per shard and device that hands out batches; order holds within a device.

    When more waits than a batch takes, it comes from one shard, the one that waits longest: many frames of
    few devices cost half as much as few frames of many, because state and rules are per device and facility.
    Within the shard devices take turns, so that nobody waits behind a burst of another. A batch itself is in
    order of arrival.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[str, dict[str, deque[Numbered]]] = {}  # devices in the order of their turns
        self._count = 0
        self._number = 0
        self._changed = Condition()

    def put(self, message: Received) -> None:
        """Leave a message; never waits for the pipeline."""
        device = message.topic.rpartition("/")[0]
        with self._changed:
            queues = self._waiting.setdefault(message.shard, {})
            queues.setdefault(device, deque()).append((self._number, message))
            self._number += 1
            self._count += 1
            self._changed.notify()

    def oldest_ms(self) -> int | None:
        """When the message that waits longest arrived; None when none waits."""
        with self._changed:
            heads = [_head(queues) for queues in self._waiting.values()]
            return min(heads)[1].arrival_ms if heads else None

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
        taken: list[Numbered] = []
        for shard in sorted(self._waiting, key=lambda shard: _head(self._waiting[shard])):
            queues = self._waiting[shard]
            while queues and len(taken) < limit:
                device, queue = next(iter(queues.items()))
                taken += [queue.popleft() for _ in range(min(SHARE, len(queue), limit - len(taken)))]
                del queues[device]
                if queue:
                    queues[device] = queue  # behind the others
            if queues:
                break
            del self._waiting[shard]
        self._count -= len(taken)
        return [message for _, message in sorted(taken)]


def _head(queues: dict[str, deque[Numbered]]) -> Numbered:
    return min(queue[0] for queue in queues.values())
