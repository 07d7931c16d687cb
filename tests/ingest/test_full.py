"""A long queue waits at the broker, not in the ingest's memory; with a real Mosquitto."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

from agent.wire import topics
from collector.clock import SystemClock
from collector.config import BrokerConfig, Config, IngestConfig
from collector.ingest import mqtt_link
from collector.ingest.mqtt_source import MqttSource
from collector.log import Reporter
from collector.metrics import Metrics
from tests.broker.client import Client
from tests.ingest.flood import Speaker
from tests.ingest.world import SITE
from tests.servers.mosquitto import HOST, MosquittoServer, new_authority
from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from collector.model import Received

QUEUED = 600
BATCH = 5
HELD = 2 * BATCH * mqtt_link._WINDOWS_HELD


class Queue:
    """A session with a queue, and the network thread alone; the test is the pipeline."""

    def __init__(self, folder: Path, mosquitto: str, version: int) -> None:
        self.authority = new_authority(folder / "pki")
        self.broker = MosquittoServer(mosquitto, folder / "mosquitto", self.authority).start()
        self.shard = topics.shard_of(SITE)
        pki = self.authority.folder
        self.config = Config(
            broker=BrokerConfig(
                host=HOST,
                port=self.authority.settings.collector_port,
                ca_file=pki / "ca.pem",
                cert_file=pki / "collector/cert.pem",
                key_file=pki / "collector/key.pem",
                mqtt_version=version,
            ),
            ingest=IngestConfig(batch_frames=BATCH, bucket_burst=10_000),
        )
        self.open()

    def open(self) -> None:
        """Begin as a new process does."""
        self.handed: list[Received] = []
        self.taken = 0
        self.clock = SystemClock()
        reporter = Reporter("ingest", metrics := Metrics(CollectorRegistry()))
        self.source = MqttSource(self.config, self.shard, self.handed.append, metrics, reporter, self.clock)
        self.source.start("test", {self.shard: 1})

    def fill(self) -> list[bytes]:
        """Let a device publish while nobody listens."""
        until(lambda: self.source.online() == {self.shard}, "a session")
        self.source.stop()
        device = Client(Speaker(self.authority, "r1").credentials, "r1")
        device.connect(HOST, self.authority.settings.device_port)
        payloads = [b"%d" % number for number in range(QUEUED)]
        sent = [device.paho.publish(f"vigia/v1/{self.shard}/r1/data", payload, 1) for payload in payloads]
        until(lambda: all(message.is_published() for message in sent), "the broker to have them")
        device.close()
        self.open()
        until(lambda: len(self.handed) >= BATCH, "the first ones")
        return payloads

    def take(self) -> None:
        """Be done with a batch, as the pipeline is."""
        until(lambda: len(self.handed) > self.taken, "more")
        assert len(self.handed) - self.taken <= HELD
        some = self.handed[self.taken : self.taken + BATCH]
        self.taken += len(some)
        self.source.acknowledge(some)

    def close(self) -> None:
        self.source.stop()
        self.broker.stop()


@pytest.fixture
def queue(tmp_path: Path, mosquitto_bin: str) -> Iterator[Queue]:
    made = Queue(
        tmp_path, mosquitto_bin, 4
    )  # has no window of its own, so that the broker's 2,000 is handed out
    yield made
    made.close()


@pytest.mark.server
def test_a_broker_that_forgets_the_window_fills_no_memory(tmp_path, mosquitto_bin):
    queue = Queue(tmp_path, mosquitto_bin, 5)  # Mosquitto 2.0.11 keeps to it until the first acknowledgement
    payloads = queue.fill()
    while queue.taken < QUEUED:
        queue.take()
    assert [message.payload for message in queue.handed] == payloads
    queue.close()


@pytest.mark.server
def test_a_long_queue_comes_as_it_is_taken_and_stays_connected(queue, monkeypatch):
    payloads = queue.fill()
    queue.take()
    until(lambda: len(queue.handed) == HELD + BATCH, "what may wait")
    until(lambda: queue.source.full() == {queue.shard}, "the link to be full")
    # longer than a broker's answer to a ping, and its word that it subscribed us, may take
    monkeypatch.setattr(mqtt_link, "CONNECT_S", 2.0)
    queue.source._links[queue.shard]._client._keepalive = 1
    paused = queue.clock.mono()
    until(lambda: queue.clock.mono() > paused + 3, "three keepalives")
    assert len(queue.handed) == HELD + BATCH
    while queue.taken < QUEUED:
        queue.take()
    until(lambda: queue.source.online() == {queue.shard}, "the shard to be online")
    assert [message.payload for message in queue.handed] == payloads
    assert {message.generation for message in queue.handed} == {1}
    assert queue.source.full() == set()


@pytest.mark.server
def test_a_broker_that_dies_while_nothing_is_read_is_found_again(queue):
    payloads = queue.fill()
    queue.take()
    until(lambda: queue.source.full() == {queue.shard}, "the link to be full")
    queue.broker.restart()
    while {message.payload for message in queue.handed[: queue.taken]} != set(payloads):
        queue.take()
