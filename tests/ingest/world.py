"""A small world for the pipeline: real state, real keys, real store; rules and broker that only record."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from prometheus_client import CollectorRegistry
from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.wire import cbor, cose, mac, topics
from agent.wire import frame as wire
from collector.config import Config, EmbeddedConfig, IngestConfig, RegistryConfig, StoreConfig
from collector.ingest.batch import Batch
from collector.ingest.lease import Leases
from collector.log import Reporter
from collector.metrics import Metrics
from collector.model import Observation, Received, Rows, Transition
from collector.pipeline import Parts, Pipeline, stages
from collector.registry import Registry
from collector.storage.embedded import EmbeddedStore
from collector.storage.port import SeriesQuery
from collector.storage.state import (
    Assignment,
    Base,
    Device,
    DeviceState,
    Incarnation,
    Key,
    Quarantined,
    Site,
    open_engine,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SITE = "casa-cultura"
SHARD = topics.shard_of(SITE)
SECRET = b"s" * 32
START_MS = 1_760_000_000_000
SAMPLE = [["upsd", "apc", ["ob", "input_voltage"], [[-10_000, 0, 127.1], [0, 1, 3.0]]]]


class SteppedClock:
    """A clock that moves when told to."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self.now = now_ms

    def now_ms(self) -> int:
        return self.now

    def mono(self) -> float:
        return self.now / 1000

    def step(self, ms: int) -> None:
        self.now += ms


class Sealer:
    """A device: one key, one incarnation, frames sealed with what the test says."""

    def __init__(self, device: str = "r1", *, incarnation: bytes = b"inc-0001", boot: int = 1) -> None:
        self.device = device
        self.shard = SHARD
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.incarnation = incarnation
        self.boot = boot
        self.kernel_boot = b"kernel-boot-0001"
        self.started_ms = START_MS - 86_400_000
        self.clock_ms: int | None = 0  # added to true time for the wall clock; None: not synchronised

    @property
    def spki(self) -> bytes:
        encoding = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        return self.private.public_key().public_bytes(*encoding)

    @property
    def kid(self) -> bytes:
        return cose.key_id(self.spki)

    def restarted(self, incarnation: bytes, *, boot: int, kernel_boot: bytes | None = None) -> Sealer:
        """The same unit after a restart of the agent or, with ``kernel_boot``, of the machine."""
        other = Sealer(self.device, incarnation=incarnation, boot=boot)
        other.private = self.private
        other.shard = self.shard
        other.kernel_boot = kernel_boot or self.kernel_boot
        other.started_ms = self.started_ms
        other.clock_ms = self.clock_ms
        return other

    def topic(self, kind: str) -> str:
        return topics.make(self.shard, self.device, kind)

    def payload(self, kind: str, now_ms: int, **values: Any) -> bytes:
        given: dict[str, Any] = {
            "device": self.device,
            "incarnation": self.incarnation,
            "boot": self.boot,
            "kernel_boot": self.kernel_boot,
            "uptime_ms": now_ms - self.started_ms,
            "wall_ms": None if self.clock_ms is None else now_ms + self.clock_ms,
        }
        if kind == "birth":
            given |= {"hello": {"agent": "0.1.0", "intervals": {"frame": 30_000}}, "session": 1}
        return wire.encode_payload(kind, **(given | values))

    def sign(self, topic: str, payload: bytes, *, kid: bytes | None = None) -> bytes:
        header = cose.protected(cose.ES256, kid or self.kid)
        der = self.private.sign(cose.to_sign(header, topic.encode(), payload), ec.ECDSA(hashes.SHA256()))
        r, s = decode_dss_signature(der)
        return cose.sign1(header, payload, r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    def seal(self, kind: str, now_ms: int = START_MS, **values: Any) -> tuple[str, bytes]:
        """A topic and a signed message. ``now_ms`` is the true time of sealing."""
        topic = self.topic(kind)
        return topic, self.sign(topic, self.payload(kind, now_ms, **values))

    def data(self, seq: int, now_ms: int = START_MS, **values: Any) -> tuple[str, bytes]:
        return self.seal("data", now_ms, **({"seq": seq, "tables": SAMPLE} | values))


@dataclass
class Recorder:
    """Rules that remember what they were told."""

    told: list[tuple[str, Observation]] = field(default_factory=list)
    ticks: list[tuple[str, ...]] = field(default_factory=list)
    fail: Exception | None = None

    def observe(
        self, session: Session, site_id: str, observations: Sequence[Observation], now_ms: int
    ) -> list[Transition]:
        if self.fail is not None:
            raise self.fail
        for item in observations:
            self.told += [(site_id, one) for one in (item.readings() if isinstance(item, Rows) else [item])]
        return []

    def deaf_by(self, session: Session, now_ms: int) -> bool:
        return False

    def tick(self, session: Session, site_ids: Sequence[str], now_ms: int) -> list[Transition]:
        self.ticks.append(tuple(site_ids))
        return []

    def names(self) -> list[str]:
        return [type(observation).__name__ for _, observation in self.told]


@dataclass
class Post:
    """A way back to the broker that remembers."""

    acked: list[Received] = field(default_factory=list)
    sent: list[tuple[str, bytes]] = field(default_factory=list)

    def acknowledge(self, messages: Sequence[Received]) -> None:
        self.acked += messages

    def publish(self, shard: str, topic: str, payload: bytes) -> bool:
        self.sent.append((topic, payload))
        return True


class World:
    """One facility, the pipeline, and what came out of it."""

    def __init__(self, folder: Path, devices: Sequence[Sealer]) -> None:
        self.clock = SteppedClock()
        self.config = Config(
            base=folder,
            ingest=IngestConfig(quarantine_rows=20, bucket_burst=200),
            store=StoreConfig(kind="embedded", embedded=EmbeddedConfig(path=folder / "readings.db")),
        )
        self.engine = open_engine(f"sqlite:///{folder / 'state.db'}")
        Base.metadata.create_all(self.engine)
        for device in devices:
            self.enrol(device)
        self.numbers = itertools.count(1)
        self.metrics = Metrics(CollectorRegistry())
        self.reporter = Reporter("ingest", self.metrics)
        self.store: Any = EmbeddedStore(self.config.store, self.clock)
        self.judge: Any = Recorder()
        self.post = Post()
        self.restart()

    def restart(self) -> None:
        """Everything that a process holds in memory is new."""
        self.registry = Registry(self.engine, RegistryConfig(enrolments_dir=None), self.reporter, self.clock)
        self.leases = Leases(self.engine, "test", self.clock)
        assert self.leases.acquire(topics.SHARDS) == []
        parts = Parts(
            self.config.ingest, SECRET, self.engine, self.store, self.registry, self.judge, self.leases,
            self.post, self.metrics, self.reporter, self.clock,
        )  # fmt: skip
        self.stages: Any = stages(parts)
        self.pipeline = Pipeline(self.stages, self.metrics, self.reporter, self.clock, lambda: None)

    def enrol(self, device: Sealer, *, from_ms: int = 0, revoked_ms: int | None = None) -> None:
        with Session(self.engine) as session, session.begin():
            if session.get(Site, SITE) is None:
                session.add(Site(id=SITE, name_es="Casa", name_en="House", kind="culture"))
            if session.get(Device, device.device) is None:
                session.add(Device(id=device.device))
                session.flush()
                session.add(Assignment(device_id=device.device, site_id=SITE, from_ms=0))
            session.add(
                Key(
                    kid=device.kid.hex(),
                    device_id=device.device,
                    spki=device.spki,
                    from_ms=from_ms,
                    revoked_ms=revoked_ms,
                )
            )

    def received(self, message: tuple[str, bytes], *, live: bool = True, shard: str = SHARD) -> Received:
        return Received(shard, *message, next(self.numbers), 1, self.clock.now_ms(), live=live)

    def take(self, *messages: tuple[str, bytes], live: bool = True) -> list[tuple[str, str]]:
        """One batch; return (outcome, reason) of each message."""
        batch = Batch.of([self.received(message, live=live) for message in messages])
        assert self.pipeline.run(batch, threading.Event())
        return [outcome(item) for item in batch.items]

    def points(self, name: str = "input_voltage") -> list[tuple[int, float]]:
        query = SeriesQuery(SITE, "upsd", (name,), 0, START_MS * 2)
        return [point for series in self.store.series(query) for point in series.points]

    def incarnation(self, device: Sealer) -> Incarnation:
        with Session(self.engine) as session:
            row = session.get(Incarnation, (device.kid.hex(), device.incarnation.hex()))
        assert row is not None
        return row

    def state(self, device: Sealer) -> DeviceState:
        with Session(self.engine) as session:
            row = session.get(DeviceState, device.device)
        assert row is not None
        return row

    def quarantined(self) -> list[Quarantined]:
        with Session(self.engine) as session:
            return list(session.scalars(select(Quarantined).order_by(Quarantined.id)))

    def acks(self, device: Sealer) -> list[wire.Ack]:
        """What the device was told, opened with its key."""
        found = []
        for topic, message in self.post.sent:
            if topic == device.topic("ack"):
                kid, payload = cose.open_mac0(mac.ack_key(SECRET, device.kid), topic.encode(), message)
                assert kid == device.kid
                found.append(wire.check_ack(cbor.decode(payload)))
        return found

    def close(self) -> None:
        self.store.close()
        self.engine.dispose()


def outcome(item: Any) -> tuple[str, str]:
    assert item.verdict is not None
    return item.verdict.outcome.value, item.verdict.reason.value if item.verdict.reason else ""
