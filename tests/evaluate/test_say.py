"""From a run's record to what is scored."""

from __future__ import annotations

from collector.model import Cause
from simulators.evaluate.say import sayings
from simulators.evaluate.score import What
from simulators.virtual.record import Record, Step, Told

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
