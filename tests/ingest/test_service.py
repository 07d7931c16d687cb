"""The whole ingest between real brokers and real stores; the rules only record."""

from __future__ import annotations

import json
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from prometheus_client import CollectorRegistry
from sqlalchemy.orm import Session

from agent.wire import cbor, cose, topics
from agent.wire import frame as wire
from collector.clock import SystemClock
from collector.config import (
    BrokerConfig,
    Config,
    EmbeddedConfig,
    IngestConfig,
    RegistryConfig,
    RulesConfig,
    StoreConfig,
)
from collector.errors import LeaseLostError
from collector.ingest.service import IngestService
from collector.log import Reporter
from collector.metrics import Metrics
from collector.registry import Registry
from collector.storage.factory import open_store
from collector.storage.influx import InfluxStore
from collector.storage.port import SeriesQuery
from collector.storage.state import Base, Incarnation, Lease, Site, open_engine
from tests.broker.client import Client, Credentials
from tests.broker.embedded_server import EmbeddedServer
from tests.ingest.world import SITE, Recorder, Sealer
from tests.servers.mosquitto import MosquittoServer, new_authority
from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from certs.authority import Authority
    from collector.storage.port import Store

SHARD = topics.shard_of(SITE)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Ingest:
    """A running service, its state and its store."""

    def __init__(self, config: Config, store: Store) -> None:
        self.config = config
        self.store = store
        self.engine = open_engine(config.state_url())
        self.metrics = Metrics(CollectorRegistry())
        self.judge = Recorder()
        clock, reporter = SystemClock(), Reporter("ingest", self.metrics)
        registry = Registry(self.engine, config.registry, reporter, clock)
        self.service = IngestService(
            config, self.engine, store, registry, self.judge, self.metrics, reporter, clock
        )
        self.error: Exception | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self.service.run(self._stop)
        except Exception as error:  # noqa: BLE001 - looked at by the test
            self.error = error

    def start(self) -> Ingest:
        self._thread.start()
        return self

    def is_running(self) -> bool:
        return self._thread.is_alive()

    def online(self) -> Ingest:
        until(lambda: SHARD in self.service._source.online(), "the shard to be online")
        return self

    def stop(self) -> None:
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(30)
        assert not self._thread.is_alive()
        self.engine.dispose()

    def values(self) -> list[float]:
        query = SeriesQuery(SITE, "system", ("load1",), now_ms() - 3_600_000, now_ms() + 60_000)
        return [value for series in self.store.series(query) for _, value in series.points]

    def stored(self, device: Sealer) -> list[list[int]]:
        with Session(self.engine) as session:
            row = session.get(Incarnation, (device.kid.hex(), device.incarnation.hex()))
            return list(row.stored) if row else []

    def problems(self) -> set[str]:
        samples = [sample for metric in self.metrics.log_events.collect() for sample in metric.samples]
        return {sample.labels["reason"] for sample in samples}


class Rig:
    """A broker, an authority, one enrolled device with a client."""

    def __init__(self, folder: Path, authority: Authority, broker: MosquittoServer | EmbeddedServer) -> None:
        self.folder = folder
        self.authority = authority
        self.broker = broker
        issued = authority.folder / "devices" / "r1"
        authority.issue("r1", SITE)
        self.device = Sealer("r1")
        key = serialization.load_pem_private_key((issued / "key.pem").read_bytes(), None)
        self.device.private = key  # type: ignore[assignment]  # certificates are P-256
        self.began_ms = now_ms()
        self.device.started_ms = self.began_ms - 3_600_000
        self.ack_key = (issued / "ack.key").read_bytes()
        self.credentials = Credentials(authority.folder / "ca.pem", issued / "cert.pem", issued / "key.pem")
        self.ingests: list[Ingest] = []
        self.clients: list[Client] = []
        engine = open_engine(self.config().state_url())
        Base.metadata.create_all(engine)
        with Session(engine) as session, session.begin():
            session.add(Site(id=SITE, name_es="Casa", name_en="House", kind="culture"))
        engine.dispose()

    def config(self, owner: str = "", **broker) -> Config:
        folder = self.authority.folder
        mqtt_version = 5 if isinstance(self.broker, MosquittoServer) else 4
        return Config(
            base=self.folder,
            broker=BrokerConfig(
                **{
                    "host": self.broker.host,
                    "port": self.broker.collector_port,
                    "ca_file": folder / "ca.pem",
                    "cert_file": folder / "collector" / "cert.pem",
                    "key_file": folder / "collector" / "key.pem",
                    "mqtt_version": mqtt_version,
                }
                | broker
            ),
            ingest=IngestConfig(
                owner=owner, ack_secret_file=folder / "collector" / "ack.secret", ack_interval_ms=100
            ),
            registry=RegistryConfig(enrolments_dir=folder / "enrolments"),
            rules=RulesConfig(tick_ms=100),
            store=StoreConfig(kind="embedded", embedded=EmbeddedConfig(path=self.folder / "readings.db")),
        )

    def ingest(self, store: Store | None = None, config: Config | None = None) -> Ingest:
        config = config or self.config()
        made = Ingest(config, store or open_store(config.store))
        self.ingests.append(made)
        return made.start()

    def connect(self) -> Client:
        client = Client(self.credentials, "r1").connect(self.broker.host, self.broker.device_port)
        client.subscribe("vigia/v1/+/r1/ack", "vigia/v1/+/collector")
        self.clients.append(client)
        return client

    def frame(self, seq: int) -> tuple[str, bytes]:
        table = ["system", None, ["load1"], [[0, float(seq)]]]
        return self.device.seal("data", self.began_ms + seq, seq=seq, tables=[table])

    def told(self, client: Client) -> set[int]:
        """The seqs that the device was told are stored."""
        found: set[int] = set()
        for message in client.received:
            if message.topic == self.device.topic("ack"):
                _, payload = cose.open_mac0(self.ack_key, message.topic.encode(), message.payload)
                for lo, hi in wire.check_ack(cbor.decode(payload)).stored:
                    found |= set(range(lo, hi + 1))
        return found

    def close(self) -> None:
        for client in self.clients:
            client.close()
        for ingest in self.ingests:
            ingest.stop()
            ingest.store.close()
        self.broker.stop()


@pytest.fixture
def mosquitto(tmp_path: Path, mosquitto_bin: str) -> Iterator[Rig]:
    authority = new_authority(tmp_path / "pki")
    rig = Rig(tmp_path, authority, MosquittoServer(mosquitto_bin, tmp_path / "mosquitto", authority).start())
    yield rig
    rig.close()


@pytest.fixture(params=[pytest.param("mosquitto", marks=pytest.mark.server), "embedded"])
def rig(request, tmp_path: Path) -> Iterator[Rig]:
    if request.param == "mosquitto":
        yield request.getfixturevalue("mosquitto")
        return
    authority = new_authority(tmp_path / "pki")
    broker = EmbeddedServer(authority)
    broker.start()
    made = Rig(tmp_path, authority, broker)
    yield made
    made.close()


def statuses(client: Client) -> list[str]:
    return [json.loads(m.payload)["state"] for m in client.received if m.topic.endswith(f"{SHARD}/collector")]


def test_frames_are_stored_and_acked(rig):
    ingest = rig.ingest().online()
    client = rig.connect()
    for seq in range(40):
        client.publish(*rig.frame(seq))
    until(lambda: rig.told(client) == set(range(40)), "all acks")
    assert ingest.values() == [float(seq) for seq in range(40)]
    assert ingest.stored(rig.device) == [[0, 39]]
    until(lambda: "online" in statuses(client), "the status")
    until(lambda: any(SITE in sites for sites in ingest.judge.ticks), "a tick")


def test_what_was_queued_while_the_ingest_was_away_is_stored(rig):
    first = rig.ingest().online()
    client = rig.connect()
    client.publish(*rig.frame(0))
    until(lambda: rig.told(client) == {0}, "the first ack")
    first.stop()
    until(lambda: statuses(client)[-1] == "offline", "the word that nobody is there")
    for seq in range(1, 60):
        client.publish(*rig.frame(seq))
    second = rig.ingest().online()
    until(lambda: rig.told(client) == set(range(60)), "the acks of what was queued")
    assert second.values() == [float(seq) for seq in range(60)]
    assert second.judge.names().count("Arrival") == 59


@pytest.mark.server
def test_a_broker_that_is_killed_comes_back(mosquitto):
    ingest = mosquitto.ingest().online()
    client = mosquitto.connect()
    frames = [mosquitto.frame(seq) for seq in range(3)]
    client.publish(*frames[0])
    until(lambda: ingest.stored(mosquitto.device) == [[0, 0]], "the first frame")
    mosquitto.broker.kill()
    until(lambda: SHARD not in ingest.service._source.online(), "the loss to be noticed")
    mosquitto.broker.start()
    ingest.online()
    again = mosquitto.connect()
    for frame in frames:
        again.publish(*frame)
    until(lambda: mosquitto.told(again) == {0, 1, 2}, "the acks")
    assert ingest.values() == [0.0, 1.0, 2.0]
    assert ingest.judge.names().count("Arrival") == 3
    assert "broker_lost" in ingest.problems()


@pytest.mark.server
def test_influxdb_down_and_back(mosquitto, influx, monkeypatch):
    monkeypatch.setattr("collector.pipeline.BACKOFF_S", (0.1, 0.5))
    store = InfluxStore(StoreConfig(influx=influx.config()), influx.token, SystemClock())
    store.provision()
    ingest = mosquitto.ingest(store).online()
    client = mosquitto.connect()
    client.publish(*mosquitto.frame(0))
    until(lambda: mosquitto.told(client) == {0}, "the first ack")
    influx.kill()
    try:
        for seq in range(1, 30):
            client.publish(*mosquitto.frame(seq))
        until(lambda: "store_unavailable" in ingest.problems(), "the outage to be noticed")
        assert mosquitto.told(client) == {0}
        assert ingest.stored(mosquitto.device) == [[0, 0]]
    finally:
        influx.start()
    until(lambda: mosquitto.told(client) == set(range(30)), "the acks", timeout_s=60)
    assert ingest.values() == [float(seq) for seq in range(30)]
    assert ingest.judge.names().count("Arrival") == 30


@pytest.mark.server
def test_a_shard_that_is_taken_over_stops_the_loser(mosquitto):
    loser = mosquitto.ingest(config=mosquitto.config("a")).online()
    with Session(loser.engine) as session, session.begin():
        for lease in session.query(Lease):
            lease.owner, lease.epoch, lease.expires_ms = "b", lease.epoch + 1, 0
    until(lambda: not loser.is_running(), "the loser to stop")
    assert isinstance(loser.error, LeaseLostError)
    winner = mosquitto.ingest(config=mosquitto.config("b")).online()
    client = mosquitto.connect()
    client.publish(*mosquitto.frame(0))
    until(lambda: mosquitto.told(client) == {0}, "the ack")
    assert winner.stored(mosquitto.device) == [[0, 0]]


@pytest.mark.server
def test_reasons_of_a_broker_that_cannot_be_used(mosquitto, tmp_path):
    other = new_authority(tmp_path / "other")
    cases: dict[str, dict[str, object]] = {
        "broker_certificate": {"ca_file": other.folder / "ca.pem"},
        "broker_unreachable": {"port": other.settings.collector_port},
    }
    for reason, wrong in cases.items():
        ingest = mosquitto.ingest(config=mosquitto.config(reason, **wrong))
        until(partial(lambda ingest, reason: reason in ingest.problems(), ingest, reason), reason)
        ingest.stop()
