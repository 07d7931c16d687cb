"""What went dark while nobody listened is written afterwards, with its own times, as the devices tell it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collector.model import Arrival, Cause, Change
from collector.rules.site import Around, DeviceFacts, Neighbours, SiteFacts
from tests.rules.timeline import Timeline, ms, row, ups

RAISED, CLEARED, REVISED = Change.RAISED, Change.CLEARED, Change.REVISED
UPS = SiteFacts("casa", devices=(DeviceFacts("a", feed="ups:u", modem_feed="mains"),))
MAINS = DeviceFacts("a", feed="mains", modem_feed="mains")
TWO = SiteFacts("casa", devices=(MAINS, replace(MAINS, id="b")))
HEARD = 1300  # somebody listens again from here on


def deaf(site: SiteFacts = UPS, *devices: str) -> Timeline:
    """Frames for a minute; then nobody listens for 20 minutes, and no time passes for the rules."""
    day = Timeline(site)
    for name in devices or ("a",):
        day.born(0, name)
    day.keep(60, None, *devices)
    day.now = HEARD
    day.site = replace(site, watched_since_ms=ms(HEARD))
    return day


def samples(first: int, last: int, device: str = "a") -> list[object]:
    return [row(at, "system", None, device, current=False, uptime=at) for at in range(first, last, 30)]


def tell(day: Timeline, *rows: object, boot: str = "k2", device: str = "a") -> Timeline:
    """The device is heard again, with its backlog."""
    day.born(HEARD + 5, device, boot=boot, incarnation=boot.replace("k", "i"))
    return day.at(HEARD + 6, Arrival(device, ms(HEARD + 6)), *rows)  # type: ignore[arg-type] # observations


def test_an_outage_inside_it_has_its_own_times_and_verdict_and_is_found_on_return():
    on_battery = [
        ups(at, "OB", current=False, input_voltage=0.0, age_input_ms=0) for at in range(410, 500, 10)
    ]
    day = tell(deaf(), *samples(70, 500), *on_battery, *samples(1000, HEARD))
    day.keep(HEARD + 300)

    said = day.expect("outage", RAISED, HEARD + 20, HEARD + 70)
    assert (said.at_ms, said.found_on_return, said.reason) == (ms(490), True, "unobserved")
    over = day.expect("outage", CLEARED, HEARD + 100, HEARD + 250)
    assert (over.at_ms, over.cause, over.final) == (ms(1000), Cause.MAINS_SITE, True)
    assert "outage|" not in day.open()


def test_its_neighbours_make_it_the_areas():
    day = tell(deaf(), *samples(70, 500), *samples(1000, HEARD)).keep(HEARD + 60)
    day.site = replace(day.site, neighbours=Around(mains=Neighbours(2, 3, unsupplied=2, fine=1)))
    day.keep(HEARD + 300)
    assert day.expect("outage", CLEARED, HEARD + 100, HEARD + 250).cause == Cause.MAINS_AREA


def test_a_link_that_was_down_is_one_without_a_restart():
    down = [
        row(at, "wan", "eth0", current=False, up=int(not 400 <= at <= 900)) for at in range(70, HEARD, 10)
    ]
    day = tell(deaf(), *samples(70, HEARD), *down, boot="k1").keep(HEARD + 300)
    over = day.expect("outage", CLEARED, HEARD + 100, HEARD + 250)
    assert (over.at_ms, over.cause) == (ms(900), Cause.BACKHAUL_SITE)


@pytest.mark.parametrize(
    ("boot", "rows"),
    [
        pytest.param("k1", samples(70, 500) + samples(1000, HEARD), id="a full spool thinned it"),
        pytest.param("k2", samples(70, HEARD), id="it restarted and lost no minute"),
        pytest.param("k2", samples(70, 500) + samples(540, HEARD), id="shorter than what is noticed"),
    ],
)
def test_what_no_device_vouches_for_is_no_outage(boot, rows):
    tell(deaf(), *rows, boot=boot).keep(HEARD + 300).expect_none("outage")


def test_a_site_of_which_one_machine_ran_on_was_not_dark():
    day = tell(deaf(TWO, "a", "b"), *samples(70, 500), *samples(1000, HEARD))
    day = tell(day, *samples(70, HEARD, "b"), boot="k1", device="b")
    day.keep(HEARD + 300, None, "a", "b").expect_none("outage")


def test_with_somebody_listening_a_late_frame_is_no_story():
    """A gap that the rules let pass (a frame on a slow link) is none of nobody's listening."""
    day = Timeline(UPS).born(0).keep(60)
    day.now = HEARD + 4
    tell(day, *samples(70, 500), *samples(1000, HEARD)).keep(HEARD + 300).expect_none("outage")
