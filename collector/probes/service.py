"""Asks each probe in a thread of its own and writes down what it says, until it is told to stop."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from collector.probes import record
from collector.probes.broker import BrokerProbe
from collector.probes.record import Health, Seen
from collector.probes.store import StoreProbe
from collector.probes.uplink import UplinkProbe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Engine

    from collector.clock import Clock
    from collector.config import Config
    from collector.log import Reporter
    from collector.metrics import Metrics
    from collector.storage.port import Store


class Asked(Protocol):
    """One probe."""

    name: str

    def ask(self) -> Seen:
        """Ask; what goes wrong is an answer."""

    def close(self) -> None:
        """Let go."""


def probes(config: Config, store: Callable[[], Store]) -> list[Asked]:
    """Make the probes that are configured."""
    timeout_s = config.probes.timeout_ms / 1000
    found: list[Asked] = [BrokerProbe(config.broker, timeout_s), StoreProbe(store())]
    if config.probes.uplink:
        found.append(UplinkProbe(config.probes.uplink, timeout_s))
    return found


class ProbeService:
    """The process that asks."""

    def __init__(
        self,
        config: Config,
        engine: Engine,
        asked: Sequence[Asked],
        metrics: Metrics,
        reporter: Reporter,
        clock: Clock,
    ) -> None:
        self._every_s = config.probes.interval_ms / 1000
        self._engine = engine
        self._asked = asked
        self._metrics = metrics
        self._reporter = reporter
        self._clock = clock

    def run(self, stop: threading.Event) -> None:
        """Ask until ``stop``."""
        threads = [
            threading.Thread(target=self._serve, args=(probe, stop), name=f"probe-{probe.name}", daemon=True)
            for probe in self._asked
        ]
        for thread in threads:
            thread.start()
        stop.wait()
        for thread in threads:
            thread.join(self._every_s)
        for probe in self._asked:
            probe.close()

    def _serve(self, probe: Asked, stop: threading.Event) -> None:
        while not stop.is_set():
            begun = self._clock.mono()
            self.take(probe.name, probe.ask())
            stop.wait(max(0.0, self._every_s - (self._clock.mono() - begun)))

    def take(self, name: str, seen: Seen) -> None:
        """Write down an answer; while the state cannot be written nothing is known of the centre."""
        try:
            with Session(self._engine) as session, session.begin():
                stands = record.saw(session, name, seen, self._clock.now_ms())
        except SQLAlchemyError as error:
            self._reporter.problem("state_unavailable", f"probe {name}: {type(error).__name__}")
            return
        self._metrics.probe_ok.labels(probe=name).set(int(stands in {Health.GOOD, Health.DOUBT}))
        if seen.latency_ms is not None:
            self._metrics.probe_seconds.labels(probe=name).set(seen.latency_ms / 1000)
        if not seen.good:
            self._reporter.problem(f"probe_{name}", seen.detail)
