"""The ingest pipeline: a list of stages, and the one place that tries again.

    address -> verify -> admit           of one message alone, ahead of all others (ingest/ahead)
    receive -> resolve -> points         opens the unit of work; times and places are committed
    write                                into the store, while the next batch begins (ingest/relay); writing
                                         the same again changes nothing
    commit                               reception, states, incidents: one transaction
    broker_acks -> device_acks           only now anybody is told

A crash between any two stages means that the broker delivers the batch again: what was written is written
again to the same points, what was committed makes the frames duplicates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.exc import OperationalError

from collector import failpoints
from collector.errors import TemporaryError
from collector.ingest.acks import BrokerAckStage, DeviceAckStage
from collector.ingest.address import AddressStage
from collector.ingest.admit import AdmitStage
from collector.ingest.names import Names
from collector.ingest.quarantine import Quarantine
from collector.ingest.reception import ReceiveStage
from collector.ingest.resolve import PointsStage, ResolveStage
from collector.ingest.settle import CommitStage, WriteStage
from collector.ingest.tables import Register
from collector.ingest.verify import VerifyStage

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from sqlalchemy import Engine

    from collector.clock import Clock
    from collector.config import IngestConfig
    from collector.ingest.batch import Batch, Stage
    from collector.ingest.lease import Leases
    from collector.ingest.ports import Courier, Judge, Registry
    from collector.log import Reporter
    from collector.metrics import Metrics
    from collector.storage.port import Store

BACKOFF_S = (0.25, 15.0)
UNIT_OF_WORK = "receive"  # where a batch that could not be settled begins again
WRITE = "write"  # what waits for the store, see ingest/relay


@dataclass(frozen=True, slots=True)
class Parts:
    """What the stages are made of."""

    config: IngestConfig
    ack_secret: bytes
    engine: Engine
    store: Store
    registry: Registry
    judge: Judge
    leases: Leases
    courier: Courier
    metrics: Metrics
    reporter: Reporter
    clock: Clock


def stages(parts: Parts) -> list[Stage]:
    """Return the pipeline, in order."""
    p = parts
    quarantine = Quarantine(p.config.quarantine_rows)
    names = Names(p.engine)
    return [
        AddressStage(),
        VerifyStage(p.registry),
        AdmitStage(Register(names), p.metrics),
        ReceiveStage(p.engine),
        ResolveStage(p.leases, p.reporter),
        PointsStage(p.registry),
        WriteStage(p.store),
        CommitStage(p.leases, p.registry, p.judge, quarantine, names, p.reporter, p.clock),
        BrokerAckStage(p.courier, p.metrics, p.clock),
        DeviceAckStage(p.config, p.ack_secret, p.courier, p.metrics, p.clock),
    ]


class Pipeline:
    """Runs batches through the stages; keeps a batch while store or state do not answer."""

    def __init__(
        self,
        steps: Sequence[Stage],
        metrics: Metrics,
        reporter: Reporter,
        clock: Clock,
        while_waiting: Callable[[], None],
    ) -> None:
        self._steps = list(steps)
        names = [step.name for step in steps]
        self._again, self._write = names.index(UNIT_OF_WORK), names.index(WRITE)
        self._metrics = metrics
        self._reporter = reporter
        self._clock = clock
        self._while_waiting = while_waiting
        self._ended = failpoints.armed()

    def prepare(self, batch: Batch) -> None:
        """Do what can be done ahead; ``run`` goes on from there, and tries again what did not answer."""
        self._until(batch, self._again)

    def is_prepared(self, batch: Batch) -> bool:
        """Whether all was done ahead that can be."""
        return batch.at == self._again

    def begin(self, batch: Batch) -> bool:
        """Do what comes before the write; False when something did not answer."""
        return self._until(batch, self._write)

    def write(self, batch: Batch) -> bool:
        """Write a batch that was begun; False when the store does not answer."""
        return self._until(batch, self._write + 1)

    def _until(self, batch: Batch, end: int) -> bool:
        try:
            while batch.at < end:
                self._step(self._steps[batch.at], batch)
                batch.at += 1
        except (TemporaryError, OperationalError) as error:
            self._report(error)
            batch.attempts += 1
            return False
        return True

    def rewind(self, batch: Batch) -> None:
        """Forget the unit of work, so that it is done again."""
        batch.rewind()
        batch.at = min(batch.at, self._again)

    def run(self, batch: Batch, stop: threading.Event) -> bool:
        """Take a batch through all stages; False when stopped while the store or state did not answer."""
        pause_s = BACKOFF_S[0]
        try:
            while not self._until(batch, len(self._steps)):
                self.rewind(batch)
                self._while_waiting()
                if stop.wait(pause_s):
                    return False
                pause_s = min(2 * pause_s, BACKOFF_S[1])
            return True
        finally:
            batch.release()

    def _step(self, step: Stage, batch: Batch) -> None:
        started = self._clock.mono()
        step(batch)
        self._metrics.batch_seconds.labels(step.name).observe(self._clock.mono() - started)
        if self._ended is not None:
            self._ended(step.name)

    def _report(self, error: Exception) -> None:
        reason = "store_unavailable" if isinstance(error, TemporaryError) else "state_unavailable"
        text = str(error).split("\n", maxsplit=1)[0]
        self._metrics.retries.labels("ingest", reason).inc()
        self._reporter.problem(reason, f"{text}; nothing is acknowledged until it answers")
