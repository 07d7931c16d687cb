"""What each shard's collector says of itself: retained ``{"state", "owner", "epoch"}``. No I/O.

A lower epoch has no say, for the late will of a worker that lost its shard must not stop the fleet. Yet
epochs live in the collector's state, and a collector whose state was rebuilt begins at 1 again: a lower
``online`` that nobody of the known epoch, or of a higher one, has answered for ``RESET_MS`` becomes the
shard's epoch. A lower ``offline`` never does.
"""

import json

from agent.wire import topics

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

RESET_MS = 600_000  # as long as a fleet that was told a forged, high epoch waits with sending again
MAX_BYTES = 512  # of a status; a longer one is not looked into
_STATES = ("online", "offline")
_TOPICS = [topics.status(shard) for shard in topics.SHARDS]


class _Known:
    """What is believed of one shard, and the lower epoch that says online meanwhile."""

    def __init__(self) -> None:
        self.epoch = 0
        self.online = False
        self.claim = 0
        self.claim_ms: "int | None" = None  # since when it stands

    def settle(self, now_ms: int) -> None:
        """Let a lower epoch take over once nobody has answered it for long enough."""
        if self.claim_ms is not None and now_ms - self.claim_ms >= RESET_MS:
            self.believe(self.claim, online=True)

    def believe(self, epoch: int, *, online: bool) -> None:
        """Take what the shard's own epoch, or a higher one, says."""
        self.epoch, self.online = epoch, online
        self.claim_ms = None

    def doubt(self, epoch: int, now_ms: int, *, online: bool) -> None:
        """Remember what a lower epoch says: online stands, offline takes its own word back."""
        if online:
            self.claim = epoch
            self.claim_ms = now_ms if self.claim_ms is None else self.claim_ms
        elif epoch == self.claim:
            self.claim_ms = None


class Shards:
    """The last word of each shard's collector; at most one for each of the sixteen."""

    def __init__(self) -> None:
        """Know of no collector."""
        self._known: dict[str, _Known] = {}

    def take(self, topic: str, payload: bytes, now_ms: int) -> str:
        """Take a status message; return ``online`` or ``offline`` when accepted, else why not."""
        status = _read(payload) if topic in _TOPICS else None
        if status is None:
            return "malformed"
        known = self._known.setdefault(topic, _Known())
        known.settle(now_ms)
        epoch: int = status["epoch"]
        state: str = status["state"]
        if epoch < known.epoch:
            known.doubt(epoch, now_ms, online=state == "online")
            return "old_epoch"
        known.believe(epoch, online=state == "online")
        return state

    def online(self, topic: str, now_ms: int) -> bool:
        """Tell whether the collector behind this status topic is known to be there."""
        known = self._known.get(topic)
        if known is None:
            return False
        known.settle(now_ms)
        return known.online


def _read(payload: bytes) -> "dict[str, Any] | None":
    """Return a status of the right shape, None for anything else."""
    if len(payload) > MAX_BYTES:
        return None
    try:
        status = json.loads(payload)
    except ValueError:
        return None
    valid = (
        isinstance(status, dict)
        and status.get("state") in _STATES
        and isinstance(status.get("epoch"), int)
        and not isinstance(status["epoch"], bool)
        and status["epoch"] >= 0
    )
    return status if valid else None
