"""What simulated readers say is what the wire contract's register allows."""

from __future__ import annotations

import asyncio

import pytest

from agent.wire import fields
from simulators import readers
from simulators.clock import DeviceClock
from simulators.instruments.base import Intervals
from simulators.world.events import Kind
from simulators.world.facility import FacilityPlan
from simulators.world.ups import UpsModel
from simulators.world.world import World

NOON = 1_772_431_200_000 + 12 * 3_600_000
TYPES: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "str": (str,)}
INTERVALS = Intervals(10_000, 2_000)


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
    plan = FacilityPlan("a", "market", ups=UpsModel(values_ms=2_000))
    return World([plan], seed=3, start_ms=NOON)


def everything(world, moment):
    place = world["a"]
    return [
        readers.UpsReader(place, "ups", INTERVALS, moment),
        readers.NetReader(place, INTERVALS, moment),
        readers.ProbeReader(place, INTERVALS, moment),
        readers.WifiReader(place, INTERVALS, moment),
        readers.HostReader(place, INTERVALS, DeviceClock(), moment),
    ]


def read(reader):
    return asyncio.run(reader.read())


@pytest.mark.parametrize("trouble", [None, *Kind])
def test_every_field_is_in_the_register_and_legal(world, moment, trouble):
    if trouble is not None:
        world.begin(trouble, "a", NOON, pu=0.6)
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
    names = [reader.name for reader in everything(world, moment)]

    assert names == ["ups", "interfaces", "probes", "wifi", "host"]
    for reader in everything(world, moment):
        assert reader.interval_ms == 10_000
        assert reader.watch_ms in {0, 2_000}
        assert bool(reader.watched) == bool(reader.watch_ms)


def test_the_ups_on_battery(world, moment):
    reader = readers.UpsReader(world["a"], "ups", INTERVALS, moment)
    world.begin(Kind.MAINS_OFF, "a", NOON + 10_000)
    moment.ms = NOON + 15_000
    [(measurement, instance, row)] = read(reader)

    assert (measurement, instance) == ("upsd", "ups")
    assert (row["ol"], row["ob"], row["dischrg"], row["chrg"]) == (0, 1, 1, 0)
    assert row["input_voltage"] == 0.0
    assert row["battery_charge_percent"] < 100.0
    # the driver looks every 2 s of the clock: last at NOON + 14 s
    assert (row["age_input_ms"], row["age_status_ms"]) == (1_000, 1_000)


def test_a_dead_line_has_no_times(world, moment):
    reader = readers.ProbeReader(world["a"], INTERVALS, moment)
    [(_, _, alive)] = read(reader)
    world.begin(Kind.BACKHAUL_DOWN, "a", NOON)
    [(_, _, dead)] = read(reader)

    assert (alive["result_code"], alive["percent_packet_loss"]) == (0, 0.0)
    assert alive["minimum_response_ms"] < alive["average_response_ms"] < alive["maximum_response_ms"]
    assert dead == {"percent_packet_loss": 100.0, "result_code": 2}
