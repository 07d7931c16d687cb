"""Real servers for the benchmarks, on some of the machine's cores; whoever feeds them has the others."""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as paho
from cryptography import x509
from paho.mqtt.enums import CallbackAPIVersion

from agent.wire import topics
from certs import files, issuing, keys
from collector.clock import SystemClock
from collector.config import StoreConfig
from collector.storage.influx import InfluxStore
from tests.bench.proc import cpu_seconds
from tests.broker.client import Credentials
from tests.servers import programs
from tests.servers.influx import InfluxServer
from tests.servers.mosquitto import MosquittoServer, new_authority
from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from collector.config import InfluxConfig

FEEDER, TELEGRAF = "bench-feeder", "bench-telegraf"
ACL = f"""
user {FEEDER}
topic readwrite vigia/v1/#
topic write bench/#

user {TELEGRAF}
topic read bench/#
"""
CONFIG = """
[broker]
host = "localhost"
port = {port}
ca_file = "{pki}/ca.pem"
cert_file = "{pki}/collector/cert.pem"
key_file = "{pki}/collector/key.pem"

[ingest]
ack_secret_file = "{pki}/collector/ack.secret"
shards = "{shards}"

[registry]
enrolments_dir = "{pki}/enrolments"

[store.influx]
url = "{url}"
org = "{org}"
bucket = "{bucket}"
long_bucket = "{long}"
token_file = "influx.token"
"""


class Rig:
    """Mosquitto with the exported limits, InfluxDB, and certificates for who feeds and who compares."""

    def __init__(self, folder: Path, cores: int) -> None:
        self.folder = folder
        available = sorted(os.sched_getaffinity(0))
        self.cores = set(available[-cores:]) if 0 < cores < len(available) else set(available)
        self.others = (set(available) - self.cores) or self.cores
        self.authority = new_authority(folder / "pki")
        for name in (FEEDER, TELEGRAF):
            self._certify(name)
        self.mosquitto = MosquittoServer(
            programs.packaged("mosquitto", "mosquitto"), folder / "mosquitto", self.authority
        )
        self._allow()
        (folder / "influxdb").mkdir()
        self.influx = InfluxServer(programs.built("influxd", "influxd"), folder / "influxdb")

    def _certify(self, name: str) -> None:
        key = keys.new()
        until_when = issuing.expiry(SystemClock().now_ms(), 30)
        leaf: x509.Certificate = issuing.leaf(
            self.authority.collector_issuer(), key.public_key(), name, until_when, issuing.CLIENT
        )
        files.write(self.folder / f"{name}.pem", issuing.pem(leaf))
        files.write(self.folder / f"{name}.key", keys.private_pem(key), private=True)

    def _allow(self) -> None:
        acl = next((self.folder / "mosquitto").glob("*acl*"))
        acl.write_text(acl.read_text() + ACL)

    @contextmanager
    def on_cores(self) -> Iterator[None]:
        """What is started meanwhile runs on the servers' cores."""
        os.sched_setaffinity(0, self.cores)
        try:
            yield
        finally:
            os.sched_setaffinity(0, self.others)

    def start(self) -> None:
        """Start the servers."""
        with self.on_cores():
            self.mosquitto.start()
            self.influx.start()

    def stop(self) -> None:
        """Stop the servers."""
        self.mosquitto.stop()
        self.influx.stop()

    def servers_cpu_s(self) -> float:
        """Return the processor time that broker and database have used."""
        return cpu_seconds(self.mosquitto.pid) + cpu_seconds(self.influx.pid)

    def bucket(self) -> InfluxConfig:
        """Make a bucket of its own for one run."""
        config = self.influx.config()
        store = InfluxStore(StoreConfig(influx=config), self.influx.token, SystemClock())
        store.provision()
        store.close()
        return config

    def configure(self, influx: InfluxConfig, shards: str = topics.SHARDS) -> Path:
        """Write the collector's configuration; everything not said here is the default."""
        (self.folder / "influx.token").write_text(self.influx.token)
        text = CONFIG.format(
            port=self.authority.settings.collector_port, pki=self.authority.folder, url=self.influx.url,
            org=self.influx.org, bucket=influx.bucket, long=influx.long_bucket, shards=shards,
        )  # fmt: skip
        path = self.folder / f"collector-{shards}.toml"
        path.write_text(text)
        return path

    def feeder(self, number: int = 0) -> Feeder:
        """Connect somebody who may publish for all devices."""
        credentials = Credentials(
            self.authority.folder / "ca.pem", self.folder / f"{FEEDER}.pem", self.folder / f"{FEEDER}.key"
        )
        return Feeder(credentials, f"{FEEDER}-{number}", self.authority.settings.collector_port)


class Feeder:
    """Publishes with QoS 1 and waits until the broker has everything."""

    def __init__(self, credentials: Credentials, client_id: str, port: int) -> None:
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id)
        self._client.tls_set_context(credentials.context())
        self._client.max_inflight_messages_set(1000)
        self._client.max_queued_messages_set(0)
        self._sent = self._done = 0
        self._lock = threading.Lock()
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message
        self._online: dict[str, int] = {}
        self._client.connect("localhost", port)
        self._client.loop_start()
        until(self._client.is_connected, "the feeder to connect")
        self._client.subscribe("vigia/v1/+/collector", 1)

    def _on_publish(self, *_: Any) -> None:
        with self._lock:
            self._done += 1

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        said = json.loads(message.payload)
        self._online[message.topic.split("/")[2]] = said["epoch"] if said["state"] == "online" else 0

    def wait_online(self, shards: set[str]) -> None:
        """Return when somebody serves these shards: their sessions are there and take what is published."""
        until(lambda: all(self._online.get(shard) for shard in shards), "the ingest to be online")

    def publish(self, topic: str, payload: bytes) -> None:
        """Send one message."""
        self._sent += 1
        self._client.publish(topic, payload, qos=1)

    def feed(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Send messages and wait for the broker's word on the last one."""
        for topic, payload in messages:
            self.publish(topic, payload)
            while self._sent - self._done > 5_000:
                time.sleep(0.001)
        until(lambda: self._done == self._sent, "the broker to take everything", timeout_s=120)

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()
