"""What is wrong in plain words: each condition has its words, and none is told that is not there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import agent
from agent import own_state
from agent.advice import RULES, View, advise
from agent.log import Log
from agent.ports.files import Files
from agent.print_own import sentence
from agent.print_table import COLUMNS, render
from agent.samples import Sample
from tests.cases.still import Clock

FOLDER = Path(agent.__file__).parent
Rows = list[tuple[str, str | None, dict[str, Any]]]

GOOD: Rows = [
    (
        "upsd",
        "sai",
        {"ol": 1, "ob": 0, "input_voltage": 127.0, "age_input_ms": 1000, "battery_runtime": 2400.0},
    ),
    ("net", "eth0", {"carrier": 1, "speed": 1000, "full_duplex": 1, "packets_recv": 10**6, "err_in": 3}),
    ("net", "lan3", {"carrier": 0}),
    ("wan", "eth0", {"up": 1}),
    ("ping", "gateway", {"result_code": 0, "percent_packet_loss": 0.0, "average_response_ms": 2.0}),
    ("dns_query", "192.0.2.53", {"result_code": 0}),
    ("http_response", "http://p/", {"result_code": 0, "http_response_code": 302}),
    ("x509_cert", "http://p/", {"verification_code": 0, "expiry": 90 * 86400}),
    ("wifi_ap", "phy0-ap0", {"airtime_percent": 30.0}),
    ("clock", None, {"synced": 1}),
    ("disk", "/overlay", {"used_percent": 50.0}),
    ("mem", None, {"used_percent": 50.0}),
    ("temp", "cpu", {"temp": 60.0}),
    ("tamper", "door", {"unread": 0, "open": 0}),
    ("mains", "indoor", {"answers": 1, "line_lost": 0, "backwards": 0, "voltage": 127.0}),
    ("pi_power", None, {"undervoltage": 0, "undervoltage_seen": 0, "throttled": 0}),
]
RUNNING = {"running": True, "link": "up", "spooled": 1, "lost": 0, "up_s": 100, "heard_s": 5}

ON_BATTERY = {"ol": 0, "ob": 1, "battery_runtime": 1200.0}
# what is different from a good day -> what is said
BAD: dict[str, Rows] = {
    "hazard": [("upsd", "sai", {"ol": 1, "input_voltage": 147.0, "age_input_ms": 1000})],
    "tamper": [("tamper", "door", {"open": 1})],
    "ups_fsd": [("upsd", "sai", {"ol": 1, "fsd": 1})],
    "ups_low": [("upsd", "sai", {"ol": 1, "lb": 1})],
    "ups_no_input": [("upsd", "sai", {**ON_BATTERY, "input_voltage": 0.0, "age_input_ms": 1000})],
    "ups_low_input": [("upsd", "sai", {**ON_BATTERY, "input_voltage": 89.0, "age_input_ms": 1000})],
    "ups_good_input": [("upsd", "sai", {**ON_BATTERY, "input_voltage": 127.0, "age_input_ms": 1000})],
    "ups_on_battery": [("upsd", "sai", {**ON_BATTERY, "input_voltage": 127.0, "age_input_ms": 60_000})],
    "ups_off": [("upsd", "sai", {"ol": 1, "off": 1})],
    "ups_over": [("upsd", "sai", {"ol": 1, "over": 1})],
    "ups_bypass": [("upsd", "sai", {"ol": 1, "bypass": 1})],
    "ups_replace": [("upsd", "sai", {"ol": 1, "rb": 1})],
    "ups_short": [("upsd", "sai", {"ol": 1, "battery_runtime": 200.0})],
    "ups_alarm": [("upsd", "sai", {"ol": 1, "alarm": 1})],
    "ups_server": [("upsd", "sai", {"server_lost": 1})],
    "ups_driver": [("upsd", "sai", {"driver_lost": 1})],
    "ups_stale": [("upsd", "sai", {"data_stale": 1})],
    "ups_unknown": [("upsd", "sai", {"unknown_ups": 1})],
    "meter_silent": [("mains", "indoor", {"answers": 0, "line_lost": 0})],
    "meter_line": [("mains", "indoor", {"line_lost": 1})],
    "meter_backwards": [("mains", "indoor", {"answers": 1, "backwards": 1, "voltage": 127.0})],
    "tamper_unread": [("tamper", "door", {"unread": 1})],
    "board_low": [("pi_power", None, {"undervoltage": 1, "undervoltage_seen": 1})],
    "board_was_low": [("pi_power", None, {"undervoltage": 0, "undervoltage_seen": 1})],
    "wan_cable": [("net", "eth0", {"carrier": 0})],
    "wan_down": [("wan", "eth0", {"up": 0})],
    "gateway_dead": [("ping", "gateway", {"result_code": 2, "percent_packet_loss": 100.0})],
    "modem_dead": [("ping", "modem", {"result_code": 2, "percent_packet_loss": 100.0})],
    "dns_dead": [("dns_query", "192.0.2.53", {"result_code": 1})],
    "target_dead": [("ping", "192.0.2.9", {"result_code": 2, "percent_packet_loss": 100.0})],
    "lossy": [("ping", "gateway", {"result_code": 0, "percent_packet_loss": 33.33})],
    "slow": [("ping", "gateway", {"result_code": 0, "average_response_ms": 301.0})],
    "page_dead": [("http_response", "http://p/", {"result_code": 3})],
    "page_no_name": [("http_response", "http://p/", {"result_code": 5})],
    "page_odd": [("http_response", "http://p/", {"result_code": 2})],
    "page_fails": [("http_response", "http://p/", {"result_code": 0, "http_response_code": 500})],
    "cert_ended": [("x509_cert", "http://p/", {"verification_code": 1, "expiry": -86400})],
    "cert_ends": [("x509_cert", "http://p/", {"verification_code": 0, "expiry": 9 * 86400})],
    "cert_bad": [("x509_cert", "http://p/", {"verification_code": 1, "expiry": 90 * 86400})],
    "port_slow": [("net", "lan3", {"carrier": 1, "speed": 100})],
    "port_half": [("net", "eth0", {"carrier": 1, "full_duplex": 0})],
    "port_errors": [("net", "eth0", {"carrier": 1, "packets_recv": 10**6, "err_in": 2000})],
    "wifi_busy": [("wifi_ap", "phy0-ap0", {"airtime_percent": 80.0})],
    "clock": [("clock", None, {"synced": 0})],
    "disk": [("disk", "/overlay", {"used_percent": 95.0})],
    "memory": [("mem", None, {"used_percent": 95.0})],
    "hot": [("temp", "cpu", {"temp": 90.0})],
}
AGENT = {
    "agent_stopped": {"running": False, "link": "", "spooled": 0, "lost": 0, "up_s": 0, "heard_s": None},
    "agent_unlinked": {**RUNNING, "link": "down"},
    "agent_backlog": {**RUNNING, "spooled": 40, "heard_s": 600},
    "agent_lost": {**RUNNING, "lost": 7},
}


def samples(*changed: tuple[str, str | None, dict[str, Any]]) -> list[Sample]:
    rows = {(measurement, instance): fields for measurement, instance, fields in [*GOOD, *changed]}
    return [Sample(0, *key, fields) for key, fields in rows.items()]


def keys(view: View) -> list[str]:
    return [advice.key for advice in advise(view, "es")]


def test_a_good_day_has_nothing_to_be_told():
    assert keys(View(samples(), 127, RUNNING)) == []


@pytest.mark.parametrize("key", BAD)
def test_each_condition_alone_is_told_alone(key):
    assert keys(View(samples(*BAD[key]), 127, RUNNING)) == [key]


@pytest.mark.parametrize("key", AGENT)
def test_the_agents_own_conditions(key):
    assert keys(View(samples(), 127, AGENT[key])) == [key]


def test_a_reader_that_failed_is_told_with_its_error():
    (found,) = advise(View(samples(), 127, RUNNING, [("wifi", "no_ubus: gone")]), "en")
    assert found.what == '"wifi" could not be read: no_ubus: gone'


def test_without_a_gateway_what_lies_behind_it_is_not_told_too():
    dead = [
        rows[0]
        for key, rows in BAD.items()
        if key in {"gateway_dead", "dns_dead", "target_dead", "page_dead"}
    ]
    assert keys(View(samples(*dead), 127, RUNNING)) == ["gateway_dead"]


def test_what_endangers_people_comes_first():
    found = keys(View(samples(*BAD["clock"], *BAD["port_slow"], *BAD["hazard"]), 127, RUNNING))
    assert found == ["hazard", "port_slow", "clock"]


def test_a_port_of_100_is_only_slow_beside_one_of_1000():
    rows: Rows = [
        ("net", "eth0", {"carrier": 1, "speed": 100, "full_duplex": 1}),
        ("net", "lan3", {"carrier": 0}),
    ]
    assert keys(View(samples(*rows), 127, RUNNING)) == []


def test_the_site_s_own_voltage_is_the_measure():
    rows: Rows = [("upsd", "sai", {"ol": 1, "input_voltage": 220.0, "age_input_ms": 1000})]
    assert keys(View(samples(*rows), 220, RUNNING)) == []


@pytest.mark.parametrize("lang", ["es", "en"])
def test_every_condition_has_whole_sentences(lang):
    lines = (FOLDER / f"advice_{lang}.txt").read_text(encoding="utf-8").splitlines()
    texts = {line.split("|")[0]: line.split("|")[1:] for line in lines}
    assert list(texts) == [key for key, _ in RULES]
    assert all(len(parts) == 3 and all(part.strip() for part in parts) for parts in texts.values())
    for why, then in [parts[1:] for parts in texts.values()]:
        assert why.endswith(".")
        assert then.endswith(".")
        assert "{" not in why


@pytest.mark.parametrize("lang", ["es", "en"])
def test_all_that_is_printed_fits_a_phone(lang):
    config = {"device": "d" * 40, "site": "s", "readers": {}}
    rows = [row for rows in BAD.values() for row in rows]
    bad = [Sample(0, *row) for row in rows]
    text = render(
        config, [("all", bad, ""), ("wifi", [], "garbage: " + "word " * 30)], lang, AGENT["agent_lost"]
    )
    assert [line for line in text.split("\n") if len(line) > COLUMNS] == []
    assert text.index("1. ") < text.index("== all")


# --- the agent's own state ---


class At(Clock):
    def __init__(self, uptime_ms: int) -> None:
        self._uptime_ms = uptime_ms

    def uptime_ms(self) -> int:
        return self._uptime_ms


STATUS = {
    "started_ms": 1000,
    "heard_ms": 3_000,
    "link": "up",
    "spooled": 2,
    "dropped": {"data": 3, "torn_bytes": 9},
}


def saved(folder: Path) -> dict[str, Any]:
    log = Log(lambda: 0, len)
    own_state.save(Files(), str(folder), own_state.told(STATUS, At(5_000)), log)
    content = own_state.load(Files(), str(folder))
    assert content is not None
    return content


def test_a_running_agent_is_found_with_its_last_contact(tmp_path):
    own = own_state.summary(saved(tmp_path), At(15_000), 30_000)
    assert own == {"running": True, "link": "up", "spooled": 2, "lost": 3, "up_s": 14, "heard_s": 12}
    said = "The agent has been running for 14 s, connected to the centre; last confirmation 12 s ago; "
    assert sentence(own, "en") == said + "messages waiting: 2."


def test_one_that_missed_three_frames_or_a_boot_is_not_running(tmp_path):
    content = saved(tmp_path)
    assert own_state.summary(content, At(5_000 + 90_001), 30_000)["running"] is False
    assert own_state.summary({**content, "kernel_boot": "ff" * 16}, At(6_000), 30_000)["running"] is False
    assert own_state.summary(None, At(6_000), 30_000)["running"] is False


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"null", b"{", b"\xff",
        *[json.dumps({**own_state.told(STATUS, At(5)), name: value}).encode()
          for name, value in [("uptime_ms", "1"), ("spooled", -1), ("lost", True), ("link", None),
                              ("heard_ms", "x"), ("kernel_boot", 1), ("started_ms", 1.5)]],
    ],
)  # fmt: skip
def test_a_file_that_is_not_ours_is_none(tmp_path, content):
    (tmp_path / own_state.FILE).write_bytes(content)
    assert own_state.load(Files(), str(tmp_path)) is None


def test_a_folder_that_takes_no_file_is_only_a_trouble(tmp_path):
    lines: list[str] = []
    own_state.save(Files(), str(tmp_path / "absent"), {}, Log(lambda: 0, lines.append))
    assert "own_state" in lines[0]
