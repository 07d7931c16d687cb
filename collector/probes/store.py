"""Whether the store of readings answers, and how fast."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from collector.errors import VigiaError
from collector.probes.record import Seen

if TYPE_CHECKING:
    from collector.storage.port import Store


class StoreProbe:
    """Asks the store what ``/readyz`` asks it."""

    name = "store"

    def __init__(self, store: Store) -> None:
        self._store = store

    def ask(self) -> Seen:
        """Ask."""
        begun = time.monotonic()
        try:
            self._store.check()
        except VigiaError as error:
            return Seen(good=False, detail=str(error).split("\n", maxsplit=1)[0])
        return Seen(good=True, latency_ms=(time.monotonic() - begun) * 1000)

    def close(self) -> None:
        """Close the store."""
        self._store.close()
