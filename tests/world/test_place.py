"""A site from turn to turn: what feeds what, what falls when, what comes back."""

from __future__ import annotations

import pytest

from simulators.scenario import load
from simulators.scenario.model import ScopePart
from simulators.world import happenings
from simulators.world.happenings import Happening
from simulators.world.line_interactive import Source
from simulators.world.machine import State
from simulators.world.place import Place

BUILT = """\
[scenario]
name = "one library"
start = "2026-03-02T10:00:00-06:00"
warmup_s = 0
duration_s = 40000
[world]
boot_s = 50
modem_boot_s = 90
usb_drops = {usb_drops}
[[circuit]]
id = "feeder"
[[provider]]
id = "cable"
[[site]]
id = "library"
circuit = "feeder"
provider = "cable"
service = "2f3h"
[[site.ups]]
id = "rack"
leg = 2
[[site.device]]
id = "modem"
kind = "modem"
feed = "{modem}"
[[site.device]]
id = "router"
kind = "router"
feed = "ups:rack"
uplink = "modem"
[[site.device]]
id = "ap"
kind = "ap"
feed = "poe:router"
uplink = "router"
[[site.device]]
id = "desk"
kind = "pi"
feed = "mains:1"
uplink = "router"
"""
EVENT = '[[event]]\nat_s = {at}\nfor_s = {lasts}\nkind = "{kind}"\nscope = {{ {scope} }}\n{more}\n'
AREA = 'circuit = "feeder"'
SITE = 'site = "library"'


def event(at: float, lasts: float, kind: str, scope: str = SITE, more: str = "") -> str:
    return EVENT.format(at=at, lasts=lasts, kind=kind, scope=scope, more=more)


class Story:
    """A site, told by the second."""

    def __init__(self, *events: str, modem: str = "ups:rack", usb_drops: float = 0.0) -> None:
        built = BUILT.replace("{modem}", modem).replace("{usb_drops}", str(usb_drops))
        self.scenario = load.parse(built + "".join(events))
        self.zero_ms = happenings.start_ms(self.scenario)
        schedule = happenings.of_scenario(self.scenario)
        self.place = Place(self.scenario.site[0], self.scenario.world, 1, schedule, self.zero_ms)

    def at(self, second: float) -> Place:
        self.place.advance(self.zero_ms + round(second * 1000))
        return self.place

    def states(self, second: float) -> dict[str, State]:
        return {name: machine.state for name, machine in self.at(second).machines.items()}


def test_without_mains_what_the_ups_carries_goes_on_and_the_rest_falls_at_once() -> None:
    story = Story(event(100, 600, "mains_off", AREA))

    place = story.at(101)
    assert place.upses["rack"].source is Source.BATTERY
    assert story.states(101) == {"modem": State.UP, "router": State.UP, "ap": State.UP, "desk": State.OFF}
    assert place.way("router").up
    assert not place.way("desk").up


def test_a_modem_on_mains_makes_a_loss_of_mains_look_like_a_lost_line() -> None:
    story = Story(event(100, 600, "mains_off", AREA), modem="mains:1")

    place = story.at(101)
    assert place.machines["router"].state is State.UP
    assert not place.way("router").up
    assert not place.linked(place.machines["router"].part)
    assert story.states(100 + 600 + 89)["modem"] is State.BOOTING
    assert story.at(100 + 600 + 91).way("router").up


def test_the_battery_dies_when_its_energy_is_spent_and_everything_boots_with_the_mains() -> None:
    # 4 + 11 + 9 + 8 = 32 W of the UPS: 84 Wh * 0.85 / 32 W = 8,032.5 s
    story = Story(event(100, 9000, "mains_off", AREA))

    assert story.states(100 + 8031)["router"] is State.UP
    assert story.states(100 + 8034)["router"] is State.OFF
    assert story.states(100 + 8034)["ap"] is State.OFF
    assert story.states(9101)["router"] is State.BOOTING
    # the access point gets its power from the router's port as soon as that has a link
    assert story.states(9152)["router"] is State.UP
    place = story.at(9200)
    assert (place.machines["router"].boots, place.machines["router"].cold) == (2, True)
    assert place.machines["desk"].boots == 2


def test_a_flicker_shorter_than_the_hold_up_is_not_noticed_by_a_machine() -> None:
    short = Story(event(100, 0.015, "mains_off", AREA)).at(200)
    long = Story(event(100, 0.025, "mains_off", AREA)).at(200)

    assert short.machines["desk"].boots == 1
    assert long.machines["desk"].boots == 2
    assert short.upses["rack"].transfers == long.upses["rack"].transfers == 1


def test_one_leg_falls_with_its_breaker_alone() -> None:
    story = Story(event(100, 600, "breaker_trip", SITE, "leg = 1"))

    assert story.states(101)["desk"] is State.OFF
    assert story.at(101).upses["rack"].source is Source.LINE


def test_a_pulled_plug_is_no_loss_of_mains() -> None:
    story = Story(event(100, 600, "ups_unplugged"))

    place = story.at(160)
    assert place.upses["rack"].source is Source.BATTERY
    assert place.machines["desk"].state is State.UP
    assert place.picture(place.site.ups[0]).input_v == 0.0
    assert place.supply.volts(2, place.t_ms) > 115


@pytest.mark.parametrize(
    ("kind", "cold", "unit"),
    [("device_reboot", False, 1), ("upgrade", False, 1), ("device_removed", True, 2)],
)
def test_who_comes_back_from_being_away(kind: str, cold: bool, unit: int) -> None:  # noqa: FBT001
    story = Story(event(100, 60, kind, 'device = "router"'))

    assert story.states(101)["router"] in {State.AWAY, State.GONE}
    assert not story.at(101).way("desk").up
    router = story.at(400).machines["router"]
    assert (router.state, router.boots, router.cold, router.unit) == (State.UP, 2, cold, unit)
    assert story.at(400).machines["desk"].boots == 1


def test_an_event_of_devices_at_a_site_means_those_with_an_agent() -> None:
    states = Story(event(100, 60, "device_reboot")).states(101)

    # the access point hangs on the router's power and falls with it
    assert states == {"modem": State.UP, "router": State.AWAY, "ap": State.OFF, "desk": State.AWAY}


def test_a_hung_router_passes_nothing_and_goes_on_without_a_restart() -> None:
    story = Story(event(100, 60, "device_hang", 'device = "router"'))

    assert not story.at(101).way("desk").up
    place = story.at(161)
    assert place.way("desk").up
    assert place.machines["router"].boots == 1


def test_the_providers_fault_leaves_the_link_to_the_modem_up() -> None:
    place = Story(event(100, 60, "backhaul_down", 'provider = "cable"')).at(101)

    assert not place.way("router").up
    assert place.linked(place.machines["router"].part)


def test_a_slow_line_loses_and_delays() -> None:
    place = Story(event(100, 60, "backhaul_degraded", SITE, "loss = 0.5\nlatency_ms = 100")).at(101)

    assert place.way("router").up
    assert (place.way("router").loss, place.way("router").delay_ms) == (0.5, 140.0)


def test_a_flapping_supply_boots_a_machine_once_per_period() -> None:
    story = Story(event(100, 600, "mains_flapping", AREA, "period_s = 200\nduty = 0.25"))

    assert [story.states(second)["desk"] for second in (120, 155, 250, 320)] == [
        State.OFF, State.BOOTING, State.UP, State.OFF,
    ]  # fmt: skip
    assert story.at(1000).machines["desk"].boots == 4


def test_when_one_asks_does_not_change_what_happens() -> None:
    events = event(100, 9000, "mains_off", AREA), event(12000, 300, "mains_flapping", AREA)
    rare, often = Story(*events), Story(*events)
    for second in range(0, 13000, 7):
        often.at(second)

    for story in (rare, often):
        story.at(13000)
    assert rare.states(13000) == often.states(13000)
    assert rare.place.upses["rack"].transfers == often.place.upses["rack"].transfers
    now = rare.place.t_ms
    assert rare.place.upses["rack"].energy_wh(now) == pytest.approx(often.place.upses["rack"].energy_wh(now))


def test_between_turns_nothing_is_computed_whatever_holds() -> None:
    story = Story(event(100, 3000, "device_removed", 'device = "desk"'), event(200, 2000, "mains_off", AREA))

    at_s = 90.0
    turns: list[float] = []
    while at_s < 3200 and len(turns) < 100:
        story.at(at_s)
        at_s = (story.place.next_turn_ms() - story.zero_ms) / 1000.0
        turns.append(at_s)
    away_from_noise = [turn for turn in turns if 205 < turn < 2195]
    assert away_from_noise == [
        300,
        600,
        900,
        1200,
        1500,
        1800,
        2100,
    ]  # every 5 minutes, for the hour's voltage


def test_an_event_that_somebody_adds_counts_from_its_beginning() -> None:
    story = Story()
    place = story.at(50)
    assert place.way("router").up

    begun = Happening("backhaul_down", ScopePart(provider="cable"), story.zero_ms + 50_000)
    number = place.view.schedule.add(begun)
    assert not place.way("router").up
    assert not story.at(51).way("router").up

    place.view.schedule.end(number, story.zero_ms + 52_000)
    assert not place.way("router").up
    assert story.at(52).way("router").up
    assert place.way_since_ms("router") == story.zero_ms + 52_000


def test_usb_drops_as_the_ups_leaves_the_line_and_is_back_with_it() -> None:
    story = Story(event(100, 600, "mains_off", AREA), usb_drops=1.0)
    rack = story.place.site.ups[0]

    contact = {second: story.at(second).contact(rack) for second in (99, 100, 400, 702, 704)}
    # the line feeds the load again when it was good for 3 s
    assert contact == {99: True, 100: False, 400: False, 702: False, 704: True}


def test_usb_drops_as_often_as_the_scenario_says() -> None:
    # 200 losses of mains of 10 s, a minute apart: 0.3 of 200, three standard deviations of 6.5
    flapping = event(100, 200 * 60, "mains_flapping", AREA, f"duty = {10 / 60}")
    story = Story(flapping, usb_drops=0.3)
    rack = story.place.site.ups[0]

    dropped = sum(not story.at(105 + 60 * number).contact(rack) for number in range(200))
    assert dropped == pytest.approx(60, abs=20)
    assert story.place.upses["rack"].transfers == 200
