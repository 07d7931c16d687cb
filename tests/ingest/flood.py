"""One device floods its shard; how long do the frames of the others take? ``python -m tests.ingest.flood``.

A real Mosquitto with the exported configuration, the real ingest in a process of its own, the embedded store.
Twenty devices publish a signed frame every half second and wait for the device's ack, which says that it is
stored: half of them on the flooder's shard, whose queue in the broker they share, half on another. The
flooder is a process of its own that writes PUBLISH packets to its TLS socket, as many a second as asked:
rubbish, or frames with a valid signature. The last line is one JSON object; ``own`` is the flooder's shard.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy.orm import Session

from agent.wire import cbor, cose, topics
from agent.wire import frame as wire
from collector.storage import migrate
from collector.storage.state import Site, open_engine
from tests.broker.client import Client, Credentials
from tests.ingest.world import SITE, Sealer
from tests.servers.mosquitto import HOST, MosquittoServer, new_authority
from tests.servers.wait import until

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

    from certs.authority import Authority

ELSEWHERE = "deportivo"  # a facility of another shard
PERIOD_S = 0.5
CHUNK = 64  # packets of one write
WARM_S = 1.0
LOST_S = 10.0  # a frame that was not acked by then counts as this late


@dataclass
class Result:
    """Seconds from publishing to the device's ack, by facility, and how much was flooded."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    flooded_per_s: float = 0.0
    deferred: int = 0  # of the flooder's messages, as the ingest counts them

    def quantile(self, part: float, site: str | None = None) -> float:
        """Return the latency that ``part`` of the frames (of a facility) do not exceed."""
        ordered = sorted(late for at, found in self.seconds.items() if site in {None, at} for late in found)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Speaker:
    """A device that publishes one frame after the other and notes when each was acked."""

    def __init__(self, authority: Authority, name: str, site: str = SITE) -> None:
        authority.issue(name, site)
        self.site = site
        folder = authority.folder / "devices" / name
        self.credentials = Credentials(authority.folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
        self.ack_key = (folder / "ack.key").read_bytes()
        self.sealer = Sealer(name, incarnation=os.urandom(8))
        self.sealer.shard = topics.shard_of(site)
        key: Any = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None)
        self.sealer.private = key
        self.sealer.started_ms = now_ms() - 3_600_000
        self.sent: dict[int, float] = {}
        self.acked: dict[int, float] = {}

    def connect(self, port: int) -> None:
        """Connect and listen for acks."""
        self.client = Client(self.credentials, self.sealer.device)
        self.client.paho.message_callback_add(self.sealer.topic("ack"), self._on_ack)
        self.client.connect(HOST, port).subscribe(f"vigia/v1/+/{self.sealer.device}/ack")

    def _on_ack(self, _client: object, _data: object, message: Any) -> None:
        _, payload = cose.open_mac0(self.ack_key, message.topic.encode(), message.payload)
        for lo, hi in wire.check_ack(cbor.decode(payload)).stored:
            for seq in range(lo, hi + 1):
                self.acked.setdefault(seq, time.monotonic())

    def frame(self, seq: int) -> tuple[str, bytes]:
        table = ["system", None, ["load1"], [[0, 1.0]]]
        return self.sealer.seal("data", now_ms(), seq=seq, tables=[table])

    def speak(self, first: int, count: int, phase_s: float) -> None:
        """Publish ``count`` frames, one each period."""
        begun = time.monotonic() + phase_s
        for number in range(count):
            time.sleep(max(0.0, begun + number * PERIOD_S - time.monotonic()))
            message = self.frame(first + number)
            self.sent[first + number] = time.monotonic()
            self.client.publish(*message)

    def waits(self, first: int) -> bool:
        return any(seq >= first and seq not in self.acked for seq in self.sent)

    def latencies(self, first: int) -> list[float]:
        return [self.acked.get(s, at + LOST_S) - at for s, at in self.sent.items() if s >= first]


# --- the flooder: a process of its own ----------------------------------------------------------------


def packet(topic: str, payload: bytes, mid: int) -> bytes:
    """Return an MQTT 3.1.1 PUBLISH of QoS 1."""
    name = topic.encode()
    body = struct.pack(">H", len(name)) + name + struct.pack(">H", mid) + payload
    size, length = b"", len(body)
    while True:
        length, low = divmod(length, 128)
        size += bytes([low | (0x80 if length else 0)])
        if not length:
            return b"\x32" + size + body


def open_socket(credentials: Credentials, device: str, port: int) -> ssl.SSLSocket:
    raw = socket.create_connection((HOST, port))
    sock = credentials.context().wrap_socket(raw, server_hostname=HOST)
    name = device.encode()
    body = b"\x00\x04MQTT\x04\x02\x00\x3c" + struct.pack(">H", len(name)) + name
    sock.sendall(b"\x10" + bytes([len(body)]) + body)
    if sock.recv(4)[:1] != b"\x20":
        raise OSError("not let in")
    return sock


def flood(
    credentials: Credentials, device: str, port: int, messages: list[tuple[str, bytes]],
    rate: float, stop: Event, counted: Any,
) -> None:  # fmt: skip
    """Write packets at a rate (a second; 0: as fast as the socket takes them) until ``stop``."""
    sock = open_socket(credentials, device, port)
    packets = [packet(*message, 1 + at % 65_000) for at, message in enumerate(messages)]
    chunks = [b"".join(packets[at : at + CHUNK]) for at in range(0, len(packets), CHUNK)]
    threading.Thread(target=lambda: [None for _ in iter(lambda: sock.recv(65_536), b"")], daemon=True).start()
    begun, written = time.monotonic(), 0
    while not stop.is_set():
        sock.sendall(chunks[written // CHUNK % len(chunks)])
        written += CHUNK
        counted.value = written
        if rate:
            time.sleep(max(0.0, begun + written / rate - time.monotonic()))


def messages_of(speaker: Speaker, kind: str) -> list[tuple[str, bytes]]:
    """Return what is flooded: 4,096 messages of rubbish, or as many frames that are valid."""
    if kind == "rubbish":
        return [(speaker.sealer.topic("data"), os.urandom(600)) for _ in range(4096)]
    return [speaker.frame(seq) for seq in range(4096)]


# --- the run ------------------------------------------------------------------------------------------


class Stage:
    """Broker, ingest and devices."""

    def __init__(self, folder: Path, mosquitto: str, devices: int = 20) -> None:
        self.authority = new_authority(folder / "pki")
        self.broker = MosquittoServer(mosquitto, folder / "mosquitto", self.authority).start()
        self.speakers = [
            Speaker(self.authority, f"r{number}", (SITE, ELSEWHERE)[number % 2]) for number in range(devices)
        ]
        self.flooder = Speaker(self.authority, "flooder")
        self.seq = 0
        self.metrics = folder / "metrics"
        self.ingest = subprocess.Popen(
            [sys.executable, "-m", "collector", "ingest", "--config", str(self._configure(folder))]
        )
        for speaker in self.speakers:
            speaker.connect(self.authority.settings.device_port)
        while self.measure(1.0, WARM_S).quantile(1.0) >= WARM_S:  # until it is online, and warm
            pass

    def _configure(self, folder: Path) -> Path:
        pki = self.authority.folder
        path = folder / "collector.toml"
        path.write_text(
            f"[state]\nurl = 'sqlite:///state.db'\n[broker]\nhost = '{HOST}'\n"
            f"port = {self.authority.settings.collector_port}\nca_file = '{pki}/ca.pem'\n"
            f"cert_file = '{pki}/collector/cert.pem'\nkey_file = '{pki}/collector/key.pem'\n"
            f"[ingest]\nack_secret_file = '{pki}/collector/ack.secret'\nack_interval_ms = 0\n"
            f"[registry]\nenrolments_dir = '{pki}/enrolments'\n"
            f"[metrics]\ndir = '{self.metrics}'\n"
            "[store]\nkind = 'embedded'\n[log]\nlevel = 'error'\n"
        )
        engine = open_engine(f"sqlite:///{folder / 'state.db'}")
        migrate.upgrade(engine)
        with Session(engine) as session, session.begin():
            for site in (SITE, ELSEWHERE):
                session.add(Site(id=site, name_es="Casa", name_en="House", kind="culture"))
        engine.dispose()
        return path

    def measure(self, seconds: float, patience_s: float = LOST_S) -> Result:
        """Let all devices speak for so long; return what their frames took."""
        first, count = self.seq, int(seconds / PERIOD_S)
        self.seq += count
        threads = [
            threading.Thread(target=speaker.speak, args=(first, count, at * PERIOD_S / len(self.speakers)))
            for at, speaker in enumerate(self.speakers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        end = time.monotonic() + patience_s
        while time.monotonic() < end and any(s.waits(first) for s in self.speakers):
            time.sleep(0.05)
        result = Result()
        for speaker in self.speakers:
            result.seconds.setdefault(speaker.site, []).extend(speaker.latencies(first))
        return result

    def flooded(self, kind: str, rate: float, seconds: float) -> Result:
        """Measure while one more device floods."""
        context = multiprocessing.get_context("spawn")
        stop, counted = context.Event(), context.Value("q", 0)
        port = self.authority.settings.device_port
        device = self.flooder.sealer.device
        arguments = (self.flooder.credentials, device, port, messages_of(self.flooder, kind), rate)
        process = context.Process(target=flood, args=(*arguments, stop, counted))
        process.start()
        until(lambda: counted.value > 0, "the flood")
        begun, already, before = time.monotonic(), counted.value, self.deferred()
        try:
            result = self.measure(seconds)
            result.flooded_per_s = (counted.value - already) / (time.monotonic() - begun)
        finally:
            stop.set()
            process.join(10)
            process.terminate()
        result.deferred = self.deferred() - before
        return result

    def deferred(self) -> int:
        """Return how many messages the ingest has deferred, by its own count."""
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=str(self.metrics))
        labels = {"outcome": "deferred", "reason": "rate_limited"}
        return int(registry.get_sample_value("vigia_frames_total", labels) or 0)

    def close(self) -> None:
        for speaker in self.speakers:
            speaker.client.close()
        self.ingest.terminate()
        self.ingest.wait(30)
        self.broker.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mosquitto", default="/usr/sbin/mosquitto")
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--rate", type=float, default=1000.0, help="messages a second; 0: as many as it can")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder), options.mosquitto)
        try:
            said = _p99(stage.measure(options.seconds), "quiet")
            for kind in ("rubbish", "valid"):
                result = stage.flooded(kind, options.rate, options.seconds)
                said |= _p99(result, kind)
                said[f"{kind}_per_s"] = round(result.flooded_per_s)
                said[f"{kind}_deferred"] = result.deferred
        finally:
            stage.close()
    sys.stdout.write(json.dumps(said) + "\n")


def _p99(result: Result, kind: str) -> dict[str, float]:
    sites = {"own": SITE, "other": ELSEWHERE}
    return {
        f"p99_ms_{kind}_{name}": round(result.quantile(0.99, site) * 1000) for name, site in sites.items()
    }


if __name__ == "__main__":
    main()
