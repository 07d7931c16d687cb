"""Access points by nl80211: recorded dumps, messages that pyroute2 has packed, a kernel without it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from pyroute2.netlink.nl80211 import nl80211cmd

from agent.cpython.readers import wifi
from agent.cpython.readers.wifi import (
    Nl80211,
    make_wifi,
    parse_heard,
    parse_interface,
    parse_station,
    parse_survey,
)
from agent.errors import ReaderError
from agent.readers.wifi import Wifi
from agent.readers.wifi_day import Day
from agent.readers.wifi_ubus import UbusWifi
from agent.readers.wifi_values import Crowd, RateUnit
from tests.cases import runner
from tests.cases.still import Clock
from tests.readers.standin import RealClock

CASES = Path(runner.FOLDER) / "wifi_nl80211"


class Recorded(Nl80211):
    """Answers from the files of a case; a command without a file is refused, as a driver without it does."""

    def __init__(self, folder: Path) -> None:
        super().__init__(Clock())
        self._folder = folder

    async def _dump(self, command: str, index: int | None = None, flags: int = 0) -> list[Any]:
        file = self._folder / f"{command}.json"
        if not file.exists():
            raise ReaderError("netlink_failed", f"{command}: (95, 'Operation not supported')")
        return list(json.loads(file.read_text()))


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir()))
def test_case_folder(case):
    expected = json.loads((CASES / case / "expected.json").read_text())
    made = Wifi(Clock(), 10_000, Recorded(CASES / case), Day(Clock(), -6, runner.Nowhere()), {})
    found = asyncio.run(made.read())
    assert runner.same([[row[0], row[1], dict(row[2])] for row in found], expected["rows"])


def test_an_access_point_that_became_a_client_is_down(tmp_path):
    folder = CASES / "raspberry-pi"
    interfaces = json.loads((folder / "NL80211_CMD_GET_INTERFACE.json").read_text())
    for name in ("NL80211_CMD_GET_INTERFACE", "NL80211_CMD_GET_STATION"):
        (tmp_path / f"{name}.json").write_text((folder / f"{name}.json").read_text())

    async def work():
        made = Wifi(Clock(), 10_000, Recorded(tmp_path), Day(Clock(), -6, runner.Nowhere()), {})
        await made.read()
        (tmp_path / "NL80211_CMD_GET_INTERFACE.json").write_text(json.dumps(interfaces[1:]))
        return await made.read()

    assert asyncio.run(work())[0] == ("wifi_ap", "wlan0", {"up": 0})


def packed(**attributes: Any) -> Any:
    """Return a message as the kernel's would be decoded: packed by pyroute2, and unpacked again."""
    message = nl80211cmd()
    message["cmd"] = 0
    message["attrs"] = [[f"NL80211_ATTR_{name}", value] for name, value in attributes.items()]
    message.encode()
    decoded = nl80211cmd(message.data)
    decoded.decode()
    return decoded


def nested(prefix: str, **attributes: Any) -> dict[str, Any]:
    return {"attrs": [[f"NL80211_{prefix}_{name}", value] for name, value in attributes.items()]}


def test_messages_of_the_kernel_are_read_as_recorded_ones():
    message = packed(IFINDEX=7, IFNAME="wlan0", WIPHY=2, IFTYPE=3, WIPHY_FREQ=5180)
    assert parse_interface(message) == (
        "wlan0",
        7,
        {"frequency": 5180, "channel": 36, "up": 1, "radio": "phy2"},
    )
    macs: list[bytes] = []
    crowd = Crowd(RateUnit(), macs.append)
    rate = nested("RATE_INFO", BITRATE32=8667)
    parse_station(
        packed(MAC="5A:3E:11:07:00:0F", STA_INFO=nested("STA_INFO", SIGNAL=-59, TX_BITRATE=rate)), crowd
    )
    assert macs == [bytes.fromhex("5a3e1107000f")]
    assert crowd.fields() == {
        "clients": 1, "signal_p10": -59.0, "signal_p50": -59.0, "signal_p90": -59.0, "rate_p50": 866.7,
    }  # fmt: skip
    facts: dict[str, Any] = {"frequency": 5180}
    for mhz in (5180, 5200):
        times = {"TIME": mhz, "TIME_BUSY": 20, "TIME_TX": 5}
        parse_survey(packed(SURVEY_INFO=nested("SURVEY_INFO", FREQUENCY=mhz, NOISE=161, **times)), facts)
    assert facts == {"frequency": 5180, "noise": -95.0, "times": (5180, 20, None, 5)}


def test_what_a_scan_heard():
    bss = nested("BSS", BSSID="02:11:32:A0:00:01", FREQUENCY=2437, SIGNAL_MBM={"VALUE": -6150})
    assert parse_heard({"attrs": [["NL80211_ATTR_BSS", bss]]}) == (bytes.fromhex("021132a00001"), -61, 2437)


@pytest.mark.parametrize("nonsense", [None, 3, "x", [], {}, {"attrs": 3}, {"attrs": [3, ["x"], None]}])
def test_nonsense_is_nothing(nonsense):
    crowd = Crowd(RateUnit(), lambda _mac: None)
    facts: dict[str, Any] = {"frequency": 2437}
    parse_station(nonsense, crowd)
    parse_survey(nonsense, facts)
    assert (crowd.count, crowd.bad, facts) == (0, 1, {"frequency": 2437})
    assert parse_interface(nonsense) is None
    assert parse_heard(nonsense) is None


def test_a_kernel_without_wifi_is_a_known_failure_and_leaves_nothing_open():
    async def work() -> str:
        source = Nl80211(RealClock())
        try:
            names = await source.find()
        except ReaderError as error:
            return error.reason
        finally:
            await source.close()
        return f"found {names}"  # a machine with Wi-Fi runs this test

    assert asyncio.run(work()) in {"netlink_failed", "found []"}


def test_what_breaks_the_decoder_costs_the_reading_only(monkeypatch):
    class Broken:
        prid = 1

        async def nlm_request(self, *_args: Any, **_more: Any) -> Any:
            raise IndexError("unpack")

        def close(self) -> None:
            self.prid = 0

    async def opened() -> Broken:
        return Broken()

    monkeypatch.setattr(wifi, "_opened", opened)
    source = Nl80211(RealClock())
    with pytest.raises(ReaderError) as raised:
        asyncio.run(source.find())
    assert raised.value.reason == "garbage"
    assert source._netlink is None


def test_ubus_is_preferred_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    plain = make_wifi({}, RealClock(), 10_000, 2000)
    (tmp_path / "ubus").write_text("#!/bin/sh\n")
    (tmp_path / "ubus").chmod(0o755)
    routed = make_wifi({}, RealClock(), 10_000, 2000)
    assert isinstance(plain, Wifi)
    assert isinstance(routed, Wifi)
    assert isinstance(plain._source, Nl80211)
    assert isinstance(routed._source, UbusWifi)
