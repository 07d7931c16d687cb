"""What is not evaluated could not have changed anything; and an older memory goes on working."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.model import Arrival, Change
from collector.rules.power import ups as ups_rules
from tests.rules.timeline import CARRIED, Timeline, ms, row, ups

NUMBERS = {
    "input_voltage": st.sampled_from([0.0, 60.0, 113.0, 114.4, 127.0, 139.6, 140.0, 150.0]),
    "age_input_ms": st.sampled_from([0, 5_000, 200_000]),
    "battery_charge_percent": st.sampled_from([50.0, 89.0, 90.0, 100.0]),
    "battery_runtime": st.sampled_from([100.0, 299.0, 300.0, 4_000.0]),
    "load_percent": st.sampled_from([2.0, 50.0, 100.0, 101.0]),
    "internal_temp": st.sampled_from([20.0, 54.9, 55.0]),
    "input_frequency": st.sampled_from([0.0, 58.9, 59.1, 60.0, 61.0]),
    "number_transfers": st.sampled_from([3, 4, 20]),
}
FLAGS = {
    name: st.sampled_from([0, 1]) for name in ("over", "trim", "boost", "wiring_fault", "chrg", "driver_lost")
}
SAMPLE = st.tuples(
    st.sampled_from(["OL", "OL", "OL", "OB", "OL RB", "OB LB", "OB CAL", ""]),
    st.fixed_dictionaries({}, optional=NUMBERS | FLAGS),
    st.sampled_from([2, 10, 10, 31, 400, 4_000]),
)


def played(samples):
    day, now = Timeline(CARRIED).born(0), 0
    for status, fields, wait in samples:
        for _ in range(3):
            now += wait
            day.now = now
            day.step(Arrival("a", ms(now)), ups(now, status, **fields))
    return day


@given(st.lists(SAMPLE, max_size=12))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_looking_at_every_sample_says_the_same(samples):
    usual = played(samples)
    with patch.object(ups_rules, "is_quiet", lambda *_: False):
        thorough = played(samples)
    assert usual.log == thorough.log
    assert usual.state["conditions"] == thorough.state["conditions"]


OLD: dict[str, Any] = {
    "devices": {
        "a": {"voice": "live", "last_ms": ms(0), "frame_ms": 30_000, "kernel_boot": "k1", "story": {}}
    },
    "ups": {
        "a/u": {
            "seen_ms": ms(0), "contact": True, "lost_why": None, "lb": False, "rb": False, "cal": False,
            "charge": 80.0, "runtime_s": 900.0, "load": 40.0, "line": "ob", "ob_since_ms": ms(-60),
            "input_v": 0.0, "input_ms": ms(-1),
        },
        "a/old": {"seen_ms": ms(-9), "contact": False, "lost_ms": ms(-9), "lost_why": "reader"},
    },
    "conditions": {
        "supply_lost|a/u": {
            "phase": "raised", "since_ms": ms(-60), "codes": [], "facts": [], "cause": "mains-site",
            "confidence": 0.9, "final": False,
        }
    },
    "suspects": {}, "outage": None, "status": {"value": "degraded", "since_ms": ms(-60)},
}  # fmt: skip


def test_a_memory_of_the_version_before_goes_on():
    day = Timeline(CARRIED)
    day.state = OLD
    day.ups(10, "OB", input_voltage=0.0, age_input_ms=0)
    day.step(row(10, "mains", "indoor-1", voltage=0.0), row(10, "tamper", "box", open=0))
    day.keep(60, "OL", input_voltage=127.0, age_input_ms=0, battery_charge_percent=80.0)
    assert [(said.condition, said.change) for _, said in day.log] == [("supply_lost", Change.CLEARED)]
    assert day.state["ups"]["a/u"]["outages"] == [80]
    assert day.status == "ok"
