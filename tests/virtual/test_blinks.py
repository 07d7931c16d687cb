"""Who is called for a device that starts anew on the mains, by the whole chain from agent to message."""

from __future__ import annotations

import pytest

from simulators.scenario import load
from simulators.virtual import run as virtual

WORLD = """
[scenario]
name = "blinks"
seed = 7
start = "2026-03-23T03:00:00-06:00"
warmup_s = 600
duration_s = 1500
settle_s = 300
[[circuit]]
id = "feeder-1"
[[provider]]
id = "cable"
[[site]]
id = "casa"
lat = 19.39
lon = -99.19
circuit = "feeder-1"
provider = "cable"
[[site.ups]]
id = "rack"
[[site.device]]
id = "casa-modem"
kind = "modem"
feed = "ups:rack"
[[site.device]]
id = "casa-router"
kind = "router"
feed = "ups:rack"
uplink = "casa-modem"
[[site.device]]
id = "casa-pi"
kind = "pi"
feed = "mains:1"
uplink = "casa-router"
"""
FIRST_S = 300


def blink(after_s: float, for_s: float) -> str:
    event = 'kind = "mains_off"\nscope = { site = "casa" }\n'
    return f"[[event]]\nat_s = {FIRST_S + after_s}\nfor_s = {for_s}\n{event}"


def called(*events: str) -> list[float]:
    """Return when somebody was called for the silent device, and that its silence was seen at all."""
    record = virtual.run(load.parse(WORLD + "".join(events)))
    (silent,) = [one for one in record.incidents if one.condition == "device_silent"]
    return [at_s - FIRST_S for at_s in silent.notified_s]


@pytest.mark.parametrize("second_s", [40, 52, 55])
def test_nobody_is_called_for_a_device_that_two_blinks_start_twice(second_s: int) -> None:
    assert called(blink(0, 5), blink(second_s, 1)) == []


def test_a_device_that_does_not_come_back_is_told_of_soon() -> None:
    hang = 'kind = "device_hang"\nscope = { device = "casa-pi" }\n'
    (at_s,) = called(f"[[event]]\nat_s = {FIRST_S}\nfor_s = 1100\n{hang}")
    assert 120 <= at_s <= 210
