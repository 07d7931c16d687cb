"""Frames that were sent and of which the collector has not yet said what became. No I/O.

A PUBACK is no such word: it is noted in the frame's life and settles nothing. A frame is due again after
max(``resend_ms``, 4 x the usual delay), with jitter, twice as long each time up to a quarter of an hour; time
counts only while its shard's collector is online.
"""

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.shelf import Entry

LIMIT = 32
RESERVED = 8  # of them for what must not wait behind data
USUAL_FACTOR = 4
MAX_DOUBLINGS = 4
LONGEST_MS = 900_000  # a usual delay learned from an outage must not hold a lost ack's frame back for hours
JITTER = 0.25
SMOOTHING = 8  # the weight of one delay in the usual one is 1/8, as TCP smooths its round trips (RFC 6298)


class Sent:
    """One outstanding frame."""

    def __init__(self, entry: "Entry", mid: int, now_ms: int, due_ms: int) -> None:
        """Note that it was first sent at ``now_ms``, as the transport's message ``mid``."""
        self.entry = entry
        self.mid = mid  # of the copy sent last
        self.first_ms = now_ms
        self.due_ms = due_ms
        self.times = 1


class Outstanding:
    """The frames under way on this connection, oldest first."""

    def __init__(self, resend_ms: int, chance: "Callable[[], float]") -> None:
        """``chance`` returns numbers evenly spread over 0 to 1."""
        self._resend_ms = resend_ms
        self._chance = chance
        self._sent: list[Sent] = []
        self.usual_ms = 0.0

    def __len__(self) -> int:
        return len(self._sent)

    def room(self, *, urgent: bool) -> bool:
        """Tell whether another frame may be sent."""
        return len(self._sent) < (LIMIT if urgent else LIMIT - RESERVED)

    def sent(self, entry: "Entry", mid: int, now_ms: int) -> None:
        """Remember a frame that was sent for the first time on this connection."""
        entry.fire("sent")
        self._sent.append(Sent(entry, mid, now_ms, now_ms + self._interval_ms(1)))

    def again(self, item: Sent, mid: int, now_ms: int) -> None:
        """Remember that a frame was sent once more."""
        item.entry.fire("sent")
        item.mid = mid
        item.times += 1
        item.due_ms = now_ms + self._interval_ms(item.times)

    def puback(self, mid: int) -> "Entry | None":
        """Note that the broker has a frame; return it, None when it is not outstanding any more."""
        for item in self._sent:
            if item.mid == mid:
                item.entry.fire("puback")
                return item.entry
        return None

    def settle(self, entry: "Entry", now_ms: int) -> None:
        """Forget a frame that the collector has answered for, and learn how long that takes."""
        for item in self._sent:
            if item.entry is entry:
                self._sent.remove(item)
                if item.times == 1:  # of a frame sent twice nobody knows which copy was answered (RFC 6298)
                    delay_ms = now_ms - item.first_ms
                    weight = SMOOTHING if self.usual_ms else 1
                    self.usual_ms += (delay_ms - self.usual_ms) / weight
                return

    def forget_gone(self) -> None:
        """Forget frames that have left the spool by another way."""
        self._sent = [item for item in self._sent if not item.entry.gone]

    def restart(self, topics: "Callable[[Entry], bool]", now_ms: int) -> None:
        """Count the time anew for the frames that ``topics`` picks: their collector has come back."""
        for item in self._sent:
            if topics(item.entry):
                item.due_ms = now_ms + self._interval_ms(item.times)

    def due(self, now_ms: int, online: "Callable[[Entry], bool]") -> list[Sent]:
        """Return the frames to send again."""
        return [item for item in self._sent if item.due_ms <= now_ms and online(item.entry)]

    def next_due_ms(self, online: "Callable[[Entry], bool]") -> "int | None":
        """Return when the next frame has to be sent again, None when none will."""
        times = [item.due_ms for item in self._sent if online(item.entry)]
        return min(times) if times else None

    def clear(self) -> None:
        """Forget all: the connection is gone, and all will be sent on the next."""
        for item in self._sent:
            if not item.entry.gone:
                item.entry.fire("lost")
        self._sent = []

    def _interval_ms(self, times: int) -> int:
        base = max(self._resend_ms, USUAL_FACTOR * self.usual_ms)
        doubled = min(base * (1 << min(times - 1, MAX_DOUBLINGS)), max(LONGEST_MS, self._resend_ms))
        return int(doubled * (1 + JITTER * self._chance()))
