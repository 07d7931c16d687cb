"""Stage ``address``: who speaks, by the topic, and whether the message has the size of a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.wire import cose, topics
from agent.wire.errors import WireError
from collector.ingest.batch import Address
from collector.model import Outcome, Reason

if TYPE_CHECKING:
    from collector.ingest.batch import Batch, Item


class AddressStage:
    """Reads the topic and refuses what is too large."""

    name = "address"

    def __call__(self, batch: Batch) -> None:
        """Address every message."""
        for item in batch.open():
            _address(item)


def _address(item: Item) -> None:
    try:
        address = Address(*topics.parse(item.received.topic))
    except WireError as error:
        item.reject(Outcome.INVALID, Reason.BAD_TOPIC, error.text)
        return
    item.address = address
    if address.shard != item.received.shard:
        item.reject(Outcome.INVALID, Reason.BAD_TOPIC, "delivered on another shard's session")
    elif len(item.received.payload) > cose.MAX_BYTES:
        item.reject(Outcome.INVALID, Reason.OVERSIZED, f"{len(item.received.payload)} bytes")
