"""``vigia-sim fleet`` through the real chain: the collector has stored what it says that it sealed."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators import load, sample
from tests.e2e.chain import Chain
from tests.servers.wait import until

pytestmark = [pytest.mark.server, pytest.mark.timeout(180)]

DEVICES = 3


@pytest.fixture
def chain(tmp_path: Path, mosquitto_bin: str, upsd_tools: dict[str, str]) -> Iterator[Chain]:
    """Broker and collector with the embedded store; no agent but those of the fleet."""
    chain = Chain(tmp_path, mosquitto_bin, "", upsd_tools)
    text = chain.config.read_text()
    chain.config.write_text(re.sub(r"\[store\.influx\]\n(.+\n)+", '[store]\nkind = "embedded"\n', text))
    with sample.sites_file() as path:
        shutil.copy(path, tmp_path / "sites.csv")
    load.enrol(chain.authority, load.plans(DEVICES))
    try:
        chain.start_servers()
        chain.start_collector()
        chain.token = chain.call(
            "vigia-collector", "user", "token", "--config", "collector.toml", "t"
        ).strip()
        yield chain
    finally:
        chain.stop()


def stored(chain: Chain) -> dict[str, int]:
    items = chain.api("/devices")["items"]
    return {item["id"]: item["frames_stored"] for item in items if item["id"].startswith("fleet-")}


def test_nothing_of_a_fleet_is_lost_and_the_account_says_so_by_device(chain: Chain) -> None:
    words = [
        "--pki",
        "pki",
        "--devices",
        str(DEVICES),
        "--seconds",
        "6",
        "--rate",
        "3",
        "--json",
        "sent.json",
    ]
    said = json.loads(chain.call("vigia-sim", "fleet", *words).splitlines()[-1])
    told = json.loads((chain.folder / "sent.json").read_text())["by_device"]

    assert (said["ok"], said["devices"], said["connected"], said["refused"]) == (True, DEVICES, DEVICES, 0)
    sealed = {name: one["sealed"] for name, one in told.items()}
    assert all(one["sealed"] >= 3 and one["highest_seq"] == one["sealed"] - 1 for one in told.values())
    assert said["sealed"] == sum(sealed.values())
    until(lambda: stored(chain) == sealed, f"the collector to have stored {sealed}; it has {stored(chain)}")
    # what is still unanswered for the devices is at most what each said last
    assert said["sealed"] - said["acked"] == said["waiting"]
