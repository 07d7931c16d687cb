"""A device that floods does not delay the others: by order and counts, and with a real Mosquitto."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

from agent.wire import topics
from collector.clock import SystemClock
from collector.config import BrokerConfig, Config, IngestConfig
from collector.ingest.mqtt_source import MqttSource
from collector.log import Reporter
from collector.metrics import Metrics
from tests.broker.client import Client
from tests.ingest.flood import ELSEWHERE, Speaker, Stage
from tests.ingest.world import SITE
from tests.servers.mosquitto import HOST, MosquittoServer, new_authority
from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from collector.model import Received

BURST = 50
RATE = 1_000  # messages a second, 200 times a device's share


class Reception:
    """The network thread alone: what it hands to the pipeline, what it defers; nobody takes it further."""

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
            ingest=IngestConfig(bucket_rate_per_s=0.0001, bucket_burst=BURST),
        )
        self.open()

    def open(self) -> None:
        """Begin as a new process does."""
        self.handed: list[Received] = []
        self.metrics = Metrics(CollectorRegistry())
        reporter = Reporter("ingest", self.metrics)
        self.source = MqttSource(
            self.config, self.shard, self.handed.append, self.metrics, reporter, SystemClock()
        )
        self.source.start("test", {self.shard: 1})
        until(lambda: self.source.online() == {self.shard}, "the shard to be online")

    def client(self, name: str) -> Client:
        speaker = Speaker(self.authority, name)
        made = Client(speaker.credentials, name)
        made.paho.max_inflight_messages_set(0)  # or messages without guarantee overtake the others
        return made.connect(HOST, self.authority.settings.device_port)

    def deferred(self) -> int:
        return int(self.metrics.frames.labels("deferred", "rate_limited")._value.get())

    def of(self, device: str) -> list[bytes]:
        return [message.payload for message in self.handed if f"/{device}/" in message.topic]

    def close(self) -> None:
        self.source.stop()
        self.broker.stop()


@pytest.fixture(params=[4, 5], ids=["3.1.1", "5"])
def reception(tmp_path: Path, mosquitto_bin: str, request: pytest.FixtureRequest) -> Iterator[Reception]:
    made = Reception(tmp_path, mosquitto_bin, request.param)
    yield made
    made.close()


@pytest.mark.server
def test_what_is_over_the_share_never_reaches_the_pipeline(reception):
    flooder, other = reception.client("flooder"), reception.client("r1")
    topic = f"vigia/v1/{reception.shard}/flooder"
    # more than the window of unacknowledged messages, which the first ones keep open: nobody takes them
    flood = [(f"{topic}/{('data', 'event')[number % 2]}", b"%d" % number) for number in range(1500)]
    for number, message in enumerate(flood):
        flooder.paho.publish(*message, qos=number % 3 > 0)  # without guarantee as well
        if number % 50 == 0:
            other.publish(f"vigia/v1/{reception.shard}/r1/data", b"%d" % number)
    until(lambda: reception.deferred() >= len(flood) - BURST, "the flood to be deferred")
    until(lambda: len(reception.of("r1")) == 30, "the others' messages")
    assert reception.of("flooder") == [payload for _, payload in flood[:BURST]]
    assert reception.deferred() == len(flood) - BURST
    flooder.close()
    other.close()
    # what was deferred is acknowledged, what was handed on is not yet
    waiting = [m.payload for m in reception.handed if m.mid]
    reception.source.stop()
    reception.open()
    until(lambda: len(reception.handed) >= len(waiting), "what was not acknowledged")
    assert [m.payload for m in reception.handed] == waiting
    assert reception.deferred() == 0


@pytest.mark.server
def test_a_deferred_frame_comes_through_when_there_is_room_again(reception):
    faster = reception.config.ingest.model_copy(update={"bucket_rate_per_s": 20.0})
    reception.config = reception.config.model_copy(update={"ingest": faster})
    reception.source.stop()
    reception.open()
    device = reception.client("r1")
    topic = f"vigia/v1/{reception.shard}/r1/data"
    for number in range(3 * BURST):
        device.publish(topic, b"%d" % number)
    until(lambda: len(reception.handed) + reception.deferred() == 3 * BURST, "all of them")
    assert reception.deferred() > 0
    before = len(reception.handed)

    def again() -> bool:
        device.publish(topic, b"again")
        return len(reception.handed) > before

    until(again, "room")
    assert reception.handed[-1].payload == b"again"
    device.close()


@pytest.mark.server
@pytest.mark.parametrize("kind", ["rubbish", "valid"])
def test_others_are_not_delayed_by_more_than_a_second(tmp_path, mosquitto_bin, kind):
    stage = Stage(tmp_path, mosquitto_bin, devices=10)
    try:
        quiet = stage.measure(3.0)
        result = stage.flooded(kind, RATE, 6.0)
        flooded = int(result.flooded_per_s * 6)
    finally:
        stage.close()
    assert result.flooded_per_s > RATE / 2
    assert result.quantile(0.99) <= quiet.quantile(0.99) + 1.0
    assert result.deferred > flooded - 900 - 5 * 60  # the burst, and the share of a minute


@pytest.mark.server
def test_a_flood_without_limit_stays_on_its_shard(tmp_path, mosquitto_bin):
    stage = Stage(tmp_path, mosquitto_bin, devices=10)
    try:
        result = stage.flooded("rubbish", 0, 6.0)
    finally:
        stage.close()
    assert result.deferred > 6 * RATE
    assert len(result.seconds[ELSEWHERE]) == 5 * 12
    assert result.quantile(1.0, ELSEWHERE) < 5.0  # all acked; how late says the target, not a test
