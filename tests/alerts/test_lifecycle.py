"""The lifecycle table, exhaustively, and what it does to incidents and messages."""

from __future__ import annotations

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from collector.alerts import lifecycle
from collector.alerts.lifecycle import ENDED, TABLE, IllegalMoveError, Move, Status, UnknownIncidentError
from collector.model import Cause, Change, Fact, Severity
from collector.storage.state import Incident
from tests.alerts.bench import MINUTE

RAISED, REVISED, CLEARED = Change.RAISED, Change.REVISED, Change.CLEARED
ALERT, UPDATE, RECOVERY = "Aviso", "Novedad", "Recuperado"

EXPECTED = {
    (Status.OPEN, Move.NOTIFIED): Status.NOTIFIED,
    (Status.OPEN, Move.ACKNOWLEDGED): Status.ACKNOWLEDGED,
    (Status.OPEN, Move.STARTED): Status.UNDER_WAY,
    (Status.OPEN, Move.RESOLVED): Status.RESOLVED,
    (Status.OPEN, Move.CLEARED): Status.CLOSED,
    (Status.NOTIFIED, Move.ACKNOWLEDGED): Status.ACKNOWLEDGED,
    (Status.NOTIFIED, Move.STARTED): Status.UNDER_WAY,
    (Status.NOTIFIED, Move.RESOLVED): Status.RESOLVED,
    (Status.NOTIFIED, Move.CLEARED): Status.CLOSED,
    (Status.ACKNOWLEDGED, Move.STARTED): Status.UNDER_WAY,
    (Status.ACKNOWLEDGED, Move.RESOLVED): Status.RESOLVED,
    (Status.ACKNOWLEDGED, Move.CLEARED): Status.CLOSED,
    (Status.UNDER_WAY, Move.RESOLVED): Status.RESOLVED,
    (Status.UNDER_WAY, Move.CONFIRMED): Status.VERIFIED,
    (Status.UNDER_WAY, Move.CLEARED): Status.UNDER_WAY,
    (Status.UNDER_WAY, Move.RELAPSED): Status.UNDER_WAY,
    (Status.RESOLVED, Move.CLEARED): Status.VERIFIED,
    (Status.RESOLVED, Move.UNVERIFIED): Status.OPEN,
    (Status.VERIFIED, Move.RELAPSED): Status.OPEN,
    (Status.CLOSED, Move.RELAPSED): Status.OPEN,
}


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("step", list(Move))
def test_every_move_from_every_status(bench, status, step):
    bench.say(RAISED)
    with Session(bench.engine) as session, session.begin():
        session.execute(update(Incident).values(status=status.value))
        incident = lifecycle.find(session, 1)
        moved = lifecycle.move(session, incident, step)
        after = EXPECTED.get((status, step))
        assert moved == (after is not None)
        assert incident.status == (after or status)


def test_the_table_has_no_other_moves():
    assert {(status, step) for status, row in TABLE.items() for step in row} == set(EXPECTED)
    assert set(TABLE) == set(Status)
    assert all(set(TABLE[status]) == {Move.RELAPSED} for status in ENDED)


def test_raised_and_cleared(bench):
    bench.say(RAISED)
    bench.after(MINUTE)
    assert bench.incident().status == "notified"
    bench.say(CLEARED)
    row = bench.incident()
    assert (row.status, row.cleared_ms, row.closed_ms) == ("closed", bench.clock.ms, bench.clock.ms)
    assert bench.history() == ["opened", "notified", "cleared"]
    bench.after(MINUTE)
    assert bench.crew.kinds == [ALERT, RECOVERY]


def test_no_recovery_without_an_alert(bench):
    bench.say(RAISED)
    bench.after(MINUTE - 1)
    bench.say(CLEARED)
    bench.after(60 * MINUTE)
    assert (bench.crew.sent, bench.office.sent) == ([], [])
    assert bench.outbox() == [("crew", "alert", "cancelled"), ("office", "alert", "cancelled")]


def test_hazard_goes_out_at_once(bench):
    bench.say(RAISED, severity=Severity.HAZARD)
    bench.after(0)
    assert bench.crew.kinds == [ALERT]


BACK = Fact("speaks_again")


def test_who_speaks_again_before_anybody_was_called_tells_its_story_first(bench):
    bench.say(RAISED)
    bench.after(MINUTE - 1)
    bench.say(REVISED, facts=(BACK,))
    bench.after(MINUTE)
    assert (bench.crew.sent, bench.office.sent) == ([], [])
    bench.say(CLEARED)
    bench.after(60 * MINUTE)
    assert (bench.crew.sent, bench.office.sent) == ([], [])


def test_who_speaks_again_and_never_tells_its_story_is_told_of_all_the_same(bench):
    bench.say(RAISED)
    for _ in range(9):  # comes and goes
        bench.after(MINUTE // 2)
        bench.say(REVISED, facts=(BACK,))
        bench.say(REVISED)
    assert bench.crew.kinds == []
    bench.after(MINUTE // 2)
    assert bench.crew.kinds == [ALERT], "five minutes are enough"


def test_who_speaks_again_after_the_call_changes_nothing_of_it(bench):
    bench.say(RAISED)
    bench.after(MINUTE)
    bench.say(REVISED, facts=(BACK,))
    bench.after(MINUTE)
    assert bench.crew.kinds == [ALERT]


def test_a_relapse_reopens_the_incident(bench):
    bench.say(RAISED)
    bench.after(MINUTE)
    bench.say(CLEARED)
    bench.after(2 * MINUTE)
    bench.after(27 * MINUTE)
    bench.say(RAISED)
    row = bench.incident()
    assert (row.status, row.cleared_ms, row.closed_ms) == ("open", None, None)
    assert bench.history()[-1] == "reopened"
    bench.after(MINUTE)
    assert bench.crew.kinds == [ALERT, RECOVERY, ALERT]


def test_after_half_an_hour_it_is_another_incident(bench):
    bench.say(RAISED)
    bench.say(CLEARED)
    bench.after(30 * MINUTE + 1)
    bench.say(RAISED)
    assert [row.status for row in bench.incidents()] == ["closed", "open"]


def test_another_subject_is_another_incident(bench):
    bench.say(RAISED, "on_battery", subject="a/u")
    bench.say(CLEARED, "on_battery", subject="a/u")
    bench.say(RAISED, "on_battery", subject="b/u")
    assert len(bench.incidents()) == 2


def test_a_relapse_before_the_recovery_went_out_says_nothing(bench):
    bench.say(RAISED)
    bench.after(MINUTE)
    bench.say(CLEARED)
    bench.after(MINUTE // 2)
    bench.say(RAISED)
    bench.after(60 * MINUTE)
    assert bench.crew.kinds == [ALERT]
    assert ("crew", "recovery", "cancelled") in bench.outbox()


def test_another_cause_is_told_to_who_was_told(bench):
    bench.say(RAISED)
    bench.after(MINUTE)
    bench.say(REVISED, cause=Cause.MAINS_SITE, confidence=0.9)
    bench.after(0)
    assert bench.crew.kinds == [ALERT, UPDATE]
    assert "[mains-site]" in bench.crew.sent[1][1]


def test_another_cause_before_the_alert_is_in_the_alert(bench):
    bench.say(RAISED)
    bench.say(REVISED, cause=Cause.MAINS_SITE)
    bench.after(MINUTE)
    assert bench.crew.kinds == [ALERT]
    assert "[mains-site]" in bench.crew.sent[0][1]


def test_the_same_cause_with_more_facts_is_no_message(bench):
    bench.say(RAISED)
    bench.after(MINUTE)
    bench.say(REVISED, facts=(), final=True)
    bench.after(60 * MINUTE)
    assert bench.crew.kinds == [ALERT]
    assert bench.incident().final


def test_mains_area_pages_no_crew(bench):
    bench.say(RAISED, cause=Cause.MAINS_AREA)
    bench.after(MINUTE)
    assert (bench.crew.kinds, bench.office.kinds) == ([], ["Alert"])


def test_a_crew_that_was_told_hears_that_it_became_the_area(bench):
    bench.say(RAISED)
    bench.after(MINUTE)
    bench.say(REVISED, cause=Cause.MAINS_AREA)
    bench.after(0)
    assert bench.crew.kinds == [ALERT, UPDATE]


def test_a_crew_concerned_only_later_is_alerted_after_a_hold_off(bench):
    bench.say(RAISED, cause=Cause.MAINS_AREA)
    bench.after(5 * MINUTE)
    bench.say(REVISED, cause=Cause.MAINS_SITE)
    bench.after(MINUTE - 1)
    assert bench.crew.kinds == []
    bench.after(1)
    assert bench.crew.kinds == [ALERT]
    assert bench.office.kinds == ["Alert", "Update"]


def test_planned_and_self_tests_are_recorded_and_not_told(bench):
    bench.say(RAISED, cause=Cause.PLANNED)
    bench.say(RAISED, "ups_self_test", subject="a/u", severity=Severity.INFO)
    bench.after(60 * MINUTE)
    assert bench.outbox() == []
    assert len(bench.incidents()) == 2


def test_min_severity(bench):
    bench.say(RAISED, "on_battery", subject="a/u", severity=Severity.INFO)
    assert bench.outbox() == [("office", "alert", "pending")]


def test_maintenance_waits_for_working_hours(bench):
    bench.say(RAISED, "battery_replace", subject="a/u", severity=Severity.WARNING)
    bench.after(7 * 60 * MINUTE)  # 7:13
    assert bench.office.kinds == []
    bench.after(47 * MINUTE)
    assert bench.office.kinds == ["Alert"]


def test_repeated_transitions_change_nothing(bench):
    for change in (RAISED, RAISED, CLEARED, CLEARED, REVISED):
        bench.say(change)
    assert len(bench.incidents()) == 1
    assert bench.history() == ["opened", "revised", "cleared"]


# --- people -----------------------------------------------------------------------------------------


def test_acknowledged_before_anybody_was_told_tells_nobody(bench):
    bench.say(RAISED)
    bench.person(lifecycle.acknowledge, "ana", bench.clock.ms)
    bench.after(60 * MINUTE)
    assert bench.crew.sent == []
    row = bench.incident()
    assert (row.status, row.owner) == ("acknowledged", "ana")


def test_the_owner_hears_of_the_end(bench):
    bench.say(RAISED)
    bench.after(MINUTE)
    bench.person(lifecycle.acknowledge, "ana", bench.clock.ms)
    bench.say(CLEARED)
    bench.after(MINUTE)
    assert bench.crew.kinds == [ALERT, RECOVERY]
    assert bench.incident().status == "closed"


def test_who_is_on_the_way_closes_it(bench):
    bench.say(RAISED)
    bench.after(MINUTE)
    bench.person(lifecycle.start, "ana", bench.clock.ms)
    bench.say(CLEARED)
    assert bench.incident().closed_ms is None
    bench.say(RAISED)
    assert (bench.incident().status, bench.incident().cleared_ms) == ("under_way", None)
    bench.say(CLEARED)
    bench.person(lifecycle.resolve, "ana", bench.clock.ms, "breaker")
    row = bench.incident()
    assert (row.status, row.cause_code, row.closed_ms) == ("verified", "breaker", bench.clock.ms)


def test_resolved_is_verified_by_data(bench):
    bench.say(RAISED)
    bench.person(lifecycle.resolve, "ana", bench.clock.ms, "breaker")
    bench.after(10 * MINUTE)
    bench.service.upkeep()
    bench.say(CLEARED)
    assert bench.incident().status == "verified"


def test_unverified_returns_to_open(bench):
    bench.say(RAISED)
    bench.after(MINUTE)
    bench.person(lifecycle.resolve, "ana", bench.clock.ms, "breaker")
    bench.after(15 * MINUTE)
    bench.service.upkeep()
    bench.service.upkeep()
    assert bench.incident().status == "open"
    assert bench.history().count("unverified") == 1
    bench.after(0)
    assert bench.crew.kinds == [ALERT, UPDATE]


def test_what_cannot_be_done_changes_nothing(bench):
    bench.say(RAISED)
    bench.say(CLEARED)
    with pytest.raises(IllegalMoveError, match="#1 is closed"):
        bench.person(lifecycle.acknowledge, "ana", bench.clock.ms)
    with Session(bench.engine) as session, pytest.raises(UnknownIncidentError):
        lifecycle.note(session, 99, "ana", "hola", 0)
    assert bench.history() == ["opened", "cleared"]


def test_notes_are_history(bench):
    bench.say(RAISED)
    bench.person(lifecycle.note, "ana", "Llamé y sí hay luz", bench.clock.ms)
    assert bench.history() == ["opened", "note"]
