from __future__ import annotations

from simulators.demo import layout
from simulators.scenario.model import Constants, DevicePart, SitePart, UpsPart
from simulators.world import people
from simulators.world.line_interactive import Source
from simulators.world.world import World

HOUR = 3_600_000
MONDAY = 1_772_431_200_000  # local midnight, see test_mains
NOON = MONDAY + 12 * HOUR
MARKET = SitePart(
    id="a",
    kind="market",
    ups=(UpsPart(id="ups"),),
    device=(DevicePart(id="a-router", kind="router", feed="ups:ups"), DevicePart(id="a-pi", kind="pi")),
)


def small(seed=1):
    return World([MARKET], seed=seed, start_ms=NOON, constants=Constants(ups_values_s=2.0, usb_drops=0.0))


def picture(world, times):
    seen = []
    for t in times:
        place = world["a"]
        place.advance(t)
        supply = place.supply
        seen.append((t, supply.volts(1, t), supply.clients(t), place.picture(place.site.ups[0])))
    return seen


def test_the_same_seed_gives_the_same_world():
    times = range(NOON, NOON + 60_000, 1_000)

    assert picture(small(), times) == picture(small(), times)
    assert picture(small(1), times) != picture(small(2), times)


def test_what_begins_and_ends_while_the_world_runs():
    world = small()
    place = world["a"]
    place.advance(NOON + 9_000)
    event = world.begin("mains_off", "a", NOON + 10_000)

    place.advance(NOON + 12_000)
    assert not place.powered("mains:1")
    assert place.powered("ups:ups")
    assert not place.way("a-pi").up
    shown = place.picture(place.site.ups[0])
    assert (shown.source, shown.input_v) == (Source.BATTERY, 0.0)

    world.end(event, NOON + 20_000)
    place.advance(NOON + 24_000)
    assert place.powered("mains:1")
    assert place.picture(place.site.ups[0]).source is Source.LINE


def test_parameters_of_what_begins():
    world = small()
    place = world["a"]
    before = place.supply.volts(1, NOON + 1_000)
    world.begin("sag", "a", NOON + 1_000, pu=0.8)
    world.begin("swell", "a", NOON + 1_000, pu=1.1)

    share = place.supply.steady_pu(NOON + 1_000) / small()["a"].supply.steady_pu(NOON + 1_000)
    assert round(share, 9) == 0.88
    assert place.supply.volts(1, NOON + 1_000) < before


def test_a_ups_that_finds_its_battery_bad_says_so_until_it_has_another():
    place = small()["a"]
    [ups] = place.site.ups
    assert not place.picture(ups).replace
    place.upses["ups"].worn = True
    assert place.picture(ups).replace
    place.upses["ups"].worn = False
    assert not place.picture(ups).replace


def test_people_come_by_day_and_by_kind():
    def mean(kind, start):
        return sum(people.clients(1, "a", kind, start + t) for t in range(0, HOUR, 60_000)) / 60

    assert mean("administration", MONDAY + 10 * HOUR) > 30
    assert mean("administration", MONDAY + 3 * HOUR) == 0
    saturday = MONDAY + 5 * 24 * HOUR
    assert mean("administration", saturday + 10 * HOUR) < 5
    assert mean("park", saturday + 16 * HOUR) > mean("park", MONDAY + 16 * HOUR)


def test_the_demonstration_has_power_everywhere():
    world = layout.world(layout.Pace(), seed=40, start_ms=NOON)

    for plan in layout.devices():
        place = world[plan.site]
        assert place.powered(place.site.part(plan.name).feed), plan.name
        assert place.way(plan.name).up
