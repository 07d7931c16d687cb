"""From a UPS's reading to a message for the crew, and back: the whole chain, every part a real process."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from tests.e2e.chain import DEVICE, SITE, Chain
from tests.servers.wait import until

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]


def messages(chain: Chain, incident: int) -> list[str]:
    return [message["title"] for message in chain.webhook.messages if f"#{incident}" in message["title"]]


def reported(chain: Chain) -> int:
    items = [item for item in chain.api("/devices")["items"] if item["id"] == DEVICE]
    return int(items[0]["frames_stored"] or 0) if items else 0


def one_open(chain: Chain, condition: str) -> dict[str, Any]:
    found = until(lambda: chain.incidents(condition, "open"), f"the incident {condition}")
    assert [item["site"] for item in found] == [SITE]
    return found[0]


def test_the_readings_are_in_influxdb_under_the_names_of_the_contract(chain: Chain) -> None:
    until(lambda: reported(chain) >= 3, "three stored frames")
    wanted = {
        "upsd": ({"ups_name"}, {"input_voltage", "battery_charge_percent", "ol", "ob", "lb", "rb", "fsd"}),
        "net": ({"interface"}, {"bytes_recv", "bytes_sent"}),
        "system": (set(), {"load1", "uptime"}),
        "mem": (set(), {"total", "used_percent"}),
        "agent": ({"reader"}, {"reader_ok", "spool_frames"}),
    }

    def records() -> dict[str, list[Any]]:
        rows = chain.flux('from(bucket: "vigia") |> range(start: -5m) |> last()')
        return {name: [row for row in rows if row.get_measurement() == name] for name in wanted}

    def all_there() -> dict[str, list[Any]]:
        found = records()
        complete = all({row.get_field() for row in found[name]} >= wanted[name][1] for name in wanted)
        return found if complete else {}

    found = until(all_there, "all measurements of the contract")
    for name, (instance, _) in wanted.items():
        for row in found[name]:
            tags = {key for key in row.values if not key.startswith("_")} - {"result", "table"}
            assert tags - instance == {"site", "device"}
            assert (row.values["site"], row.values["device"]) == (SITE, DEVICE)
    voltage = next(row for row in found["upsd"] if row.get_field() == "input_voltage")
    assert voltage.get_value() == 127.3


def test_a_ups_on_battery_becomes_an_alert_and_its_return_a_recovery(chain: Chain) -> None:
    until(lambda: reported(chain) >= 1, "the device")
    chain.upsd.set("input.voltage", "0.0")
    chain.upsd.set("ups.status", "OB DISCHRG")
    incident = one_open(chain, "supply_lost")
    assert (incident["cause"], incident["severity"]) == ("mains-site", "critical")
    until(lambda: messages(chain, incident["id"]), "the alert at the webhook")
    body = next(m["message"] for m in chain.webhook.messages if f"#{incident['id']}" in m["title"])
    assert "mains-site" in body

    chain.upsd.set("input.voltage", "127.3")
    chain.upsd.set("ups.status", "OL CHRG")
    until(lambda: len(messages(chain, incident["id"])) == 2, "the recovery at the webhook")
    after = chain.api(f"/incidents/{incident['id']}")
    assert after["cleared_ms"] >= after["started_ms"]
    assert chain.incidents("supply_lost", "open") == []
    events = chain.flux(
        'from(bucket: "vigia") |> range(start: -5m)'
        ' |> filter(fn: (r) => r.kind == "supply_lost" and r._field == "value")'
    )
    assert sorted(row.get_value() for row in events) == [0, 1]


def test_a_silent_device_becomes_an_alert_until_it_speaks_again(chain: Chain) -> None:
    until(lambda: reported(chain) >= 1, "the device")
    chain.kill("agent")
    incident = one_open(chain, "outage")
    until(lambda: messages(chain, incident["id"]), "the alert at the webhook")
    chain.start_agent()
    until(lambda: chain.api(f"/incidents/{incident['id']}")["cleared_ms"], "the end of the outage")
    until(lambda: len(messages(chain, incident["id"])) >= 2, "the recovery at the webhook")
    after = chain.api(f"/incidents/{incident['id']}")
    assert after["final"]
    assert after["cause"] == "device"  # the kernel ran on: neither mains nor backhaul


def stored_seqs_have_no_hole(chain: Chain, at_least: int) -> bool:
    device = chain.device()
    return bool(device["frames_stored"] >= at_least and device["missing"] == 0)


def test_a_broker_killed_without_time_to_save_costs_nothing(chain: Chain) -> None:
    until(lambda: reported(chain) >= 1, "the device")
    before = chain.device()["frames_stored"]
    chain.mosquitto.kill()
    until(lambda: chain.counter("vigia_problems_total", part="ingest") > 0, "the ingest to miss its broker")
    chain.mosquitto.start()
    until(lambda: stored_seqs_have_no_hole(chain, before + 4), "every frame", timeout_s=60)


def test_influxdb_killed_in_between_costs_nothing(chain: Chain) -> None:
    until(lambda: reported(chain) >= 1, "the device")
    before = chain.device()["frames_stored"]
    pid = chain.child("influxd")
    os.kill(pid, signal.SIGSTOP)
    try:
        until(
            lambda: chain.counter("vigia_problems_total", part="ingest", reason="store_unavailable") > 0,
            "the ingest to miss its store",
            timeout_s=60,
        )
    finally:
        os.kill(pid, signal.SIGKILL)
    until(lambda: stored_seqs_have_no_hole(chain, before + 4), "every frame", timeout_s=60)
    count = chain.flux(
        'from(bucket: "vigia") |> range(start: -15m)'
        ' |> filter(fn: (r) => r._measurement == "agent" and r._field == "frames_sealed") |> max()'
    )
    assert count[0].get_value() > 0


def test_the_ingest_killed_in_between_costs_nothing(chain: Chain) -> None:
    until(lambda: reported(chain) >= 1, "the device")
    before = chain.device()["frames_stored"]
    os.kill(chain.child("ingest"), signal.SIGKILL)
    until(lambda: stored_seqs_have_no_hole(chain, before + 4), "every frame", timeout_s=60)
