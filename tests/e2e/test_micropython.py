"""The compiled agent on MicroPython in the whole chain, with 256 KiB of heap."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.chain import DEVICE, Chain
from tests.servers.wait import until
from tools import agent_bytecode

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def chain(
    tmp_path_factory: pytest.TempPathFactory,
    mosquitto_bin: str,
    influxd_bin: str,
    upsd_tools: dict[str, str],
    micropython_bin: str,
) -> Iterator[Chain]:
    folder: Path = tmp_path_factory.mktemp("chain")
    agent_bytecode.make(folder / "bytecode")
    start = str(folder / "bytecode" / "vigia-agent.py")
    agent = (micropython_bin, "-X", "heapsize=320k", start)
    chain = Chain(folder, mosquitto_bin, influxd_bin, upsd_tools, agent=agent)
    try:
        chain.start()
        yield chain
    finally:
        chain.stop()


def device(chain: Chain) -> dict[str, Any]:
    found = [item for item in chain.api("/devices")["items"] if item["id"] == DEVICE]
    return found[0] if found else {"frames_stored": 0, "missing": 0}


def last(chain: Chain, field: str) -> float:
    """Return what the agent said of itself last."""
    records = chain.flux(
        'from(bucket: "vigia") |> range(start: -5m)'
        f' |> filter(fn: (r) => r._measurement == "agent" and r._field == "{field}") |> last()'
    )
    return float(records[0].get_value()) if records else -1


def complete(chain: Chain, at_least: int) -> bool:
    found = device(chain)
    return bool(found["frames_stored"] >= at_least and found["missing"] == 0)


def test_its_frames_are_stored_and_leave_the_spool(chain: Chain) -> None:
    until(lambda: complete(chain, 5), "stored frames", timeout_s=60)
    until(lambda: last(chain, "spool_frames") == 0, "an empty spool")
    assert last(chain, "reader_ok") == 1
    assert last(chain, "heap_free") > 20_000


def test_a_ups_on_battery_is_told_and_its_return_too(chain: Chain) -> None:
    chain.upsd.set("input.voltage", "0.0")
    chain.upsd.set("ups.status", "OB DISCHRG")
    until(lambda: chain.incidents("supply_lost", "open"), "the incident")
    chain.upsd.set("input.voltage", "127.3")
    chain.upsd.set("ups.status", "OL CHRG")
    until(lambda: not chain.incidents("supply_lost", "open"), "its end")


def test_a_killed_broker_costs_nothing(chain: Chain) -> None:
    before = device(chain)["frames_stored"]
    chain.mosquitto.kill()
    until(lambda: "link_lost" in chain.log("agent"), "the agent to miss its broker")
    chain.mosquitto.start()
    until(lambda: complete(chain, before + 6), "every frame", timeout_s=90)


def test_a_killed_agent_goes_on_where_it_was(chain: Chain) -> None:
    before = device(chain)["frames_stored"]
    counter = chain.folder / "flash" / "boot"
    boot = int(counter.read_text())
    chain.kill("agent")
    chain.start_agent()
    until(lambda: complete(chain, before + 3), "every frame", timeout_s=60)
    assert int(counter.read_text()) == boot + 1


def test_sigterm_is_a_planned_stop(chain: Chain) -> None:
    process = chain.processes.pop("agent")
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert (chain.folder / "flash" / "boot").read_text().endswith(" stopped")
    assert "Traceback" not in chain.log("agent")
