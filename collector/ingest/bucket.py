"""Stage ``bucket``: whose message it is, and whether its device sends more than its share.

Runs before the signature is verified, because verifying is what a flood would cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.wire import cose, topics
from agent.wire.errors import WireError
from collector.ingest.batch import Address
from collector.model import Outcome, Reason

if TYPE_CHECKING:
    from collector.clock import Clock
    from collector.config import IngestConfig
    from collector.ingest.batch import Batch, Item

MAX_BUCKETS = 200_000  # names are the broker's to limit (a certificate each); this limits the memory anyway


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class TokenBuckets:
    """One bucket per device: ``rate`` tokens a second, at most ``burst``. Times in seconds."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._buckets: dict[str, _Bucket] = {}

    def take(self, device: str, now: float) -> bool:
        """Take one token; False when there is none."""
        bucket = self._buckets.get(device)
        if bucket is None:
            bucket = self._buckets[device] = self._new(now)
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.at) * self._rate)
        bucket.at = now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True

    def _new(self, now: float) -> _Bucket:
        if len(self._buckets) >= MAX_BUCKETS:
            full_after = self._burst / self._rate
            self._buckets = {d: b for d, b in self._buckets.items() if now - b.at < full_after}
        return _Bucket(self._burst, now)


class BucketStage:
    """Reads the topic, refuses what is too large, defers what is over the device's rate."""

    name = "bucket"

    def __init__(self, config: IngestConfig, clock: Clock) -> None:
        self._buckets = TokenBuckets(config.bucket_rate_per_s, config.bucket_burst)
        self._clock = clock

    def __call__(self, batch: Batch) -> None:
        """Address every message."""
        now = self._clock.mono()
        for item in batch.open():
            self._admit(item, now)

    def _admit(self, item: Item, now: float) -> None:
        try:
            address = Address(*topics.parse(item.received.topic))
        except WireError as error:
            item.reject(Outcome.INVALID, Reason.BAD_TOPIC, error.text)
            return
        item.address = address
        if address.shard != item.received.shard:
            item.reject(Outcome.INVALID, Reason.BAD_TOPIC, "delivered on another shard's session")
        elif not self._buckets.take(address.device, now):
            item.reject(Outcome.DEFERRED, Reason.RATE_LIMITED)
        elif len(item.received.payload) > cose.MAX_BYTES:
            item.reject(Outcome.INVALID, Reason.OVERSIZED, f"{len(item.received.payload)} bytes")
