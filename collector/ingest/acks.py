"""Stages ``broker_acks`` and ``device_acks``: saying what became of messages, to the broker and to devices.

A device's ack names what was stored and refused of one incarnation; what comes within ``ack_interval_ms`` is
collected into one. An ack that is lost does no harm: the frame comes again and is acked as a duplicate.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.wire import cose, intervals, mac, topics
from agent.wire import frame as wire
from collector.errors import VigiaError
from collector.ingest.reception import refused
from collector.model import Outcome

if TYPE_CHECKING:
    from collector.clock import Clock
    from collector.config import IngestConfig
    from collector.ingest.batch import Batch, Item
    from collector.ingest.ports import Courier
    from collector.metrics import Metrics
    from collector.model import Frame

_FORGET_S = 600.0  # devices without news are forgotten
_MAX_WAITING = 64  # incarnations with news of one device


class BrokerAckStage:
    """Acknowledges every message of the batch, in order of arrival."""

    name = "broker_acks"

    def __init__(self, courier: Courier, metrics: Metrics, clock: Clock) -> None:
        self._courier = courier
        self._metrics = metrics
        self._clock = clock

    def __call__(self, batch: Batch) -> None:
        """Acknowledge; a message without a verdict is a fault of ours and must come again."""
        if undecided := len(batch.open()):
            raise VigiaError(f"{undecided} messages went through the pipeline without a verdict")
        self._courier.acknowledge([item.received for item in batch.items])
        now_ms = self._clock.now_ms()
        ended: Counter[tuple[str, str]] = Counter()
        for item in batch.items:
            if (verdict := item.verdict) is not None:
                ended[verdict.outcome, verdict.reason or ""] += 1
                self._metrics.lag_seconds.observe(max(0, now_ms - item.received.arrival_ms) / 1000)
        for labels, count in ended.items():
            self._metrics.frames.labels(*labels).inc(count)


@dataclass(slots=True)
class _News:
    """What is to be told of one incarnation."""

    stored: list[list[int]] = field(default_factory=list)
    refused: dict[str, list[list[int]]] = field(default_factory=dict)

    def says(self, seq: int) -> bool:
        """Whether it already tells what became of a seq."""
        return any(intervals.contains(ranges, seq) for ranges in (self.stored, *self.refused.values()))

    def take(self) -> tuple[list[list[int]], list[tuple[int, int, str]]]:
        """Take out what fits into one ack: intervals stored, and refused with their reason."""
        told = sorted((lo, hi, reason) for reason, ranges in self.refused.items() for lo, hi in ranges)
        stored, self.stored = self.stored[: wire.MAX_ACK_RANGES], self.stored[wire.MAX_ACK_RANGES :]
        room = wire.MAX_ACK_RANGES - len(stored)
        self.refused = {}
        for lo, hi, reason in told[room:]:
            self.refused.setdefault(reason, []).append([lo, hi])
        return stored, told[:room]


@dataclass(slots=True)
class _Mailbox:
    """What is to be told to one device on one shard, by (kid, incarnation), and when it was told last."""

    waiting: dict[tuple[str, str], _News] = field(default_factory=dict)
    sent: float = float("-inf")


class DeviceAckStage:
    """Collects what is to be told to devices; ``flush`` sends what is due."""

    name = "device_acks"

    def __init__(
        self, config: IngestConfig, secret: bytes, courier: Courier, metrics: Metrics, clock: Clock
    ) -> None:
        self._interval_s = config.ack_interval_ms / 1000
        self._secret = secret
        self._courier = courier
        self._metrics = metrics
        self._clock = clock
        self._boxes: dict[tuple[str, str], _Mailbox] = {}
        self._due: dict[tuple[str, str], None] = {}

    def __call__(self, batch: Batch) -> None:
        """Collect the batch's outcomes and send what is due."""
        for item in batch.items:
            if item.frame is not None and item.frame.seq is not None:
                self._collect(item, item.frame, item.frame.seq)
        batch.release()
        self.flush()

    def flush(self) -> None:
        """Send what has waited long enough; called often."""
        now = self._clock.mono()
        for address in list(self._due):
            box = self._boxes[address]
            if now - box.sent >= self._interval_s:
                self._send(address, box, now)
        self._forget(now)

    def _collect(self, item: Item, frame: Frame, seq: int) -> None:
        verdict, row = item.verdict, item.work.incarnation
        if verdict is None:
            return
        address = (frame.shard, frame.device)
        box = self._boxes.setdefault(address, _Mailbox())
        key = (frame.kid, frame.incarnation)
        if key not in box.waiting and len(box.waiting) >= _MAX_WAITING:
            return
        news = box.waiting.setdefault(key, _News())
        reason = str(verdict.reason or "") if verdict.outcome is Outcome.REFUSED else None
        if verdict.outcome is Outcome.DUPLICATE and row is not None:
            reason = refused(row, seq)
        if not news.says(seq):  # an ack names a seq once
            intervals.add(news.refused.setdefault(reason, []) if reason else news.stored, seq)
        self._due[address] = None

    def _send(self, address: tuple[str, str], box: _Mailbox, now: float) -> None:
        """Send the news of one incarnation; those of another wait for their turn."""
        key = next(iter(box.waiting))
        kid, incarnation = (bytes.fromhex(part) for part in key)
        stored, told = box.waiting[key].take()
        if not (box.waiting[key].stored or box.waiting[key].refused):
            del box.waiting[key]
        payload = wire.encode_ack(kid, incarnation, stored, told, self._clock.now_ms())
        shard, device = address
        topic = topics.make(shard, device, "ack")
        key_of_device = mac.ack_key(self._secret, kid)
        if self._courier.publish(shard, topic, cose.mac0(key_of_device, kid, topic.encode(), payload)):
            self._metrics.acks.inc()
        box.sent = now
        if not box.waiting:
            del self._due[address]

    def _forget(self, now: float) -> None:
        if len(self._boxes) > 2 * len(self._due) + 10_000:
            self._boxes = {
                address: box
                for address, box in self._boxes.items()
                if box.waiting or now - box.sent < _FORGET_S
            }
