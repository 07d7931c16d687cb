"""Servers that are not there when the collector starts: said in the log, waited for, nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.chain import DEVICE, Chain
from tests.servers.influx import InfluxServer
from tests.servers.wait import until

pytestmark = [pytest.mark.server, pytest.mark.timeout(180)]


@pytest.fixture
def chain(
    tmp_path: Path, mosquitto_bin: str, influxd_bin: str, upsd_tools: dict[str, str]
) -> Iterator[Chain]:
    chain = Chain(tmp_path, mosquitto_bin, influxd_bin, upsd_tools)
    try:
        yield chain
    finally:
        chain.stop()


@pytest.fixture
def late_influx(tmp_path: Path, influxd_bin: str) -> Iterator[InfluxServer]:
    folder = tmp_path / "late"
    folder.mkdir()
    server = InfluxServer(influxd_bin, folder)
    try:
        yield server
    finally:
        server.stop()


def test_broker_and_influxdb_that_start_late_find_every_frame(
    chain: Chain, late_influx: InfluxServer
) -> None:
    config = chain.config.read_text()
    command = next(line for line in config.splitlines() if line.startswith("command"))
    url = f"http://127.0.0.1:{chain.influx_port}"
    config = config.replace(command, f'org = "{late_influx.org}"').replace(url, late_influx.url)
    chain.config.write_text(config)
    (chain.folder / "influx.token").write_text(late_influx.token)

    chain.webhook.start()
    chain.upsd.start()
    chain.start_agent()
    chain.spawn_collector()
    until(lambda: "store_unavailable" in chain.log("collector"), "the missing store in the log")
    until(lambda: "broker_unreachable" in chain.log("collector"), "the missing broker in the log")
    chain.mosquitto.start()
    late_influx.start()
    chain.wait_ready()
    chain.token = chain.call("vigia-collector", "user", "token", "--config", "collector.toml", "t").strip()

    def complete() -> bool:
        items = [item for item in chain.api("/devices")["items"] if item["id"] == DEVICE]
        return bool(items and (items[0]["frames_stored"] or 0) >= 8 and items[0]["missing"] == 0)

    until(complete, "every frame since the agent's start", timeout_s=90)
