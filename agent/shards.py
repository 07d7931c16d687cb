"""What each shard's collector says of itself: retained ``{"state", "owner", "epoch"}``. No I/O."""

import json

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

_STATES = ("online", "offline")


class Shards:
    """The last word of each shard's collector. A lower epoch than one seen before has no say."""

    def __init__(self) -> None:
        """Know of no collector."""
        self._known: dict[str, tuple[int, bool]] = {}  # topic -> (epoch, online)

    def take(self, topic: str, payload: bytes) -> str:
        """Take a status message; return ``online`` or ``offline`` when accepted, else why not."""
        try:
            status = json.loads(payload)
        except ValueError:
            return "malformed"
        if not _valid(status):
            return "malformed"
        epoch: int = status["epoch"]
        if epoch < self._known.get(topic, (0, False))[0]:
            return "old_epoch"
        state: str = status["state"]
        self._known[topic] = (epoch, state == "online")
        return state

    def online(self, topic: str) -> bool:
        """Tell whether the collector behind this status topic is known to be there."""
        return self._known.get(topic, (0, False))[1]


def _valid(status: "Any") -> bool:
    return (
        isinstance(status, dict)
        and status.get("state") in _STATES
        and isinstance(status.get("epoch"), int)
        and not isinstance(status["epoch"], bool)
    )
