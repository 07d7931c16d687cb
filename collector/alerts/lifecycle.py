"""An incident's life: what the rules say and what people do, moved through one table.

``apply`` takes the rules' transitions inside the caller's transaction. Every step leaves an
``IncidentChange``; a message hangs on the change that caused it. A condition that comes back within
``RELAPSE_MS`` reopens its incident. Moves are made by a conditional update, so that ingest, alerts and web
cannot undo each other's steps.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import CursorResult, select, update

from collector.alerts import outbox
from collector.errors import VigiaError
from collector.model import Change, Transition
from collector.rules import catalogue
from collector.rules.network.silence import SPEAKS_AGAIN
from collector.storage.state import Incident, IncidentChange

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session

    from collector.alerts.routes import Routing

RELAPSE_MS: Final = 30 * 60_000
VERIFY_MS: Final = 15 * 60_000  # data confirms a repair within one detection and a restart, or it was none


class Status(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    NOTIFIED = "notified"  # a message was delivered
    ACKNOWLEDGED = "acknowledged"  # somebody took it on
    UNDER_WAY = "under_way"
    RESOLVED = "resolved"  # somebody says so
    VERIFIED = "verified"  # and data says so
    CLOSED = "closed"  # data says it is over, nobody had to come


class Move(StrEnum):
    """What can happen to an incident."""

    NOTIFIED = "notified"
    ACKNOWLEDGED = "acknowledged"
    STARTED = "under_way"
    RESOLVED = "resolved"  # by a person, data still says it is on
    CONFIRMED = "confirmed"  # by a person, data already said it is over
    CLEARED = "cleared"
    UNVERIFIED = "unverified"
    RELAPSED = "reopened"


_WAITING: Final = {
    Move.ACKNOWLEDGED: Status.ACKNOWLEDGED,
    Move.STARTED: Status.UNDER_WAY,
    Move.RESOLVED: Status.RESOLVED,
    Move.CLEARED: Status.CLOSED,
}
# Who is on the way decides himself when it is over: a site that flickers back is not repaired.
TABLE: Final[dict[Status, dict[Move, Status]]] = {
    Status.OPEN: _WAITING | {Move.NOTIFIED: Status.NOTIFIED},
    Status.NOTIFIED: _WAITING,
    Status.ACKNOWLEDGED: {
        Move.STARTED: Status.UNDER_WAY,
        Move.RESOLVED: Status.RESOLVED,
        Move.CLEARED: Status.CLOSED,
    },
    Status.UNDER_WAY: {
        Move.RESOLVED: Status.RESOLVED,
        Move.CONFIRMED: Status.VERIFIED,
        Move.CLEARED: Status.UNDER_WAY,
        Move.RELAPSED: Status.UNDER_WAY,
    },
    Status.RESOLVED: {Move.CLEARED: Status.VERIFIED, Move.UNVERIFIED: Status.OPEN},
    Status.VERIFIED: {Move.RELAPSED: Status.OPEN},
    Status.CLOSED: {Move.RELAPSED: Status.OPEN},
}
ENDED: Final = (Status.VERIFIED, Status.CLOSED)


class UnknownIncidentError(VigiaError):
    """There is no incident with this number."""


class IllegalMoveError(VigiaError):
    """The incident stands where this cannot be done; nothing was changed."""


def move(session: Session, incident: Incident, step: Move) -> bool:
    """Take a step of the table; False when it is not in it (nothing changes). Loads what others changed."""
    while True:
        before = Status(incident.status)
        after = TABLE[before].get(step)
        if after is None:
            return False
        done = session.execute(
            update(Incident)
            .where(Incident.id == incident.id, Incident.status == before)
            .values(status=after.value)
            .execution_options(synchronize_session=False)
        )
        session.refresh(incident, ["status"])
        if cast("CursorResult[Any]", done).rowcount:
            return True


# --- what the rules say ---------------------------------------------------------------------------


def apply(session: Session, transitions: Sequence[Transition], now_ms: int, routing: Routing) -> None:
    """Turn transitions into incidents, their history and the messages to send."""
    for transition in transitions:
        _HANDLERS[transition.change](session, transition, now_ms, routing)
        session.flush()


def _raise(session: Session, said: Transition, now_ms: int, routing: Routing) -> None:
    incident = _running(session, said)
    if incident is not None and incident.cleared_ms is None:
        _revise(session, said, now_ms, routing)
        return
    incident = incident or _relapsed(session, said, now_ms)
    if incident is None:
        incident = _new(session, said, now_ms)
        change = record(session, incident, "opened", now_ms, _data(said))
    else:
        move(session, incident, Move.RELAPSED)
        incident.cleared_ms = incident.closed_ms = None
        incident.found_on_return = said.found_on_return
        _take(incident, said)
        change = record(session, incident, "reopened", now_ms, _data(said))
    if not is_history(incident):
        outbox.alert(session, incident, change, now_ms, routing)


def _revise(session: Session, said: Transition, now_ms: int, routing: Routing) -> None:
    incident = _running(session, said)
    if incident is None:
        return
    news = incident.cause != said.cause or catalogue.rank(said.severity) > catalogue.rank(incident.severity)
    _take(incident, said)
    change = record(session, incident, "revised", now_ms, _data(said))
    if SPEAKS_AGAIN in said.facts:
        outbox.wait(session, incident, now_ms, routing)
    if news and not is_history(incident):
        outbox.update(session, incident, change, now_ms, routing)


def _clear(session: Session, said: Transition, now_ms: int, routing: Routing) -> None:
    incident = _running(session, said)
    if incident is None or incident.cleared_ms is not None:
        return
    _take(incident, said)
    incident.cleared_ms = said.at_ms
    move(session, incident, Move.CLEARED)
    change = record(session, incident, "cleared", now_ms, _data(said))
    _close_if_ended(incident, now_ms)
    outbox.recovery(session, incident, change, now_ms, routing)


_HANDLERS: Final[dict[Change, Callable[[Session, Transition, int, Routing], None]]] = {
    Change.RAISED: _raise,
    Change.REVISED: _revise,
    Change.CLEARED: _clear,
}


def is_history(incident: Incident) -> bool:
    """Say whether nobody has to be called: an outage that was over when somebody told of it."""
    return bool(incident.found_on_return and incident.condition == "outage")


def _of(said: Transition) -> Any:
    return (
        Incident.site_id == said.site,
        Incident.condition == said.condition,
        Incident.subject == said.subject,
    )


def _running(session: Session, said: Transition) -> Incident | None:
    query = select(Incident).where(*_of(said), Incident.closed_ms.is_(None)).order_by(Incident.id.desc())
    return session.scalars(query).first()


def _relapsed(session: Session, said: Transition, now_ms: int) -> Incident | None:
    """Find the incident that this is a relapse of: the same condition, over for less than RELAPSE_MS."""
    recent = Incident.cleared_ms >= now_ms - RELAPSE_MS
    return session.scalars(select(Incident).where(*_of(said), recent).order_by(Incident.id.desc())).first()


def _new(session: Session, said: Transition, now_ms: int) -> Incident:
    incident = Incident(
        site_id=said.site,
        condition=said.condition,
        subject=said.subject,
        status=Status.OPEN.value,
        severity=said.severity.value,
        started_ms=said.at_ms,
        opened_ms=now_ms,
        found_on_return=said.found_on_return,
    )
    _take(incident, said)
    session.add(incident)
    session.flush()
    return incident


def _take(incident: Incident, said: Transition) -> None:
    incident.severity = said.severity.value
    incident.cause = said.cause.value if said.cause else None
    incident.confidence = said.confidence
    incident.facts = _facts(said)
    incident.final = said.final


def _facts(said: Transition) -> list[Any]:
    return [{"code": fact.code, "params": dict(fact.params)} for fact in said.facts]


def _data(said: Transition) -> dict[str, Any]:
    """Describe a step of the rules: what they said, for the history."""
    return {
        "at_ms": said.at_ms,
        "cause": said.cause.value if said.cause else None,
        "confidence": said.confidence,
        "facts": _facts(said),
        "final": said.final,
        "reason": said.reason,
    }


def record(
    session: Session, incident: Incident, kind: str, now_ms: int, data: dict[str, Any], by: str = "rules"
) -> IncidentChange:
    """Write a step into an incident's history."""
    change = IncidentChange(incident_id=incident.id, at_ms=now_ms, kind=kind, by=by, data=data)
    session.add(change)
    session.flush()
    return change


def _close_if_ended(incident: Incident, now_ms: int) -> None:
    if Status(incident.status) in ENDED:
        incident.closed_ms = now_ms


# --- what people do -------------------------------------------------------------------------------


def acknowledge(session: Session, incident_id: int, who: str, now_ms: int) -> Incident:
    """Take an incident on. ``UnknownIncidentError``, ``IllegalMoveError``."""
    return _person(session, incident_id, Move.ACKNOWLEDGED, who, now_ms, {})


def start(session: Session, incident_id: int, who: str, now_ms: int) -> Incident:
    """Say that somebody is on the way. ``UnknownIncidentError``, ``IllegalMoveError``."""
    return _person(session, incident_id, Move.STARTED, who, now_ms, {})


def resolve(session: Session, incident_id: int, who: str, now_ms: int, cause_code: str) -> Incident:
    """Say what was found and repaired; data confirm it. ``UnknownIncidentError``, ``IllegalMoveError``."""
    incident = find(session, incident_id)
    step = Move.RESOLVED if incident.cleared_ms is None else Move.CONFIRMED
    incident = _person(session, incident_id, step, who, now_ms, {"cause_code": cause_code})
    incident.cause_code = cause_code
    _close_if_ended(incident, now_ms)
    return incident


def note(session: Session, incident_id: int, who: str, text: str, now_ms: int) -> IncidentChange:
    """Write a note into an incident's history. ``UnknownIncidentError``."""
    return record(session, find(session, incident_id), "note", now_ms, {"note": text}, who)


def find(session: Session, incident_id: int) -> Incident:
    """Return an incident, ``UnknownIncidentError`` when there is none."""
    incident = session.get(Incident, incident_id)
    if incident is None:
        raise UnknownIncidentError(f"there is no incident #{incident_id}")
    return incident


def _person(
    session: Session, incident_id: int, step: Move, who: str, now_ms: int, data: dict[str, Any]
) -> Incident:
    incident = find(session, incident_id)
    if not move(session, incident, step):
        raise IllegalMoveError(f"incident #{incident_id} is {incident.status}: cannot be {step.value}")
    if step in {Move.ACKNOWLEDGED, Move.STARTED}:
        incident.owner = who
    kind = "verified" if step == Move.CONFIRMED else step.value
    record(session, incident, kind, now_ms, data, who)
    session.flush()
    return incident


def reopen_unverified(session: Session, now_ms: int, routing: Routing) -> int:
    """Return repairs that data did not confirm within ``VERIFY_MS`` to open; say how many."""
    query = select(Incident).where(Incident.status == Status.RESOLVED.value, Incident.closed_ms.is_(None))
    found = 0
    for incident in session.scalars(query).all():
        last = session.scalars(
            select(IncidentChange.at_ms)
            .where(IncidentChange.incident_id == incident.id, IncidentChange.kind == Move.RESOLVED.value)
            .order_by(IncidentChange.id.desc())
        ).first()
        if last is not None and now_ms - last >= VERIFY_MS and move(session, incident, Move.UNVERIFIED):
            change = record(session, incident, "unverified", now_ms, {})
            outbox.update(session, incident, change, now_ms, routing)
            found += 1
    return found
