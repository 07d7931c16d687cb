"""Works ahead: while one batch is stored, the next one is gathered and its signatures are verified.

Verifying releases Python's lock (cryptography does), so that a second processor can do it. Only stages
that look at a message alone run here, in the order of arrival; what they found out is lost with a crash, and
the broker delivers again. One batch is ahead, and it is gathered when the one before was taken: what is still
in the inbox until then can be overtaken by what is more urgent. The broker's window bounds what waits there.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from collector.ingest.batch import Batch

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.config import IngestConfig
    from collector.ingest.inbox import Inbox

WAIT_S = 0.1
JOIN_S = 10.0


class Ahead:
    """A thread between the inbox and the pipeline; ``prepare`` is what it does with a batch."""

    def __init__(self, inbox: Inbox, prepare: Callable[[Batch], None], config: IngestConfig) -> None:
        self._inbox = inbox
        self._prepare = prepare
        self._config = config
        self._ready: Batch | None = None
        self._held: Batch | None = None  # taken from the inbox, not ready yet
        self._changed = threading.Condition()
        self._stopping = self._nudged = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="ahead", daemon=True)

    def start(self) -> None:
        """Begin to take from the inbox."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; what was not taken comes again."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(JOIN_S)

    def nudge(self) -> None:
        """Let ``take`` return, with a batch or without one."""
        with self._changed:
            self._nudged = True
            self._changed.notify_all()

    def take(self, wait_s: float) -> Batch | None:
        """Wait for the next batch or a nudge; raises what went wrong in the thread."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._error or self._nudged, wait_s)
            self._nudged = False
            if self._error is not None:
                raise self._error
            batch, self._ready = self._ready, None
            self._changed.notify_all()
            return batch

    def oldest_ms(self) -> int | None:
        """When the message that waits longest arrived; None when none waits."""
        with self._changed:
            for batch in (self._ready, self._held):
                if batch is not None:
                    return batch.items[0].received.arrival_ms
        return self._inbox.oldest_ms()

    def _run(self) -> None:
        try:
            while self._is_wanted():
                messages = self._inbox.take(self._config.batch_frames, WAIT_S, self._config.batch_ms / 1000)
                if messages:
                    self._pass_on(Batch.of(messages))
        except BaseException as error:  # noqa: BLE001 - whoever takes is the one to fail
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _is_wanted(self) -> bool:
        """Wait until the batch before was taken; False when stopping."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready is None or self._stopping)
            return not self._stopping

    def _pass_on(self, batch: Batch) -> None:
        self._held = batch
        self._prepare(batch)
        with self._changed:
            self._ready, self._held = batch, None
            self._changed.notify_all()
