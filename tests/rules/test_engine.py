"""The whole engine: pure, repeatable, and without a crash whatever comes."""

from __future__ import annotations

import copy
import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.model import Arrival, Born, Change, Died, Readings, Rows, Transition
from collector.rules import catalogue, engine
from collector.rules.board import Memory
from collector.rules.site import DeviceFacts, SiteFacts
from tests.rules.timeline import CARRIED, PAIR, T0, Timeline, ups

LIMITS = catalogue.resolve()
DEVICES = st.sampled_from(["a", "b", "stranger"])
TIMES = st.integers(0, 3_600_000).map(lambda offset: T0 + offset)
FLAG = st.sampled_from([0, 1, None])
NUMBER = st.one_of(st.none(), st.floats(-1e6, 1e6), st.integers(-(2**62), 2**62), st.text(max_size=3))
FIELDS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        (
            "ol",
            "ob",
            "lb",
            "rb",
            "cal",
            "data_stale",
            "reader_ok",
            "up",
            "carrier",
            "trim",
            "over",
            "open",
            "cold",
            "undervoltage",
        ),
        FLAG,
    )
    | dict.fromkeys(
        (
            "input_voltage",
            "age_input_ms",
            "battery_charge_percent",
            "battery_runtime",
            "load_percent",
            "voltage",
            "current",
            "leg",
            "number_transfers",
            "last_transfer",
            "input_frequency",
            "internal_temp",
        ),
        NUMBER,
    ),
)
READINGS = st.builds(
    Readings,
    DEVICES,
    TIMES,
    st.sampled_from(
        ["upsd", "upsd", "agent", "wan", "net", "ping", "system", "mains", "tamper", "pi_power", "restart"]
    ),
    st.sampled_from([None, "u", "ups", "eth0", "indoor-1", "indoor-2"]),
    FIELDS,
    st.booleans(),
)
HELLO = st.sampled_from(
    [{}, {"intervals": {"frame": 10_000}}, {"intervals": 5}, {"intervals": {"frame": "x"}}]
)
SPEECH = st.one_of(
    st.builds(Arrival, DEVICES, TIMES),
    st.builds(Born, DEVICES, TIMES, st.sampled_from(["k1", "k2"]), HELLO),
    st.builds(Died, DEVICES, TIMES, st.booleans()),
)
STEPS = st.lists(
    st.tuples(st.lists(st.one_of(SPEECH, READINGS), max_size=5), st.integers(0, 200_000)), max_size=12
)


@given(STEPS)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_comes_conditions_and_transitions_agree(steps):
    state: Memory = {}
    opened: set[str] = set()
    now = T0
    for observations, wait in steps:
        now += wait
        kept = copy.deepcopy(state)
        after, said = engine.step(state, PAIR, observations, now, LIMITS)
        assert state == kept
        state = json.loads(json.dumps(after))
        for transition in said:
            key = f"{transition.condition}|{transition.subject}"
            if transition.change == Change.RAISED:
                assert key not in opened
                opened.add(key)
            else:
                assert key in opened
                opened -= {key} if transition.change == Change.CLEARED else set()
            assert transition.condition in catalogue.CONDITIONS
        held = {key for key, entry in state["conditions"].items() if entry["phase"] in {"raised", "falling"}}
        assert held == opened
        assert state["status"]["value"] in {"waiting", "ok", "degraded", "dark", "hazard"}


TABLES = {
    "upsd": ("u", ["ol", "ob", "input_voltage", "number_transfers"]),
    "wan": ("eth0", ["up"]),
    "net": ("eth0", ["carrier", "bytes_recv"]),
    "ping": ("indoor-1", ["percent_packet_loss", "result_code"]),
    "system": (None, ["uptime"]),
    "tamper": ("u", ["open"]),
}


@st.composite
def rows(draw):
    """A table of up to three rows."""
    measurement = draw(st.sampled_from(sorted(TABLES)))
    instance, names = TABLES[measurement]
    value = st.one_of(FLAG, FLAG, st.sampled_from([100, 127.0, 0.0]))
    taken = draw(st.lists(st.tuples(TIMES, *[value] * len(names)), min_size=1, max_size=3))
    times_ms, values = [row[0] for row in taken], [[0, *row[1:]] for row in taken]
    return Rows(draw(DEVICES), times_ms, measurement, instance, tuple(names), values, draw(st.booleans()))


@given(
    st.lists(st.tuples(st.lists(st.one_of(SPEECH, rows()), max_size=6), st.integers(0, 200_000)), max_size=12)
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_table_changes_what_its_rows_change_one_by_one(steps):
    state: Memory = {}
    now = T0
    for observations, wait in steps:
        now += wait
        single = [
            row for item in observations for row in (item.readings() if isinstance(item, Rows) else [item])
        ]
        expected = engine.step(state, PAIR, single, now, LIMITS)
        found = engine.step(state, PAIR, observations, now, LIMITS)
        assert found == expected
        assert json.dumps(found[0]) == json.dumps(expected[0])  # the order of its keys too
        state = found[0]


def test_a_replay_says_the_same():
    day = Timeline(CARRIED).born(0).keep(60, "OL").ups(63, "OB", input_voltage=0.0, age_input_ms=0)
    day.keep(120, "OB LB").died(121).at(300).born(400, boot="k2").at(401, ups(130, "OB", current=False)).keep(
        500, "OL"
    )
    again: list[Transition] = []
    state: Memory = {}
    for observations, now_ms in day.steps:
        state, said = engine.step(state, CARRIED, observations, now_ms, LIMITS)
        again += said
    assert again == [said for _, said in day.log]
    assert state == day.state
    assert [(said.condition, said.change.value) for said in again] == [
        ("supply_lost", "raised"),
        ("battery_low", "raised"),
        ("outage", "raised"),
        ("outage", "revised"),  # it speaks again
        ("supply_lost", "cleared"),
        ("battery_low", "cleared"),
        ("outage", "revised"),  # and has told its story
        ("outage", "cleared"),
    ]


def test_a_tick_without_news_changes_nothing():
    day = Timeline(CARRIED).born(0).keep(60, "OB")
    state, said = engine.step(day.state, CARRIED, (), T0 + 61_000, LIMITS)
    assert (state, said) == (day.state, [])


def test_feeds_are_followed_through_network_cables():
    site = SiteFacts(
        "casa",
        devices=(
            DeviceFacts("switch", feed="ups:u"),
            DeviceFacts("ap", feed="poe:switch"),
            DeviceFacts("x", feed="poe:y"),
            DeviceFacts("y", feed="poe:x"),
        ),
    )
    feeds = ["mains", "ups:u", "poe:switch", "poe:ap", "poe:x", "poe:gone", "solar", None]
    assert [site.carried(feed) for feed in feeds] == [False, True, True, True, None, None, None, None]
