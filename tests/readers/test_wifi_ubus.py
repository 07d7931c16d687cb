"""The reader of access points with a command ``ubus`` of the test's own, a real process each time."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from agent.errors import ReaderError
from agent.ports.command import run
from agent.readers import build
from agent.readers.wifi import CLOSELY_MS, MOST, Wifi
from agent.readers.wifi_day import Day
from agent.readers.wifi_ubus import UbusWifi
from tests.cases import runner
from tests.readers.standin import RealClock
from tests.readers.standin_ubus import StandIn

CASES = Path(runner.FOLDER) / "wifi"
SAMPLE_MS = 10_000


class Moved(RealClock):
    """The machine's time, and what a test adds to it."""

    more_ms = 0

    def uptime_ms(self) -> int:
        return super().uptime_ms() + self.more_ms


@pytest.fixture
def play(tmp_path, monkeypatch):
    """Put a stand-in that plays a case before everything else on PATH."""

    def put(case: str) -> StandIn:
        standin = StandIn(tmp_path, CASES / case / "first")
        monkeypatch.setenv("PATH", f"{standin.folder}:{os.environ['PATH']}")
        return standin

    return put


def reader(clock: Moved, **options: object) -> Wifi:
    return Wifi(clock, SAMPLE_MS, UbusWifi(run), Day(clock, -6, runner.Nowhere()), options)


def rows_of(found: Any) -> dict[tuple[str, str | None], dict[str, Any]]:
    return {(row[0], row[1]): dict(row[2]) for row in found}


def test_the_process_says_what_the_case_says(play):
    play("openwrt-21.02-mt76")
    expected = json.loads((CASES / "openwrt-21.02-mt76" / "expected.json").read_text())["rows"]
    found = asyncio.run(reader(Moved()).read())
    assert runner.same([[row[0], row[1], dict(row[2])] for row in found], expected)


def test_what_hardly_changes_is_asked_once_a_minute(play):
    standin = play("openwrt-21.02-mt76")

    async def work() -> list[int]:
        clock = Moved()
        made = reader(clock)
        asked: list[int] = []
        for _ in range(7):
            await made.read()
            asked.append(len(standin.asked()) - sum(asked))
            clock.more_ms += SAMPLE_MS
        return asked

    # list, and for two access points info, survey, get_status, get_clients; later only the last two
    assert asyncio.run(work()) == [9, 4, 4, 4, 4, 4, 9]


def test_an_access_point_that_goes_is_told_at_once_and_one_that_comes_within_a_minute(play):
    standin = play("openwrt-21.02-mt76")
    answer = standin.answers / "hostapd.wlan1.get_clients.json"

    async def work():
        clock = Moved()
        made = reader(clock)
        before = rows_of(await made.read())
        answer.rename(answer.with_suffix(".away"))
        (standin.answers / "list.txt").write_text("hostapd.wlan0\n")
        gone = rows_of(await made.read())
        answer.with_suffix(".away").rename(answer)
        (standin.answers / "list.txt").write_text("hostapd.wlan0\nhostapd.wlan1\n")
        clock.more_ms += CLOSELY_MS
        return before, gone, rows_of(await made.read())

    before, gone, back = asyncio.run(work())
    assert [each["wifi_ap", "wlan1"]["up"] for each in (before, gone, back)] == [1, 0, 1]
    assert gone["wifi_ap", "wlan1"] == {"up": 0}
    assert (gone["wifi", None]["access_points"], gone["wifi", None]["access_points_up"]) == (2, 1)


@pytest.mark.parametrize("trouble", ["slow", "garbage", "endless"])
def test_trouble_with_one_access_point_costs_its_row_only(play, trouble):
    standin = play("openwrt-21.02-mt76")
    answer = standin.answers / "hostapd.wlan0.get_clients.json"
    if trouble == "slow":
        answer.with_name(answer.name + ".slow").touch()
    elif trouble == "garbage":
        answer.write_text("Failed to parse message data\n")
    else:
        answer.write_bytes(b'{\n\t"clients": {\n\t\t"' + b"x" * 2_000_000)
    found = rows_of(asyncio.run(reader(Moved()).read()))
    assert ("wifi_ap", "wlan0") not in found
    assert found["wifi_ap", "wlan1"]["clients"] == 1
    assert (found["wifi", None]["access_points"], found["wifi", None]["access_points_up"]) == (2, 1)


def test_without_time_the_rest_waits_for_the_next_reading(play, monkeypatch):
    monkeypatch.setattr("agent.readers.wifi_ubus.LIMIT_MS", 200)
    standin = play("openwrt-21.02-mt76")
    name = "hostapd.wlan0.get_clients.json.slow"
    (standin.answers / name).touch()
    made = Wifi(Moved(), 100, UbusWifi(run), Day(Moved(), -6, runner.Nowhere()), {})
    with pytest.raises(ReaderError) as raised:
        asyncio.run(made.read())
    assert raised.value.reason == "timeout"


def test_a_machine_without_ubus_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReaderError) as raised:
        asyncio.run(reader(Moved()).read())
    assert raised.value.reason == "command_missing"


def test_ten_thousand_clients_are_read_and_bounded(play):
    standin = play("openwrt-21.02-mt76")
    clients = ",".join(
        f'\n\t\t"5a:00:00:00:{n >> 8:02x}:{n & 255:02x}": {{\n\t\t\t"signal": -60\n\t\t}}'
        for n in range(10_000)
    )
    text = f'{{\n\t"freq": 2462,\n\t"clients": {{{clients}\n\t}}\n}}\n'
    (standin.answers / "hostapd.wlan0.get_clients.json").write_text(text)
    found = rows_of(asyncio.run(reader(Moved()).read()))
    assert found["wifi_ap", "wlan0"]["clients"] == 2007
    assert found["wifi_ap", "wlan0"]["clients_day"] == pytest.approx(2007, rel=0.15)
    assert found["wifi", None]["clients_unread"] == 10_000 - 2007


def test_no_more_access_points_than_a_router_can_have(play):
    standin = play("openwrt-21.02-mt76")
    (standin.answers / "list.txt").write_text("".join(f"hostapd.wlan{n}\n" for n in range(40)))
    found = rows_of(asyncio.run(reader(Moved()).read()))
    assert len([key for key in found if key[0] == "wifi_ap"]) <= MOST


def test_the_table_builds_it_where_ubus_is(play, tmp_path):
    play("openwrt-22.03-rates-times-100")
    options = {"places": {"phy0-ap0": "outdoor"}, "day_file": str(tmp_path / "wifi-day")}
    config = {"readers": {"wifi": options}, "intervals": {"sample_s": 10, "watch_s": 2}}
    [made] = build(config, RealClock())
    found = rows_of(asyncio.run(made.read()))
    assert found["wifi_ap", "phy0-ap0"]["place"] == "outdoor"
    assert found["wifi_ap", "phy0-ap0"]["rate_p50"] == 65.0
