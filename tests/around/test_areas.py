"""Sites that fall together: verdicts that follow the neighbours, one incident, one message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from collector.around import groups, windows
from collector.model import Cause
from collector.storage.state import Area, Fall, Fallen, FellTogether, Incident, IncidentChange, Outbox
from tests.around.town import Town
from tests.rules.timeline import ms

if TYPE_CHECKING:
    from pathlib import Path

GONE = {"input_voltage": 0.0, "age_input_ms": 0}
STREET = {"a": 0, "b": 300, "c": 600}


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path, STREET).born()


def lose(town: Town, *names: str) -> None:
    town.silent.update(names)


def back(town: Town, *names: str) -> None:
    town.silent.difference_update(names)


def test_the_second_premises_that_falls_makes_the_first_ones_verdict_the_area(town):
    town.until(30)
    lose(town, "a")
    town.until(70)
    lose(town, "b")
    town.until(115)
    assert {site: row.cause for site, row in town.incidents().items()} == {"a": "unknown"}

    town.until(160)
    assert {site: row.cause for site, row in town.incidents().items()} == {
        "a": "mains-area", "b": "mains-area",
    }  # fmt: skip


def test_two_that_fall_far_apart_or_at_different_times_stay_what_they_are(tmp_path):
    town = Town(tmp_path, {"a": 0, "b": 30_000}).born().until(30)
    lose(town, "a", "b")
    town.until(140)
    assert {row.cause for row in town.incidents().values()} == {"unknown"}

    (tmp_path / "later").mkdir()
    later = Town(tmp_path / "later", STREET).born().until(30)
    lose(later, "a")
    later.until(400)
    lose(later, "b")
    later.until(520)
    assert {row.cause for row in later.incidents().values()} == {"unknown"}


def test_a_group_makes_neighbours_of_two_that_are_far_apart(tmp_path):
    town = Town(tmp_path, {"a": 0, "b": 30_000, "c": 60_000}).born()
    with Session(town.engine) as session, session.begin():
        groups.add(session, "line-3", ["a", "b"])
    town.until(30)
    lose(town, "a", "b")
    town.until(140)

    assert {row.cause for row in town.incidents().values()} == {"mains-area"}


def test_after_a_restart_the_neighbours_are_still_known(town):
    town.until(30)
    lose(town, "a", "b")
    town.until(130)
    town.restart()
    town.until(300)

    assert {row.cause for row in town.incidents().values()} == {"mains-area"}
    kinds = [kind for (kind,) in _changes(town, "outage") if kind == "opened"]
    assert kinds == ["opened", "opened"]


def _changes(town: Town, condition: str) -> list[tuple[str]]:
    with Session(town.engine) as session:
        query = select(IncidentChange.kind).join(Incident, Incident.id == IncidentChange.incident_id)
        return [(kind,) for kind in session.scalars(query.where(Incident.condition == condition))]


def test_a_storm_is_one_incident_and_one_message_to_the_dispatcher(town):
    town.until(30)
    lose(town, "a", "b")
    town.until(160)

    (area,) = town.incidents("area").values()
    assert (area.cause, area.severity) == (Cause.MAINS_AREA, "critical")
    assert area.facts == [{"code": "area_members", "params": {"count": 2, "names": "A, B"}}]
    assert town.waiting() == [("area", "alert", "desk")]
    assert town.members() == [("a", True, ""), ("b", True, "")]


def test_its_message_waits_no_longer_than_the_first_members_would_have(town):
    town.until(30)
    lose(town, "a")
    town.until(50)
    lose(town, "b")
    town.until(160)

    with Session(town.engine) as session:
        due = {row.incident_id: row.due_ms for row in session.scalars(select(Outbox))}
    first = town.incidents()["a"]
    (area,) = town.incidents("area").values()
    assert due[area.id] == first.opened_ms + 60_000


def test_members_come_and_go_and_the_area_ends_with_the_last(town):
    town.until(30)
    lose(town, "a", "b")
    town.until(130)
    back(town, "a", "b")
    town.until(260)
    (area,) = town.incidents("area").values()

    assert area.cleared_ms is not None
    assert [(site, here) for site, here, _ in town.members()] == [("a", False), ("b", False)]
    assert {reason for _, _, reason in town.members()} == {"back"}
    assert town.waiting() == []  # nobody was told of what ended within the hold-off


def test_who_joins_later_is_not_told_of_apart(town):
    town.until(30)
    lose(town, "a", "b")
    town.until(60)
    lose(town, "c")
    town.until(200)

    assert town.members() == [("a", True, ""), ("b", True, ""), ("c", True, "")]
    assert town.waiting() == [("area", "alert", "desk")]


def test_who_does_not_come_back_with_its_area_is_told_of_to_a_crew(town):
    town.until(30)
    lose(town, *STREET)
    town.until(300)
    back(town, "a", "b")
    town.until(340)
    with Session(town.engine) as session:
        since_ms = session.scalars(select(Area.back_ms)).one()
    assert since_ms is not None
    second = (since_ms - ms(0)) // 1000

    town.until(second + 899)
    assert town.members()[2] == ("c", True, "")
    town.until(second + 940)
    assert town.members()[2][1:] == (False, "left_behind")
    assert ("c", "alert", "crew") in town.waiting()
    assert "did_not_come_back" in {fact["code"] for fact in town.incidents()["c"].facts}
    assert town.incidents("area")["a"].cleared_ms == since_ms


def test_a_member_whose_cause_is_another_one_is_told_of_at_once(tmp_path):
    town = Town(tmp_path, STREET, feed="ups:u").born()
    town.until(30)
    for name in "ab":
        town.ups(name, "OB", **GONE)
    town.until(40)
    assert [site for site, here, _ in town.members() if here] == ["a", "b"]

    with Session(town.engine) as session, session.begin():
        row = session.scalars(
            select(Incident).where(Incident.site_id == "a", Incident.condition == "supply_lost")
        )
        row.one().cause = Cause.MAINS_SITE.value
    town.tick()
    assert ("a", False, "cause") in town.members()
    assert ("a", "alert", "crew") in town.waiting()


def test_what_comes_back_within_half_an_hour_is_the_same_area(town):
    town.until(30)
    lose(town, "a", "b")
    town.until(160)
    back(town, "a", "b")
    town.until(260)
    lose(town, "a", "b")
    town.until(400)

    assert len(town.incidents("area")) == 1
    assert [kind for (kind,) in _changes(town, "area")] == ["opened", "cleared", "reopened"]


def test_a_provider_that_fails_is_one_incident_and_names_the_provider(tmp_path):
    town = Town(tmp_path, {"a": 0, "b": 30_000, "c": 60_000}, feed="ups:u", provider="cable").born()
    for name in "abc":
        town.ups(name, "OL", input_voltage=127.0, age_input_ms=0)
    town.until(30)
    lose(town, *town.names)
    town.until(140)

    assert {row.cause for row in town.incidents().values()} == {"backhaul-provider"}
    assert town.waiting() == [("area", "alert", "desk")]


def test_what_fell_together_is_counted_when_it_is_over_and_once(town):
    for begin in (30, 400):
        town.until(begin)
        lose(town, "a", "b")
        town.until(begin + 120)
        back(town, "a", "b")
        town.until(begin + 200)
    with Session(town.engine) as session:
        pairs = [(row.site_id, row.other_id, row.times) for row in session.scalars(select(FellTogether))]
        times = {row.site_id: row.times for row in session.scalars(select(Fallen))}

    assert pairs == [("a", "b", 2)]
    assert times == {"a": 2, "b": 2}


def test_work_of_our_own_is_recorded_and_told_after_its_end(town):
    with Session(town.engine) as session, session.begin():
        values = {"kind": "maintenance", "from_ms": ms(0), "to_ms": ms(3600), "site_id": "a"}
        windows.add(session, values, "marta", ms(0))
    town.until(30)
    lose(town, "a")
    town.until(140)

    assert town.incidents()["a"].status == "open"
    with Session(town.engine) as session:
        assert session.scalars(select(Outbox.due_ms)).one() == ms(3600)


def test_announced_work_is_planned_and_told_to_nobody(town):
    with Session(town.engine) as session, session.begin():
        values = {"from_ms": ms(0), "to_ms": ms(3600), "lat": 19.36, "lon": -99.2, "radius_m": 400.0}
        windows.add(session, values, "marta", ms(0))
    town.until(30)
    lose(town, *STREET)
    town.until(140)

    assert {site: row.cause for site, row in town.incidents().items()} == {
        "a": "planned", "b": "planned", "c": "mains-area",
    }  # fmt: skip
    assert town.waiting() == [("c", "alert", "desk")]


def questions(town: Town) -> list[str]:
    """The statements that a tick of the next second sends."""
    sent: list[str] = []

    def count(*given: Any) -> None:
        sent.append(given[2])

    town.second += 1
    event.listen(town.engine, "before_cursor_execute", count)
    town.tick()
    event.remove(town.engine, "before_cursor_execute", count)
    return sent


def test_a_tick_asks_the_same_few_questions_however_many_sites_there_are(tmp_path):
    asked = {}
    for count in (6, 40):
        folder = tmp_path / str(count)
        folder.mkdir()
        town = Town(folder, {f"s{number}": 250.0 * number for number in range(count)}).born()
        town.until(30)
        lose(town, *(f"s{number}" for number in range(5)))
        town.until(140)
        # now and then it looks at what changes rarely
        asked[count] = min((questions(town) for _ in range(4)), key=len)
    assert len(asked[40]) == len(asked[6])


def test_a_step_that_was_rolled_back_leaves_no_fall(town):
    town.until(30)
    lose(town, "a")
    town.until(95)
    town.second = 106
    with Session(town.engine) as session:
        town.judge.tick(session, town.names, ms(town.second))
        session.rollback()
    with Session(town.engine) as session:
        assert session.scalars(select(Fall)).all() == []
    town.second += 1
    town.tick()
    with Session(town.engine) as session:
        open_falls = session.scalars(select(Fall.site_id).where(Fall.back_ms.is_(None))).all()
    assert sorted(open_falls) == sorted(town.incidents())
