"""Where the network thread leaves messages and the pipeline takes them, without waiting for each other.

Its size is bounded by the connections, which stop reading when too much of theirs waits here (``mqtt_link``).
"""

from __future__ import annotations

from collections import deque
from threading import Condition
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.clock import Clock
    from collector.model import Received

IDLE_S = 0.02  # when nothing came for this long, the broker's window is full or there is nothing more
SHARE = 100  # messages of one device in a batch while others wait
DEVICES = 200  # in a batch: a device costs about as much as a frame (state and rules are per device)

Numbered = tuple[int, "Received"]


class Inbox:
    """A queue per shard and device that hands out batches; order holds within a device.

    When more waits than a batch takes, up to half of it goes to the devices of which least waits: they speak
    live and need not wait behind those that bring a backlog. The rest comes shard by shard, from the one that
    waits longest: many frames of few devices cost half as much as few frames of many. Devices take turns, so
    that nobody waits behind a burst of another, and those of the batch before let others go first: batches
    without a device in common can be under way together (``relay``). A batch itself is in order of arrival.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[str, dict[str, deque[Numbered]]] = {}  # devices in the order of their turns
        self._count = 0
        self._number = 0
        self._served: set[str] = set()  # the devices of the last batch
        self._wanted = 1  # whoever takes sleeps until so many wait
        self._changed = Condition()

    def put(self, message: Received) -> None:
        """Leave a message; never waits for the pipeline."""
        device = message.topic.rpartition("/")[0]
        with self._changed:
            queues = self._waiting.setdefault(message.shard, {})
            queues.setdefault(device, deque()).append((self._number, message))
            self._number += 1
            self._count += 1
            if self._count == self._wanted:  # waking a thread for every message costs as much as reading it
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
                self._wanted = 1
                self._changed.wait(wait_s)
            self._wanted = limit
            end, before = self._clock.mono() + batch_s, 0
            while before < self._count < limit and self._clock.mono() < end:
                before = self._count
                self._changed.wait(min(IDLE_S, max(0.0, end - self._clock.mono())))
            return self._take(limit)

    def _take(self, limit: int) -> list[Received]:
        taken: list[Numbered] = []
        served: set[str] = set()
        for turn, (shard, device) in enumerate(self._turns(limit)):
            if turn == DEVICES or len(taken) == limit:
                break
            queues = self._waiting[shard]
            queue = queues.pop(device)
            taken += [queue.popleft() for _ in range(min(SHARE, len(queue), limit - len(taken)))]
            if queue:
                queues[device] = queue  # behind the others
            elif not queues:
                del self._waiting[shard]
            served.add(device)
        self._count -= len(taken)
        self._served = served
        return [message for _, message in sorted(taken)]

    def _turns(self, limit: int) -> Iterator[tuple[str, str]]:
        """Give whom to take from, as long as somebody waits."""
        shards = sorted(self._waiting, key=lambda shard: _head(self._waiting[shard]))
        turns = [(shard, device) for shard in shards for device in self._waiting[shard]]
        if self._count > limit or len(turns) > DEVICES:
            turns = [turn for turn in turns if turn[1] not in self._served] or turns
            yield from self._quiet(turns, limit // 2)
        while turns := [turn for turn in turns if turn[1] in self._waiting.get(turn[0], ())]:
            yield from turns

    def _quiet(self, turns: list[tuple[str, str]], room: int) -> Iterator[tuple[str, str]]:
        """Give the devices of which least waits, the oldest first, up to ``room`` messages of them."""
        queues = ((self._waiting[shard][device], shard, device) for shard, device in turns)
        ranks = sorted((len(queue), queue[0], shard, device) for queue, shard, device in queues)
        for waiting, _, shard, device in ranks[: DEVICES // 2]:
            room -= waiting
            if room < 0:
                return
            yield shard, device


def _head(queues: dict[str, deque[Numbered]]) -> Numbered:
    return min(queue[0] for queue in queues.values())
