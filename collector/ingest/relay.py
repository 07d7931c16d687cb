"""Two batches under way: while the store takes one, the next one's unit of work begins.

The store's answer is waited for in a thread of its own; everything else runs where it always did, one batch
after the other: a batch is committed and acknowledged before the next one is, in order of arrival. What the
next one reads of the state meanwhile must not be what the one before is about to change, so that batches
that have a device in common do not overlap. (A queue is emptied shard by shard, and a live device speaks
twice a minute: they rarely do.) When anything goes wrong there is no overlap until it went well again.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from collector.ingest.batch import Batch
    from collector.pipeline import Pipeline


class Relay:
    """Hands batches on to the pipeline; ``nudge`` is called, in another thread, when one is written."""

    def __init__(self, pipeline: Pipeline, nudge: Callable[[], None]) -> None:
        self._pipeline = pipeline
        self._nudge = nudge
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._flying: tuple[Batch, Future[bool]] | None = None

    def take(self, batch: Batch, stop: threading.Event) -> None:
        """Begin a batch, end the one before, and let the store write this one."""
        if self.is_due() or not self._may_overlap(batch):
            self.finish(stop)
        try:
            begun = self._pipeline.begin(batch)
            if not begun:
                self._pipeline.rewind(batch)  # what it holds of the database the one before needs
            well = self.finish(stop)
        except BaseException:
            batch.release()
            raise
        if begun and well:
            written = self._writer.submit(self._pipeline.write, batch)
            self._flying = batch, written
            written.add_done_callback(lambda _: self._nudge())
            return
        self._pipeline.rewind(batch)  # what it rests on may have changed since
        if not stop.is_set():  # else the one before may be unanswered, and nothing may be acked past it
            self._pipeline.run(batch, stop)

    def _may_overlap(self, batch: Batch) -> bool:
        if self._flying is None:
            return True
        return self._pipeline.is_prepared(batch) and self._flying[0].devices().isdisjoint(batch.devices())

    def is_due(self) -> bool:
        """Whether a batch was written and waits for its end."""
        return self._flying is not None and self._flying[1].done()

    def finish(self, stop: threading.Event) -> bool:
        """Wait until the batch under way is written, and end it; False when it took more than one attempt."""
        if self._flying is None:
            return True
        (batch, written), self._flying = self._flying, None
        try:
            well = written.result()
        except BaseException:
            batch.release()
            raise
        if not well:
            self._pipeline.rewind(batch)
        return self._pipeline.run(batch, stop) and batch.attempts == 1

    def close(self) -> None:
        """End the thread; a batch that is under way comes again."""
        self._writer.shutdown()
        if self._flying is not None:
            self._flying[0].release()
            self._flying = None
