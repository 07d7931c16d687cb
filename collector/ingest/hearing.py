"""When silence may be judged: only by somebody who was listening.

While a shard's connection is down, the store does not take anything or the pipeline is behind, the collector
is deaf and knows nothing about who speaks. After a deaf time longer than ``SHORT_MS`` devices get
``SETTLE_MS`` to come back (they return at random over 30 s) before time passes for the rules again.
"""

from __future__ import annotations

SHORT_MS = 8_000
SETTLE_MS = 45_000


class Hearing:
    """Whether one shard is listened to. Times in ms of the wall clock."""

    def __init__(self, last_heard_ms: int | None) -> None:
        self._deaf_since: int | None = last_heard_ms or 0
        self._settled_ms = 0
        self._ever = last_heard_ms is not None

    def deaf(self, now_ms: int) -> None:
        """Nothing can be heard now."""
        if self._deaf_since is None:
            self._deaf_since = now_ms

    def hears(self, now_ms: int) -> int | None:
        """Everything that is said is heard now; return since when it was not, if that was long."""
        since_ms, long = self._deaf_since, False
        if since_ms is None:
            return None
        if self._ever and now_ms - since_ms > SHORT_MS:
            self._settled_ms, long = now_ms + SETTLE_MS, True
        self._deaf_since = None
        self._ever = True
        return since_ms if long else None

    def may_judge(self, now_ms: int) -> bool:
        """Whether who is silent now can be told."""
        return self._deaf_since is None and now_ms >= self._settled_ms
