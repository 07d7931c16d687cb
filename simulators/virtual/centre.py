"""The collector's reception and rules in virtual time: the product's stages, state and judge."""

from __future__ import annotations

import asyncio
import itertools
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from prometheus_client import CollectorRegistry
from sqlalchemy import event, func, select, update
from sqlalchemy.orm import Session

from agent.wire import cose, topics
from collector.alerts import lifecycle
from collector.config import AlertsConfig, ChannelConfig, Config, RegistryConfig
from collector.errors import StoreUnavailableError
from collector.ingest.batch import Batch, Signed
from collector.ingest.hearing import Hearing
from collector.ingest.lease import Leases
from collector.judge import Judge
from collector.log import Reporter
from collector.metrics import Metrics
from collector.model import Received
from collector.pipeline import Parts, Pipeline, stages
from collector.registry import Registry
from collector.storage.port import Written
from collector.storage.state import Base, Incident, Outbox, RuleState, open_engine
from simulators.virtual.announce import announce
from simulators.virtual.attention import RESTLESS_MS, SILENCE_MS, Attention
from simulators.virtual.enrolment import SECRET, enrol
from simulators.virtual.probing import Probing
from simulators.world.happenings import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from collector.model import Observation, Point, Transition
    from collector.storage.port import Store
    from simulators.scenario.model import Scenario
    from simulators.virtual.carrier import Broker
    from simulators.virtual.loop import VirtualTime

TICK_S: Final = 1.0
DOZE_S: Final = 5.0  # while every site rests: each is awake long before something happens
BATCH_S: Final = 0.2
CHANNEL: Final = "crew"


class Listener(Protocol):
    """Somebody who is told what the rules are told."""

    def heard(self, site: str, observations: Sequence[Observation], now_ms: int) -> None:
        """Take what came of a site."""

    def tick(self, sites: Sequence[str], now_ms: int) -> None:
        """Let time pass for these sites, whatever the centre hears."""


class _Judge:
    """The judge, who listens beside him, and what he has to look at."""

    def __init__(self, judge: Judge, listener: Listener | None, attention: Attention) -> None:
        self._judge = judge
        self._listener = listener
        self._attention = attention
        self.said = False  # since somebody looked: there may be something to send

    def observe(
        self, session: Session, site_id: str, observations: Sequence[Observation], now_ms: int
    ) -> list[Transition]:
        """Take observations of one site."""
        if self._listener is not None:
            self._listener.heard(site_id, observations, now_ms)
        found = self._judge.observe(session, site_id, observations, now_ms)
        row = session.get(RuleState, site_id)
        take = self._attention.said if found else self._attention.heard
        take(site_id, now_ms, row.state if row is not None else {})
        self.said = self.said or bool(found)
        return found

    def deaf_by(self, session: Session, now_ms: int) -> bool:
        """Say whether the centre's probes tell why nobody is heard."""
        return self._judge.deaf_by(session, now_ms)

    def due_ms(self, site_id: str) -> int:
        """Return when time alone can next change something at a site."""
        return self._judge.due_ms(site_id)

    def tick(self, session: Session, site_ids: Sequence[str], now_ms: int) -> list[Transition]:
        """Let time pass for these sites."""
        found = self._judge.tick(session, site_ids, now_ms)
        for site_id in {said.site for said in found}:
            row = session.get(RuleState, site_id)
            self._attention.said(site_id, now_ms, row.state if row is not None else {})
        self.said = self.said or bool(found)
        return found


@dataclass
class CountingStore:
    """A store that keeps nothing; it can be down."""

    up: bool = True
    points: int = 0

    def write(self, frames: Sequence[Sequence[Point]]) -> list[Written]:
        """Count."""
        if not self.up:
            raise StoreUnavailableError("the store is down")
        self.points += sum(len(frame) for frame in frames)
        return [Written() for _ in frames]

    def late_hours(self, frames: Sequence[Sequence[Point]]) -> set[tuple[str, int]]:  # noqa: ARG002 - the port's
        """Nothing is kept, so no mean lacks anything."""
        return set()


class TrustingStage:
    """Stands for ``verify``: takes the key that an envelope names and looks at no signature."""

    name = "verify"

    def __call__(self, batch: Batch) -> None:
        """Open every envelope."""
        for item in batch.open():
            kid, _, payload, _ = cose.parse_sign1(item.received.payload)
            item.signed = Signed(kid.hex(), payload)


@dataclass
class _Post:
    """The way back: device acks to the broker; MQTT acks need nobody."""

    broker: Broker | None = None
    acked: int = field(default=0)

    def acknowledge(self, messages: Sequence[Received]) -> None:
        """Count."""
        self.acked += len(messages)

    def publish(self, _shard: str, topic: str, payload: bytes) -> bool:
        """Send to the device."""
        return self.broker is not None and self.broker.send(topic, payload)


class Centre:
    """State, pipeline and rules of one scenario. ``folder`` holds its SQLite file.

    ``sparing``: the rules do not look where nothing can have changed.
    """

    def __init__(
        self,
        scenario: Scenario,
        time: VirtualTime,
        folder: Path,
        *,
        listener: Listener | None = None,
        sparing: bool = True,
    ) -> None:
        self._time = time
        self._clock = _Clock(time)
        crew = ChannelConfig(min_severity="info")
        self._config = Config(base=folder, alerts=AlertsConfig(channels={CHANNEL: crew}))
        self.engine = open_engine(f"sqlite:///{folder / 'state.db'}")
        event.listen(self.engine, "connect", _hurry)
        Base.metadata.create_all(self.engine)
        enrol(self.engine, scenario)
        metrics = Metrics(CollectorRegistry())
        self._reporter = Reporter("ingest", metrics)
        registry = Registry(self.engine, RegistryConfig(enrolments_dir=None), self._reporter, self._clock)
        self._registry = registry
        self._listener = listener
        self._attention = Attention()
        self._sparing = sparing
        self._sites = len(scenario.site)
        self.judge = _Judge(Judge(registry, self._config, metrics), listener, self._attention)
        self._send_ms = 0  # when the next message is due
        self.store = CountingStore()
        self._leases = Leases(self.engine, "virtual", self._clock)
        self._leases.acquire(topics.SHARDS)
        self.post = _Post()
        parts = Parts(
            self._config.ingest, SECRET, self.engine, cast("Store", self.store), registry, self.judge,
            self._leases, self.post, metrics, self._reporter, self._clock,
        )  # fmt: skip
        steps = [TrustingStage() if step.name == "verify" else step for step in stages(parts)]
        self._pipeline = Pipeline(steps, metrics, self._reporter, self._clock, lambda: None)
        self._waiting: list[Received] = []
        self._numbers = itertools.count(1)
        self.hears = True
        self.connected = True  # to its broker; without it the ingest is deaf
        self.outside = True  # whether the centre's own targets answer
        self._probing = Probing(self.engine, self._config.probes.interval_ms, sparing=sparing)
        self._looked_ms = 0  # when the rules looked last
        self._anew = False  # something was said then
        self.paused: set[str] = set()  # sites whose agents doze: who is silent there is not judged
        self.lulled: set[str] = set()  # sites of which nothing can be heard, and whose agents doze
        self._hearing = Hearing(None)
        announce(self.engine, scenario)

    def receive(self, topic: str, payload: bytes) -> None:
        """Take a message into the ingest's session; while the ingest is down it waits there."""
        shard = topic.split("/")[2]
        message = Received(
            shard, topic, payload, next(self._numbers), 1, self._time.now_ms(), live=self.hears
        )
        self._waiting.append(message)
        if self.hears and len(self._waiting) == 1:
            asyncio.get_running_loop().call_later(BATCH_S, self._settle)

    async def work(self) -> None:
        """Settle what came, and let time pass for the rules, for ever."""
        while True:
            awake = len(self.paused) + len(self.lulled) < self._sites
            await asyncio.sleep(TICK_S if awake else DOZE_S)
            if self.hears:
                self._settle()
                self._let_know()
                self._tick()
            else:
                self._hearing.deaf(self._time.now_ms())

    def _let_know(self) -> None:
        if self._listener is not None:
            awake = [site.id for site in self._registry.sites() if site.id not in self.paused]
            self._listener.tick(awake, self._time.now_ms())

    def observe(self, site: str, observations: Sequence[Observation]) -> None:
        """Hand readings to the rules past reception: of a site that is quiet."""
        with Session(self.engine) as session, session.begin():
            self.judge.observe(session, site, observations, self._time.now_ms())

    @property
    def deaf(self) -> bool:
        """Tell whether nothing that devices say reaches the rules."""
        return not (self.hears and self.connected and self.store.up)

    def live(self, site: str, since_ms: int) -> frozenset[str] | None:
        """Return who is live at a site, by the rules; None: something is on its way, or was since then."""
        return self._attention.live(site, since_ms)

    def _settle(self) -> None:
        if self._waiting and self.store.up and self.hears:
            now = self._time.now_ms()
            batch = Batch.of([_arrived(message, now) for message in self._waiting])
            self._waiting = []
            self._pipeline.run(batch, threading.Event())

    def _tick(self) -> None:
        now = self._time.now_ms()
        self._probing.look({"broker": self.connected, "store": self.store.up, "uplink": self.outside}, now)
        if not (self.store.up and self.connected):
            self._hearing.deaf(now)
        else:
            self._hearing.hears(now)
        awake = [site.id for site in self._registry.sites() if site.id not in self.paused]
        if not (self._hearing.may_judge(now) or self._deaf_by(now)):
            return
        due = self._due(awake, now)
        if due or self.judge.said or now >= self._send_ms:
            with Session(self.engine) as session, session.begin():
                if self.paused:
                    session.execute(
                        update(RuleState).where(RuleState.site_id.in_(self.paused)).values(heard_ms=now)
                    )
                if due:
                    self._probing.fresh(session, now)
                    self.judge.tick(session, due, now)
                if self.judge.said or now >= self._send_ms:
                    self._anew, self.judge.said = self.judge.said, False
                    self._send_ms = _deliver(session, now)

    def _deaf_by(self, now: int) -> bool:
        if self.connected or not self.store.up:
            return False
        with Session(self.engine) as session, session.begin():
            return self.judge.deaf_by(session, now)

    def _due(self, awake: list[str], now: int) -> list[str]:
        """Return the sites to look at now: all that are awake, or none; those in a lull rarely."""
        if not self._sparing:
            return awake
        rarely = now // SILENCE_MS != self._looked_ms // SILENCE_MS
        sites = [site for site in awake if rarely or site not in self.lulled]
        ago_ms, attention = now - self._looked_ms, self._attention
        due = [site for site in sites if self.judge.due_ms(site) <= now]
        if ago_ms < RESTLESS_MS:
            due = [site for site in due if attention.stirs(site, now)]
        if not (self._anew or due or ago_ms >= attention.wait_ms(sites)):
            return []
        self._looked_ms, self._anew = now, False
        return sites


def _deliver(session: Session, now: int) -> int:
    """Let what is due reach its channel, as the alerts' process does within its poll; say when more is."""
    due = session.scalars(select(Outbox).where(Outbox.status == "pending", Outbox.due_ms <= now)).all()
    for row in due:
        row.status, row.delivered_ms = "delivered", now
        incident = session.get(Incident, row.incident_id)
        if row.kind == "alert" and incident is not None:
            lifecycle.move(session, incident, lifecycle.Move.NOTIFIED)
    session.flush()
    return session.scalar(select(func.min(Outbox.due_ms)).where(Outbox.status == "pending")) or NEVER


def _arrived(message: Received, now: int) -> Received:
    """Let what waited while nobody listened arrive when it is taken."""
    if message.live:
        return message
    return Received(
        message.shard, message.topic, message.payload, message.mid, message.generation, now, live=False
    )


def _hurry(connection: Any, _record: object) -> None:
    """Leave out what protects from a loss of power: the file lives as long as the run."""
    connection.execute("PRAGMA synchronous=OFF")


class _Clock:
    """The collector's clock, on virtual time."""

    def __init__(self, time: VirtualTime) -> None:
        self._time = time

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC."""
        return self._time.now_ms()

    def mono(self) -> float:
        """Seconds that never go back."""
        return self._time.now_s
