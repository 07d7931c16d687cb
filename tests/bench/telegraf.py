"""Telegraf's mqtt_consumer with the same broker, queue and database, for comparison: no signatures."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.proc import cpu_seconds, peak_rss_mb
from tests.bench.rig import TELEGRAF, Rig
from tests.servers.wait import until

if TYPE_CHECKING:
    from pathlib import Path

    from collector.config import InfluxConfig

TOPIC = "bench/lines"
CONFIG = """\
[agent]
  interval = "1s"
  flush_interval = "200ms"
  metric_batch_size = 10000
  metric_buffer_limit = 400000
  omit_hostname = true

[[inputs.mqtt_consumer]]
  servers = ["ssl://localhost:{port}"]
  topics = ["{topic}/#"]
  topic_tag = ""
  qos = 1
  persistent_session = true
  client_id = "{client}"
  max_undelivered_messages = 2000
  data_format = "influx"
  influx_timestamp_precision = "1ms"
  tls_ca = "{folder}/pki/ca.pem"
  tls_cert = "{folder}/{client}.pem"
  tls_key = "{folder}/{client}.key"

[[outputs.influxdb_v2]]
  urls = ["{url}"]
  token = "{token}"
  organization = "{org}"
  bucket = "{bucket}"
"""
QUIET_S = 1.5  # without processor time: it is done


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run of Telegraf took."""

    wall_s: float
    cpu_s: float
    rss_mb: float


class Telegraf:
    """Runs Telegraf on what waits in its persistent session."""

    def __init__(self, binary: Path, rig: Rig) -> None:
        self._binary = binary
        self._rig = rig
        self._log = rig.folder / "telegraf.log"

    def config(self, influx: InfluxConfig) -> str:
        """Return its configuration."""
        return CONFIG.format(
            port=self._rig.authority.settings.collector_port, topic=TOPIC, client=TELEGRAF,
            folder=self._rig.folder, url=self._rig.influx.url, token=self._rig.influx.token,
            org=influx.org, bucket=influx.bucket,
        )  # fmt: skip

    def subscribe(self, influx: InfluxConfig) -> None:
        """Make its session."""
        self._end(self._start(influx))

    def drain(self, influx: InfluxConfig) -> Ran:
        """Take everything that waits; it is done when it needs no processor any more."""
        process = self._start(influx)
        began, began_cpu = time.monotonic(), cpu_seconds(process.pid)
        last, spent = began, began_cpu
        while time.monotonic() - last < QUIET_S:
            time.sleep(0.02)
            now = cpu_seconds(process.pid)
            if now - spent > 0.011:  # one tick of idling is no work
                last, spent = time.monotonic(), now
        ran = Ran(last - began, spent, peak_rss_mb(process.pid))
        self._end(process)
        return ran

    def _start(self, influx: InfluxConfig) -> subprocess.Popen[bytes]:
        path = self._rig.folder / "telegraf.conf"
        path.write_text(self.config(influx))
        self._log.write_text("")
        with self._rig.on_cores(), self._log.open("ab") as log:
            process = subprocess.Popen(
                [str(self._binary), "--config", str(path)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        until(lambda: "Connected" in self._log.read_text(), "telegraf to connect", every_s=0.005)
        return process

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        process.wait(30)
