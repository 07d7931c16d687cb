"""What simulated readers say is what the wire contract's register allows."""

from __future__ import annotations

import asyncio

import pytest

from agent.wire import fields
from simulators.clock import DeviceClock
from simulators.instruments import readers_of
from simulators.instruments.base import Intervals
from simulators.scenario.kinds import KINDS, Scope
from simulators.scenario.model import Constants, DevicePart, MeterPart, SitePart, UpsPart
from simulators.world.world import World

NOON = 1_772_431_200_000 + 12 * 3_600_000
TYPES: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "str": (str,)}
INTERVALS = Intervals(10_000, 2_000)
NAMES = ["host", "interfaces", "probes", "tamper", "ups", "wifi", "meters"]
MARKET = SitePart(
    id="a",
    kind="market",
    service="2f3h",
    ups=(UpsPart(id="ups"),),
    meter=(MeterPart(leg=1), MeterPart(leg=2)),
    device=(
        DevicePart(id="a-modem", kind="modem", feed="ups:ups"),
        DevicePart(id="a-router", kind="router", feed="ups:ups", uplink="a-modem"),
    ),
)
LEGGED = {"bad_connection": {"leg": 1}, "clock_wrong": {"offset_s": 60}}


class Moment:
    """A clock that stands where it was put."""

    def __init__(self):
        self.ms = NOON

    def __call__(self):
        return self.ms


@pytest.fixture
def moment():
    return Moment()


@pytest.fixture
def world():
    return World([MARKET], seed=3, start_ms=NOON, constants=Constants(ups_values_s=2.0, usb_drops=0.0))


def everything(world, moment):
    place = world["a"]
    return readers_of(place, place.site.part("a-router"), INTERVALS, moment, DeviceClock().uptime_ms)


def reader(world, moment, name):
    return next(one for one in everything(world, moment) if one.name == name)


def read(reader):
    return asyncio.run(reader.read())


@pytest.mark.parametrize(
    "trouble", [None, *(name for name, kind in KINDS.items() if Scope.SITE in kind.scopes)]
)
def test_every_field_is_in_the_register_and_legal(world, moment, trouble):
    if trouble is not None:
        world.begin(trouble, "a", NOON, **LEGGED.get(trouble, {}))
    moment.ms += 10_000
    for reader in everything(world, moment):
        for measurement, instance, row in read(reader):
            known = fields.MEASUREMENTS[measurement]
            assert (known.tag is None) == (instance is None)
            for name, value in row.items():
                field = known.fields[name]
                assert type(value) in TYPES[field.type], (measurement, name)
                assert field.low is None or value >= field.low, (measurement, name, value)
                assert field.high is None or value <= field.high, (measurement, name, value)


def test_readers_have_the_shape_that_the_agent_wants(world, moment):
    assert [reader.name for reader in everything(world, moment)] == NAMES
    for reader in everything(world, moment):
        assert reader.interval_ms == 10_000
        assert reader.watch_ms in {0, 2_000}
        assert bool(reader.watched) == bool(reader.watch_ms)


def test_the_ups_on_battery(world, moment):
    one = reader(world, moment, "ups")
    world.begin("mains_off", "a", NOON + 10_000)
    moment.ms = NOON + 315_000
    [(measurement, instance, row)] = read(one)

    assert (measurement, instance) == ("upsd", "ups")
    assert (row["ol"], row["ob"], row["dischrg"], row["chrg"]) == (0, 1, 1, 0)
    assert row["input_voltage"] == 0.0
    # 4 + 11 + 9 = 24 W for 304 s at 0.85: 2.38 of 84 Wh
    assert row["battery_charge_percent"] == 97.2
    # the driver looks every 2 s of the clock: last at NOON + 314 s
    assert (row["age_input_ms"], row["age_status_ms"]) == (1_000, 1_000)


def test_a_dead_line_has_no_times(world, moment):
    one = reader(world, moment, "probes")
    [(_, _, alive), (_, _, modem)] = read(one)
    world.begin("backhaul_down", "a", NOON)
    [(_, _, dead), (_, _, modem_still)] = read(one)

    assert (alive["result_code"], alive["percent_packet_loss"]) == (0, 0.0)
    assert alive["minimum_response_ms"] < alive["average_response_ms"] < alive["maximum_response_ms"]
    assert modem == modem_still
    assert dead == {"percent_packet_loss": 100.0, "result_code": 2}


def test_a_ups_that_nobody_can_reach_has_stale_data_after_15_s(world, moment):
    one = reader(world, moment, "ups")
    read(one)
    world.begin("ups_contact_lost", "a", NOON + 1_000)
    said = {}
    for second in (10, 25, 27):
        moment.ms = NOON + second * 1_000
        [(_, _, said[second])] = read(one)

    assert {second: row["data_stale"] for second, row in said.items()} == {10: 0, 25: 0, 27: 1}
    assert "ol" not in said[27]
    # who starts meanwhile has never seen anything of it
    [(_, _, row)] = read(reader(world, moment, "ups"))
    assert row["data_stale"] == 1
