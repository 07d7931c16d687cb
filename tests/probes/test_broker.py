"""The broker dies: our own probe says so, the silence of all is ours, and one message tells of it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from prometheus_client import CollectorRegistry
from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.wire import topics
from collector import config as configuration
from collector.clock import SystemClock
from collector.ingest.service import IngestService
from collector.judge import Judge
from collector.log import Reporter
from collector.metrics import Metrics
from collector.probes.broker import BrokerProbe
from collector.probes.service import ProbeService
from collector.registry import Registry
from collector.storage.factory import open_store
from collector.storage.state import Base, CentreSpan, Incident, Outbox, Probe, RuleState, Site, open_engine
from tests.broker.client import Client, Credentials
from tests.broker.embedded_server import EmbeddedServer
from tests.ingest.world import Sealer
from tests.servers.mosquitto import MosquittoServer, new_authority
from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from certs.authority import Authority
    from collector.config import Config

SITES = ("casa-a", "casa-b")
CHANNELS = {"crew": {"routes": ["crew"]}, "desk": {"routes": ["dispatcher"]}}


def settings(folder: Path, authority: Authority, port: int, version: int = 5) -> Config:
    pki = authority.folder
    return configuration.parse(
        {
            "broker": {
                "host": "localhost", "port": port, "ca_file": str(pki / "ca.pem"), "mqtt_version": version,
                "cert_file": str(pki / "collector/cert.pem"), "key_file": str(pki / "collector/key.pem"),
            },
            "ingest": {"ack_secret_file": str(pki / "collector/ack.secret")},
            "registry": {"enrolments_dir": str(pki / "enrolments")},
            "store": {"kind": "embedded"},
            "rules": {"tick_ms": 100, "thresholds": {"default_frame_ms": 1_000}},
            "probes": {"interval_ms": 200, "timeout_ms": 1_000},
            "alerts": {"channels": CHANNELS},
        },
        folder,
    )  # fmt: skip


@pytest.fixture
def centre(tmp_path: Path, mosquitto_bin: str) -> Iterator[Centre]:
    made = Centre(tmp_path, mosquitto_bin)
    yield made
    made.close()


class Centre:
    """Mosquitto, ingest with the real rules, probes; two enrolled devices."""

    def __init__(self, folder: Path, mosquitto: str) -> None:
        self.authority = new_authority(folder / "pki")
        self.devices = [self._issue(name) for name in SITES]
        self.broker = MosquittoServer(mosquitto, folder / "mosquitto", self.authority).start()
        self.config = settings(folder, self.authority, self.broker.collector_port)
        self.engine = open_engine(self.config.state_url())
        Base.metadata.create_all(self.engine)
        with Session(self.engine) as session, session.begin():
            for name in SITES:
                session.add(Site(id=name, name_es=name, name_en=name, kind="library"))
        clock, metrics = SystemClock(), Metrics(CollectorRegistry())
        reporter = Reporter("test", metrics)
        registry = Registry(self.engine, self.config.registry, reporter, clock)
        self.store = open_store(self.config.store)
        self.store.provision()
        judge = Judge(registry, self.config, metrics)
        self.ingest = IngestService(
            self.config, self.engine, self.store, registry, judge, metrics, reporter, clock
        )
        probe = BrokerProbe(self.config.broker, self.config.probes.timeout_ms / 1000)
        self.probes = ProbeService(self.config, self.engine, [probe], metrics, reporter, clock)
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=part.run, args=(self._stop,)) for part in (self.ingest, self.probes)
        ]
        for thread in self._threads:
            thread.start()

    def _issue(self, site: str) -> Sealer:
        name = f"{site}-r"
        self.authority.issue(name, site)
        device = Sealer(name)
        device.shard = topics.shard_of(site)
        pem = (self.authority.folder / "devices" / name / "key.pem").read_bytes()
        device.private = serialization.load_pem_private_key(pem, None)  # type: ignore[assignment] # P-256
        device.started_ms = time.time_ns() // 1_000_000 - 3_600_000
        return device

    def speak(self) -> None:
        """Let both devices say that they are there."""
        for device in self.devices:
            issued = self.authority.folder / "devices" / device.device
            credentials = Credentials(
                self.authority.folder / "ca.pem", issued / "cert.pem", issued / "key.pem"
            )
            client = Client(credentials, device.device).connect("localhost", self.broker.device_port)
            now_ms = time.time_ns() // 1_000_000
            table = ["system", None, ["load1"], [[0, 1.0]]]
            client.publish(*device.seal("data", now_ms, seq=0, tables=[table]))
            client.close()

    def rows(self, what: type) -> list[Any]:
        with Session(self.engine, expire_on_commit=False) as session:
            return list(session.scalars(select(what)))

    def close(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)
        self.store.close()
        self.broker.stop()
        self.engine.dispose()


@pytest.mark.server
def test_a_killed_broker_is_the_centres_own_fault_and_one_message(centre):
    until(lambda: [row.ok for row in centre.rows(Probe)] == [True], "the probe to pass")
    until(lambda: len(centre.ingest._source.online()) == 16, "the ingest to listen")
    centre.speak()
    until(lambda: len(centre.rows(RuleState)) == 2, "both to be heard")
    centre.broker.kill()

    until(lambda: [row.ok for row in centre.rows(Probe)] == [False], "the probe to say so")
    until(lambda: sum(row.condition == "outage" for row in centre.rows(Incident)) == 2, "both to be silent")
    until(lambda: any(row.condition == "area" for row in centre.rows(Incident)), "one incident of all")
    assert {row.cause for row in centre.rows(Incident)} == {"collector"}
    area = next(row for row in centre.rows(Incident) if row.condition == "area")
    to_send = [(row.incident_id, row.channel) for row in centre.rows(Outbox) if row.status == "pending"]
    assert to_send == [(area.id, "desk")]

    centre.broker.start()
    until(lambda: [row.ok for row in centre.rows(Probe)] == [True], "the probe to pass again")
    until(lambda: all(row.until_ms for row in centre.rows(CentreSpan) if row.what == "broker"), "its end")


def test_the_embedded_broker_lets_the_probe_through(tmp_path):
    authority = new_authority(tmp_path / "pki")
    broker = EmbeddedServer(authority)
    broker.start()
    probe = BrokerProbe(settings(tmp_path, authority, broker.collector_port, version=4).broker, 10.0)
    try:
        assert probe.ask().good
    finally:
        probe.close()
        broker.stop()
