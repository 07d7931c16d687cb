"""The ingest: takes messages from the broker to the store and the rules, for the shards it holds.

``run`` waits for the leases, receives until stopped, and ends with ``LeaseLostError`` when another worker
took a shard over; whoever started it may start it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from agent.wire import topics
from collector.errors import ConfigError, VigiaError
from collector.ingest.acks import DeviceAckStage
from collector.ingest.ahead import Ahead
from collector.ingest.hearing import Hearing
from collector.ingest.inbox import Inbox
from collector.ingest.lease import LEASE_MS, Leases
from collector.ingest.mqtt_source import MqttSource
from collector.ingest.relay import Relay
from collector.pipeline import Parts, Pipeline, stages
from collector.probes import record
from collector.storage.chronicle import Chronicle
from collector.storage.means import Means, MeansThread
from collector.storage.state import DeviceState

if TYPE_CHECKING:
    import threading

    from sqlalchemy import Engine

    from collector.clock import Clock
    from collector.config import Config
    from collector.ingest.ports import Judge, Registry
    from collector.log import Reporter
    from collector.metrics import Metrics
    from collector.storage.port import Store

BEHIND_MS = 2_000  # a message that waits longer means that the pipeline is behind
REFRESH_S = 5.0  # between looks at the registry
SECRET_BYTES = 32
_FLUSH_S = 0.1
_LEASE_WAIT_S = 0.5


class IngestService:
    """Composes source, pipeline and rules, and lets time pass for the rules."""

    def __init__(  # noqa: PLR0913, PLR0917 - the composition of the process
        self,
        config: Config,
        engine: Engine,
        store: Store,
        registry: Registry,
        judge: Judge,
        metrics: Metrics,
        reporter: Reporter,
        clock: Clock,
    ) -> None:
        self._config = config
        self._engine = engine
        self._registry = registry
        self._judge = judge
        self._metrics = metrics
        self._reporter = reporter
        self._clock = clock
        self._shards = sorted(set(config.ingest.shards))
        self._leases = Leases(engine, config.ingest.owner, clock)
        inbox = Inbox(clock)
        self._source = MqttSource(config, self._shards, inbox.put, metrics, reporter, clock)
        parts = Parts(
            config.ingest, _secret(config), engine, store, registry, judge,
            self._leases, self._source, metrics, reporter, clock,
        )  # fmt: skip
        steps = stages(parts)
        self._device_acks = next(step for step in steps if isinstance(step, DeviceAckStage))
        self._pipeline = Pipeline(steps, metrics, reporter, clock, self._be_deaf)
        self._ahead = Ahead(inbox, self._pipeline.prepare, config.ingest)
        self._means = MeansThread(Means(engine, store, reporter, config.ingest.shards), clock)
        self._relay = Relay(self._pipeline, self._ahead.nudge)
        self._chronicle = Chronicle(engine, store, reporter, config.ingest.shards)
        self._hearing: dict[str, Hearing] = {}
        self._next_tick = self._next_refresh = 0.0

    def run(self, stop: threading.Event) -> None:
        """Receive until ``stop``. Raises ``LeaseLostError``."""
        goodbye = False
        try:
            if self._lease(stop):
                self._listen()
                self._source.start(self._leases.owner, self._leases.epochs)
                self._ahead.start()
                self._means.start()
                self._receive(stop)
                goodbye = True
        finally:
            self._means.stop()
            self._ahead.stop()
            self._relay.close()
            self._source.stop(goodbye=goodbye)
        self._leases.release()

    def _lease(self, stop: threading.Event) -> bool:
        """Wait until all shards are ours; False when stopped before."""
        wanted = self._shards
        while not stop.is_set():
            try:
                wanted = self._leases.acquire(wanted)
                self._keep_leases()
            except OperationalError as error:
                self._state_unavailable(error)
                stop.wait(_LEASE_WAIT_S)
                continue
            if not wanted:
                return True
            self._reporter.problem(
                "lease_held",
                f"shards {''.join(wanted)} are held by another worker; its lease ends in {LEASE_MS} ms",
            )
            stop.wait(_LEASE_WAIT_S)
        return False

    def _keep_leases(self) -> None:
        with Session(self._engine) as session, session.begin():
            self._leases.check(session, self._leases.epochs)

    def _listen(self) -> None:
        """Take what is known of the time before: nobody was listened to since the last arrival."""
        with Session(self._engine) as session:
            newest = session.scalar(select(func.max(DeviceState.arrival_ms)))
        self._hearing = {shard: Hearing(newest) for shard in self._shards}

    def _receive(self, stop: threading.Event) -> None:
        while not stop.is_set():
            if not self._source.is_alive():
                raise VigiaError("the network thread ended: this is a fault of ours, see the log")
            batch = self._ahead.take(self._wait_s())
            if batch is not None:
                self._relay.take(batch, stop)
            elif self._relay.is_due():
                self._relay.finish(stop)
            self._device_acks.flush()
            if self._clock.mono() >= self._next_tick:
                self._relay.finish(stop)  # the rules are told what came before they are told that nothing did
                self._pass_time()
        self._relay.finish(stop)

    def _wait_s(self) -> float:
        return min(_FLUSH_S, max(0.0, self._next_tick - self._clock.mono()))

    def _pass_time(self) -> None:
        """Every ``tick_ms``: keep the leases and let time pass for the sites that are listened to."""
        now = self._clock.mono()
        self._next_tick = now + self._config.rules.tick_ms / 1000
        try:
            if now >= self._next_refresh:
                self._next_refresh = now + REFRESH_S
                self._registry.refresh()
            with Session(self._engine) as session, session.begin():
                self._leases.check(session, self._shards)
                if sites := self._judged_sites(session):
                    self._tick(session, sites)
            self._chronicle.write(self._clock.now_ms())
        except OperationalError as error:
            self._state_unavailable(error)

    def _state_unavailable(self, error: OperationalError) -> None:
        self._reporter.problem("state_unavailable", str(error).split("\n", maxsplit=1)[0])

    def _tick(self, session: Session, sites: list[str]) -> None:
        try:
            with session.begin_nested():
                self._judge.tick(session, sites, self._clock.now_ms())
        except OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 - a rule that fails must not stop the readings
            self._reporter.problem("rules_failed", f"tick: {type(error).__name__}: {error}")

    def _judged_sites(self, session: Session) -> list[str]:
        """Return the sites that were listened to, or all when the centre's probes tell why nobody is."""
        now_ms = self._clock.now_ms()
        oldest = self._ahead.oldest_ms()
        online, full = self._source.online(), self._source.full()
        behind = oldest is not None and now_ms - oldest > BEHIND_MS
        missed = []
        for shard, hearing in self._hearing.items():
            if behind or shard in full or shard not in online:
                hearing.deaf(now_ms)
            else:
                missed.append(hearing.hears(now_ms))
        if spans := [since_ms for since_ms in missed if since_ms is not None]:
            record.unobserved(session, min(spans), now_ms)
        if not behind and not online and self._judge.deaf_by(session, now_ms):
            return [site.id for site in self._registry.sites() if topics.shard_of(site.id) in self._hearing]
        heard = {shard for shard, hearing in self._hearing.items() if hearing.may_judge(now_ms)}
        return [site.id for site in self._registry.sites() if topics.shard_of(site.id) in heard]

    def _be_deaf(self) -> None:
        """Note that nobody is heard while store or state are waited for; keep the leases."""
        now_ms = self._clock.now_ms()
        for hearing in self._hearing.values():
            hearing.deaf(now_ms)
        try:
            self._keep_leases()
        except OperationalError:
            return  # it was reported by whoever waits


def _secret(config: Config) -> bytes:
    path = config.ingest.ack_secret_file
    try:
        secret = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"ingest.ack_secret_file: {path}: {error.strerror}") from error
    if len(secret) != SECRET_BYTES:
        raise ConfigError(f"ingest.ack_secret_file: {path}: {SECRET_BYTES} bytes are expected")
    return secret
