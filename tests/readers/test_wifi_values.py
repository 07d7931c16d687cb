"""Values of Wi-Fi readings: units, bounds, quantiles; counters of airtime; lists read in parts."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import ReaderError
from agent.readers.wifi_parse import parse_client, parse_heard, parse_info, parse_status
from agent.readers.wifi_pieces import MOST_PIECE, Pieces
from agent.readers.wifi_survey import Airtime
from agent.readers.wifi_values import (
    MOST_CLIENTS,
    TOPS,
    Crowd,
    RateUnit,
    channel_of,
    is_address,
    mac_of,
    noise_of,
    signal_of,
    whole,
)
from tests.cases.runner import FOLDER

HT = dict(TOPS)["ht"]
NONSENSE: list[object] = [None, "5", [], {}, True, math.nan, math.inf, -math.inf, 10**400, b"x"]


def crowd() -> Crowd:
    return Crowd(RateUnit(), lambda _mac: None)


@pytest.mark.parametrize("value", NONSENSE)
def test_nonsense_is_no_number(value):
    assert whole(value, -(10**9), 10**9) is None
    assert signal_of(value) is None
    assert noise_of(value) is None
    assert mac_of(value) is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [(-95, -95), (161, -95), (0, None), (-131, None), (1, None), (135, None), (136, -120), (256, None)],
)
def test_noise(given, expected):
    assert noise_of(given) == expected


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("5A:3e:11:07:00:0f", True),
        ("5a-3e-11-07-00-0f", True),
        ("5a:3e:11:07:00:0", False),
        ("5a:3e:11:07:00:0g", False),
        ("5a:3e:11:07:000f1", False),
        ("5a3e1107000f", False),
        (" a:3e:11:07:00:0f", False),
        ("", False),
    ],
)
def test_addresses(text, address):
    assert (mac_of(text) == bytes.fromhex("5a3e1107000f")) is address


@pytest.mark.parametrize("text", ["5a3e1107000f", "5A:3E:11:07:00:0F", "5a3e.1107.000f", "5a-3e-11-07-00-0f"])
def test_a_name_that_is_an_address_is_known(text):
    assert is_address(text)
    assert not is_address(text + "a")


@pytest.mark.parametrize(
    ("mhz", "channel"),
    [
        (2412, 1),
        (2472, 13),
        (2484, 14),
        (5180, 36),
        (5745, 149),
        (5955, 1),
        (6115, 33),
        (3000, None),
        (0, None),
    ],
)
def test_channels(mhz, channel):
    assert channel_of(mhz) == channel


@pytest.mark.parametrize(("times", "per"), [(1, 1), (100, 1), (1, 100)])
def test_the_unit_of_rates_is_learned_from_what_is_possible(times, per):
    """kbit/s, a hundred times too much, a hundred times too little: two clients tell them apart."""
    unit = RateUnit()
    for kbit, top in ((72_200, HT), (6000, HT), (144_400, HT)):
        unit.learn(kbit * times // per, top)
    assert unit.mbit(72_200 * times // per) == pytest.approx(72.2)


def test_one_absurd_rate_does_not_change_the_unit():
    unit = RateUnit()
    for raw in (65_000, 6_500_000, 10**9, 65_000, 130_000, 6000):
        unit.learn(raw, HT)
    assert unit.mbit(65_000) == 65.0
    assert unit.mbit(10**9) is None


def test_an_update_of_hostapd_changes_the_unit_within_some_readings():
    unit = RateUnit()
    for _ in range(100_000):
        unit.learn(65_000, HT)
    for _ in range(3000):
        unit.learn(6_500_000_0, HT)
    assert unit.mbit(6_500_000) == 65.0


def test_quantiles_are_those_of_the_sorted_list():
    draw = random.Random(7)  # noqa: S311 - test data
    for count in (1, 2, 3, 9, 10, 11, 100, 333):
        signals = [draw.randint(-95, -30) for _ in range(count)]
        made = crowd()
        for signal in signals:
            made.add(bytes(6), signal, (None, None), HT)
        ranked = sorted(signals)
        fields = made.fields()
        for percent in (10, 50, 90):
            assert fields[f"signal_p{percent}"] == ranked[max(0, math.ceil(count * percent / 100) - 1)]


def test_an_endless_list_of_clients_is_bounded():
    made = crowd()
    for number in range(10_000):
        parse_client(f"5a:00:00:00:{number >> 8:02x}:{number & 255:02x}", {"signal": -60}, made)
    assert made.count == MOST_CLIENTS
    assert made.unread == 10_000 - MOST_CLIENTS


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
)
TREES = st.recursive(
    VALUES,
    lambda inner: st.dictionaries(
        st.sampled_from(
            [
                "time", "signal", "rate", "tx", "rx", "ht", "vht", "assoc", "mac", "status", "freq",
                "channel", "phy",
                "airtime", "bssid", "time_busy", "utilization", "mode", "frequency", "noise", "txpower",
            ]
        ),
        inner,
        max_size=6,
    ),
    max_leaves=12,
)  # fmt: skip


@given(TREES)
def test_no_answer_breaks_the_parsing_or_leaves_the_register(tree):
    item = tree if isinstance(tree, dict) else {"signal": tree}
    made = crowd()
    parse_client("5a:3e:11:07:00:0f", item, made)
    parse_client(None, item, made)
    facts = parse_status(item) | parse_info(item)
    parse_heard(item)
    assert all(isinstance(value, (int, float)) for value in made.fields().values())
    assert facts.get("channel", 1) in range(1, 234)
    assert -130 <= facts.get("noise", -95) < 0


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ((1000, 100, None, None), (11_000, 2100, None, None), {"airtime_percent": 20.0}),
        (
            (1000, 100, 50, 20),
            (11_000, 2100, 550, 1020),
            {"airtime_percent": 20.0, "airtime_rx_percent": 5.0, "airtime_tx_percent": 10.0},
        ),
        ((1000, 100, 0, 0), (11_000, 2100, 0, 0), {"airtime_percent": 20.0}),
        (
            (50_000, 9000, None, None),
            (9900, 990, None, None),
            {"airtime_percent": 10.0},
        ),  # cleared, or restarted
        (
            (9_900, 990, None, None),
            (9_950, 995, None, None),
            {"airtime_percent": 10.0},
        ),  # cleared at each reading
        ((140, 2, None, None), (140, 2, None, None), {}),  # stands still since a scan
        ((6000, 600, None, None), (6000, 600, None, None), {}),  # hostapd has read nothing new
        ((140, 2, None, None), (150, 2, None, None), {}),  # nearly so
        ((10**9, 10**8, None, None), (10**9 + 100, 10**8 + 90, None, None), {}),
        ((1000, 100, None, None), (11_000, 100 + 2**64, None, None), {}),
        ((1000, 2000, None, None), (11_000, 1000, None, None), {}),  # busy went back
        ((1000, 100, None, None), (11_000, 10_350, None, None), {"airtime_percent": 100.0}),
        ((1000, 100, None, None), (11_000, 20_000, None, None), {}),  # busier than active
    ],
)
def test_airtime_between_two_readings_10_s_apart(before, now, expected):
    airtime = Airtime()
    assert airtime.take(0, before) == {}
    assert airtime.take(10_000, now) == expected


def entries(text: bytes, size: int) -> tuple[list[tuple[str | None, dict[str, Any]]], Pieces]:
    found: list[tuple[str | None, dict[str, Any]]] = []
    pieces = Pieces(lambda key, item: found.append((key, item)))
    for at in range(0, len(text), size):
        pieces.feed(text[at : at + size])
    pieces.finish()
    return found, pieces


@pytest.mark.parametrize("size", [1, 2, 7, 100, 100_000])
@pytest.mark.parametrize(
    ("case", "name", "part"),
    [
        ("openwrt-23.05-hidden-and-idle", "hostapd.phy1-ap0.get_clients", "clients"),
        ("openwrt-23.05-hidden-and-idle", "hostapd.phy1-ap1.get_clients", "clients"),
        ("openwrt-21.02-mt76", "hostapd.wlan0.get_clients", "clients"),
        ("openwrt-19.07-ath9k", "iwinfo.assoclist.wlan0", "results"),
        ("openwrt-19.07-ath9k", "iwinfo.survey.wlan0", "results"),
    ],
)
def test_a_list_in_parts_is_the_list(case, name, part, size):
    with open(f"{FOLDER}/wifi/{case}/first/{name}.json", "rb") as file:  # noqa: PTH123 - the runner's folder is text
        text = file.read()
    whole_list = json.loads(text)[part]
    found, pieces = entries(text, size)
    expected = (
        list(whole_list.items()) if isinstance(whole_list, dict) else [(None, item) for item in whole_list]
    )
    assert found == expected
    assert pieces.bad == 0
    assert entries(json.dumps(json.loads(text)).encode(), size)[0] == expected


@pytest.mark.parametrize("text", [b"[]", b"x", b"{", b"3", b'{"clients": {', b"\xff"])
def test_what_is_no_answer_is_garbage(text):
    with pytest.raises(ReaderError) as raised:
        entries(text, 10)
    assert raised.value.reason == "garbage"


def test_an_entry_without_end_is_garbage():
    with pytest.raises(ReaderError) as raised:
        entries(b'{\n\t"clients": {\n\t\t"' + b"x" * (MOST_PIECE + 1), 1000)
    assert raised.value.reason == "garbage"


def test_nesting_without_end_costs_one_entry():
    deep = b"[" * 5000
    text = (
        b'{\n\t"clients": {\n\t\t"a": {\n\t\t\t"x": '
        + deep
        + b'\n\t\t},\n\t\t"b": {\n\t\t\t"y": 1\n\t\t}\n\t}\n}'
    )
    found, pieces = entries(text, 1000)
    assert found == [("b", {"y": 1})]
    assert pieces.bad == 1


@given(st.binary(max_size=200), st.integers(1, 50))
def test_no_bytes_break_the_cutting(data, size):
    try:
        entries(b'{\n\t"clients": {' + data, size)
    except ReaderError:
        return
