"""Whether a device sends more than its share: asked by the network thread, before anything is decoded.

What is over the share is not handed to the pipeline: a flood costs a look at the topic and an MQTT
acknowledgement each, and neither a signature nor a place in a batch. It comes again if it was a frame.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_BUCKETS = 200_000  # names are the broker's to limit (a certificate each); this limits the memory anyway


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class TokenBuckets:
    """One bucket per device: ``rate`` tokens a second, at most ``burst``. Times in seconds.

    Devices are told apart by what stands before the last slash of their topics; it need not be UTF-8.
    """

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._buckets: dict[bytes, _Bucket] = {}

    def take(self, topic: bytes, now: float) -> bool:
        """Take one token of the device that a topic names; False when there is none."""
        device = topic[: topic.rfind(b"/")]
        bucket = self._buckets.get(device)
        if bucket is None:
            bucket = self._buckets[device] = self._new(now)
        tokens = bucket.tokens + (now - bucket.at) * self._rate
        bucket.at = now
        if tokens < 1:
            bucket.tokens = tokens
            return False
        bucket.tokens = min(self._burst, tokens) - 1
        return True

    def _new(self, now: float) -> _Bucket:
        if len(self._buckets) >= MAX_BUCKETS:
            full_after = self._burst / self._rate
            self._buckets = {d: b for d, b in self._buckets.items() if now - b.at < full_after}
        return _Bucket(self._burst, now)
