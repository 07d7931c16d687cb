from __future__ import annotations

from simulators.demo import layout
from simulators.world import people
from simulators.world.counters import Router
from simulators.world.events import Kind
from simulators.world.facility import FacilityPlan
from simulators.world.ups import Source, UpsModel
from simulators.world.world import World

HOUR = 3_600_000
MONDAY = 1_772_431_200_000  # local midnight, see test_mains
NOON = MONDAY + 12 * HOUR


def small(seed=1):
    plan = FacilityPlan("a", "market", "c1", "p1", ups=UpsModel(values_ms=2_000))
    return World([plan], seed=seed, start_ms=NOON)


def picture(world, times):
    seen = []
    for t in times:
        place = world["a"]
        place.advance(t)
        seen.append((t, place.mains_v(t), place.clients(t), place.router.wan.bytes_recv, place.ups.values))
    return seen


def test_the_same_seed_gives_the_same_world():
    times = range(NOON, NOON + 60_000, 1_000)

    assert picture(small(), times) == picture(small(), times)
    assert picture(small(1), times) != picture(small(2), times)


def test_who_asks_when_changes_nothing():
    often, once = small(), small()
    picture(often, range(NOON, NOON + 60_000, 333))

    assert picture(often, [NOON + 60_000]) == picture(once, [NOON + 60_000])


def test_mains_off_reaches_the_ups_and_what_hangs_on_it():
    world = small()
    place = world["a"]
    event = world.begin(Kind.MAINS_OFF, "a", NOON + 10_000)

    assert place.powered("mains", NOON + 9_000)
    assert not place.powered("mains", NOON + 10_000)
    assert place.powered("ups:ups", NOON + 12_000)
    assert place.ups.status.source == Source.BATTERY
    assert place.ups.values.input_v == 0.0

    world.end(event, NOON + 20_000)
    assert place.powered("mains", NOON + 20_000)
    place.advance(NOON + 24_000)
    assert place.ups.status.source == Source.LINE


def test_the_backhaul_stops_the_wan_only():
    world = small()
    place = world["a"]
    world.begin(Kind.BACKHAUL_DOWN, "a", NOON + 10_000)
    place.advance(NOON + 11_000)
    before = (place.router.wan.bytes_recv, place.router.lan.drop_in)
    place.advance(NOON + 20_000)

    assert not place.backhaul(NOON + 20_000)
    assert before[0] == place.router.wan.bytes_recv
    assert before[1] < place.router.lan.drop_in


def test_the_battery_flag_ends_with_its_event():
    world = small()
    place = world["a"]
    event = world.begin(Kind.UPS_BATTERY_WORN, "a", NOON)
    place.advance(NOON + 4_000)
    assert place.ups.status.replace
    world.end(event, NOON + 5_000)
    place.advance(NOON + 8_000)
    assert not place.ups.status.replace


def test_counters_by_hand():
    router = Router.fresh()
    router.advance(2.0, 800.0, backhaul=True)

    # 800 kbit/s for 2 s are 200,000 bytes down, 8 % of it up, in packets of 900
    assert (router.wan.bytes_recv, router.wan.bytes_sent) == (200_000, 16_000)
    assert (router.wan.packets_recv, router.wan.packets_sent) == (223, 18)
    assert (router.lan.bytes_recv, router.lan.bytes_sent) == (16_000, 200_000)


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
        assert world[plan.site].powered(plan.feed, NOON), plan.name
        assert world[plan.site].backhaul(NOON)
