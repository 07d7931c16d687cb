"""A key is rotated while frames sealed under the old one wait: real agent, Mosquitto and ingest."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select
from sqlalchemy.orm import Session

from agent import config as configuration
from collector.clock import SystemClock
from collector.config import BrokerConfig, Config, EmbeddedConfig, IngestConfig, RegistryConfig, StoreConfig
from collector.ingest.service import IngestService
from collector.log import Reporter
from collector.metrics import Metrics
from collector.registry import Registry
from collector.storage.factory import open_store
from collector.storage.state import Base, Incarnation, Key, Site, open_engine
from tests.agent.test_live import Running, eventually
from tests.ingest.world import Recorder
from tests.servers.mosquitto import MosquittoServer, new_authority
from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.loop import Agent
    from certs.authority import Authority

pytestmark = pytest.mark.server
SITE, DEVICE = "biblioteca", "biblioteca-r1"


class Centre:
    """The production ingest with an embedded store; the rules only record."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        pki = authority.folder
        own = pki / "collector"
        config = Config(
            base=folder,
            broker=BrokerConfig(
                host="localhost",
                port=authority.settings.collector_port,
                ca_file=pki / "ca.pem",
                cert_file=own / "cert.pem",
                key_file=own / "key.pem",
            ),
            ingest=IngestConfig(owner="", ack_secret_file=own / "ack.secret", ack_interval_ms=100),
            registry=RegistryConfig(enrolments_dir=pki / "enrolments"),
            store=StoreConfig(kind="embedded", embedded=EmbeddedConfig(path=folder / "readings.db")),
        )
        self.engine = open_engine(config.state_url())
        Base.metadata.create_all(self.engine)
        with Session(self.engine) as session, session.begin():
            session.add(Site(id=SITE, name_es="Biblioteca", name_en="Library", kind="library"))
        metrics = Metrics(CollectorRegistry())
        clock, reporter = SystemClock(), Reporter("ingest", metrics)
        self._store = open_store(config.store)
        registry = Registry(self.engine, config.registry, reporter, clock)
        service = IngestService(
            config, self.engine, self._store, registry, Recorder(), metrics, reporter, clock
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=service.run, args=(self._stop,))
        self._thread.start()

    def received(self) -> dict[str, list[list[int]]]:
        """The seqs stored, by kid, of incarnations with any."""
        with Session(self.engine) as session:
            return {row.kid: row.stored for row in session.query(Incarnation) if row.stored}

    def known(self) -> set[str]:
        """The keys that the centre knows."""
        with Session(self.engine) as session:
            return set(session.scalars(select(Key.kid)))

    def close(self) -> None:
        self._stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive()
        self._store.close()
        self.engine.dispose()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = new_authority(tmp_path / "pki")
    made.issue(DEVICE, SITE)
    return made


@pytest.fixture
def broker(mosquitto_bin: str, authority: Authority, tmp_path: Path) -> Iterator[MosquittoServer]:
    server = MosquittoServer(mosquitto_bin, tmp_path / "broker", authority)
    yield server
    server.kill()


@pytest.fixture
def centre(tmp_path: Path, authority: Authority) -> Iterator[Centre]:
    made = Centre(tmp_path, authority)
    yield made
    made.close()


def configured(authority: Authority, tmp_path: Path) -> dict[str, Any]:
    """What is in the device's folder now, with intervals and folders of this test."""
    path = authority.folder / "devices" / DEVICE / "agent.json"
    config = json.loads(path.read_text())
    config["spool"] = {"ram_dir": str(tmp_path / "ram"), "flash_dir": str(tmp_path / "flash")}
    config["intervals"] = {"sample_s": 0.2, "watch_s": 0.1, "frame_s": 0.1, "reconnect_s": 0.2, "resend_s": 1}
    config["broker"]["host"] = "localhost"
    config["readers"] = {"host": {}}
    path.write_text(json.dumps(config))
    return configuration.load(str(path))


def kids(authority: Authority) -> list[str]:
    enrolment = json.loads((authority.folder / "enrolments" / f"{DEVICE}.json").read_text())
    return [key["kid"] for key in enrolment["keys"]]


def seal_a_backlog(config: dict[str, Any]) -> int:
    """Run an agent that reaches no broker; return how many frames it left in flash."""

    async def run() -> int:
        async with Running(config) as running:
            await eventually(lambda: running.agent.status()["sealed"] >= 5, "a backlog")
        return int(running.agent.status()["on_flash"])

    return asyncio.run(run())


def old_frames(agent: Agent) -> int:
    """How many frames of other runs wait."""
    mine = agent.parts.identity.incarnation
    return sum(1 for entry in agent.parts.spool.entries() if entry.incarnation != mine)


def test_a_backlog_under_the_old_key_is_delivered_verified_and_acked(authority, broker, centre, tmp_path):
    sealed = seal_a_backlog(configured(authority, tmp_path))
    authority.rotate_device(DEVICE)
    old, new = kids(authority)
    # a key is looked for at most every 2 s; frames of one that is not known yet come again a minute later
    until(lambda: new in centre.known(), "the centre to know the new key")
    broker.start()
    config = configured(authority, tmp_path)
    assert list(config["broker"]["old_ack_keys"]) == [old]

    async def run() -> dict[str, Any]:
        async with Running(config) as running:
            assert old_frames(running.agent) == sealed
            await eventually(lambda: old_frames(running.agent) == 0, "the backlog to leave the spool")
            await eventually(lambda: running.agent.status()["counts"]["acked"] > sealed, "acks of new frames")
            return running.agent.status()

    said = asyncio.run(run())
    assert said["dropped"] == {}
    assert not [name for name in said["counts"] if name.startswith("ack_")]
    received = centre.received()
    assert received[old] == [[0, sealed - 1]]
    assert received[new][0][0] == 0


def test_without_the_old_ack_key_the_backlog_is_stored_and_kept(authority, broker, centre, tmp_path):
    sealed = seal_a_backlog(configured(authority, tmp_path))
    authority.rotate_device(DEVICE)
    old, _ = kids(authority)
    broker.start()
    config = configured(authority, tmp_path)
    config["broker"]["old_ack_keys"] = {}

    async def run() -> dict[str, Any]:
        async with Running(config) as running:
            await eventually(lambda: running.agent.status()["counts"].get("ack_other_key"), "an old ack")
            await eventually(lambda: running.agent.status()["counts"]["acked"] > 0, "acks of new frames")
            assert old_frames(running.agent) == sealed
            return running.agent.status()

    assert asyncio.run(run())["dropped"] == {}
    assert old in centre.received()
