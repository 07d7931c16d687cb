"""From a run's record to what is scored."""

from __future__ import annotations

from dataclasses import replace

from collector.model import Cause
from simulators.evaluate.say import sayings
from simulators.evaluate.say import told as notified
from simulators.evaluate.score import What
from simulators.scenario import load
from simulators.truth import outages
from simulators.virtual.record import Record, Step, Told
from tests.truth.test_outages import HEAD, bare, event

SITE = Cause.MAINS_SITE


def step(at: float, kind: str, cause: Cause | None = SITE, *, final: bool = False) -> Step:
    return Step(at, at - 2, kind, cause, final, 0.9, (), "")


def told(
    *steps: Step, condition: str = "outage", subject: str = "", notified: tuple[float, ...] = ()
) -> Told:
    return Told("a", condition, subject, "critical", steps[0].since_s, steps[0].at_s, None, steps, notified)


def test_an_incident_that_was_reopened_says_two_things_and_each_has_its_own_notification() -> None:
    one = told(
        step(100, "opened"), step(400, "cleared", final=True), step(900, "reopened", Cause.DEVICE),
        notified=(960.0,),
    )  # fmt: skip

    first, second = sayings(Record("r", [one]))

    assert (first.started_s, first.ended_s, first.final(), first.notified) == (98, 398, SITE, False)
    assert (second.opened_s, second.ended_s, second.final(), second.notified) == (900, None, None, True)


def test_two_upses_that_lose_one_supply_say_one_thing_which_is_final_when_it_clears() -> None:
    one = told(step(100, "opened"), step(400, "cleared"), condition="supply_lost", subject="a/x")
    two = told(step(103, "opened"), step(410, "cleared"), condition="supply_lost", subject="a/y")

    (said,) = sayings(Record("r", [one, two]))

    assert (said.what, said.started_s, said.opened_s, said.ended_s) == (What.MAINS, 98, 100, 408)
    last = said.words[-1]
    assert (last.at_s, last.cause, last.final) == (410, SITE, True)


def test_an_outage_that_only_cleared_is_not_final() -> None:
    (said,) = sayings(Record("r", [told(step(100, "opened"), step(400, "cleared"))]))

    assert (said.provisional(), said.final()) == (SITE, None)


def test_conditions_that_are_no_outage_say_nothing_of_one() -> None:
    assert sayings(Record("r", [told(step(100, "opened", None), condition="on_battery")])) == ()


def test_what_follows_a_clearing_belongs_to_nothing() -> None:
    """A member leaves its area after it cleared."""
    one = told(step(100, "opened"), step(400, "cleared"), step(401, "left", None), condition="supply_lost")

    (said,) = sayings(Record("r", [one]))
    assert (said.ended_s, said.final()) == (398, SITE)


def test_an_area_says_nothing_beside_its_members() -> None:
    assert sayings(Record("r", [told(step(100, "opened"), condition="area")])) == ()


WORLD = load.parse(HEAD + bare("a") + bare("b") + event(100, 60, "tamper_open", 'device = "a-router"'))


def notices(*incidents: Told) -> list[tuple[str, str, bool]]:
    found = notified(WORLD, outages.of_scenario(WORLD), Record("r", [*incidents]))
    return [(one.site, one.condition, one.true) for one in found]


def opened(site: str, condition: str, *, area: int | None = None) -> Told:
    """An incident at 110 s, told of a minute later, by itself or by an area's alert."""
    through = () if area is None else ((area, 170.0),)
    one = told(step(110, "opened"), condition=condition, notified=(170.0,))
    return replace(one, site=site, through=through)


def test_each_alert_of_its_own_is_right_or_not() -> None:
    own = notices(opened("a", "tamper"), opened("b", "tamper"))
    assert own == [("a", "tamper", True), ("b", "tamper", False)]


def test_the_alert_of_an_area_is_one_and_right_if_anything_was_that_it_told_of() -> None:
    here, there = opened("a", "tamper", area=7), opened("b", "tamper", area=7)
    assert notices(there, here) == [("a", "tamper", True)]
    assert notices(there, opened("b", "overload", area=7)) == [("b", "tamper", False)]
    assert notices(there, opened("b", "tamper", area=8)) == [("b", "tamper", False)] * 2


def test_an_area_s_alert_with_outages_is_judged_by_these() -> None:
    assert notices(opened("b", "tamper", area=7), opened("a", "outage", area=7)) == []
