"""Which messages a change calls for: one per channel and change, and none that nobody would understand.

A channel is *told* when an alert was delivered to it, or is on its way, and no recovery since. Only who was
told hears of updates and recoveries; who was not yet told hears the newest state when the hold-off is over.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import CursorResult, select
from sqlalchemy import update as sql_update

from collector.around import windows
from collector.model import Severity
from collector.storage.state import AreaMember, IncidentChange, Outbox

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from collector.alerts.routes import Routing
    from collector.storage.state import Incident

STORY_HOLDS: Final = 2  # a hold-off is a minute
MOST_HOLDS: Final = 5
WAITING: Final = ("pending", "deferred")  # deferred: tried, to be tried again
SENT: Final = ("claimed", "delivered")


class Told(StrEnum):
    """What a channel knows of an incident."""

    NOTHING = "nothing"
    SOON = "soon"  # an alert waits
    TOLD = "told"


def told(rows: Iterable[Outbox]) -> dict[str, Told]:
    """Read from an incident's messages, in order, what each channel knows."""
    known: dict[str, Told] = {}
    for row in rows:
        if row.kind == "recovery" and row.status in SENT:
            known[row.channel] = Told.NOTHING
        elif row.kind == "alert" and row.status in SENT:
            known[row.channel] = Told.TOLD
        elif row.kind == "alert" and row.status in WAITING and known.get(row.channel) != Told.TOLD:
            known[row.channel] = Told.SOON
    return known


def alert(
    session: Session, incident: Incident, change: IncidentChange, now_ms: int, routing: Routing
) -> None:
    """Tell who is to be told and is not; a recovery that did not go out yet stays at home instead."""
    _cancel(session, incident, ("recovery",), "relapsed")
    known = told(_rows(session, incident))
    due_ms = routing.alert_due_ms(incident.condition, incident.severity, now_ms)
    _alert(session, incident, change, known, due_ms, routing)


def wait(session: Session, incident: Incident, now_ms: int, routing: Routing) -> None:
    """Let alerts wait: who speaks again tells its story first, and may need nobody. Not for ever."""
    hold_ms = routing.hold_off_ms
    for row in _rows(session, incident):
        if row.kind != "alert" or row.status not in WAITING:
            continue
        opened_ms = session.get_one(IncidentChange, row.change_id).at_ms
        until_ms = min(now_ms + STORY_HOLDS * hold_ms, opened_ms + MOST_HOLDS * hold_ms)
        session.execute(
            sql_update(Outbox)
            .where(Outbox.id == row.id, Outbox.status.in_(WAITING), Outbox.due_ms < until_ms)
            .values(due_ms=until_ms)
            .execution_options(synchronize_session=False)
        )


def update(
    session: Session, incident: Incident, change: IncidentChange, now_ms: int, routing: Routing
) -> None:
    """Tell who was told that it is something else; alert who is concerned only now."""
    rows = _rows(session, incident)
    known = told(rows)
    waiting = {row.channel for row in rows if row.kind == "update" and row.status in WAITING}
    due_ms = routing.in_hours(incident.condition, incident.severity, now_ms)
    for channel, what in known.items():
        if what == Told.TOLD and channel not in waiting:
            _add(session, incident, change, "update", channel, due_ms)
    alert_due_ms = routing.alert_due_ms(incident.condition, incident.severity, now_ms)
    _alert(session, incident, change, known, alert_due_ms, routing)


def _alert(
    session: Session,
    incident: Incident,
    change: IncidentChange,
    known: dict[str, Told],
    due_ms: int,
    routing: Routing,
) -> None:
    """Alert who was not told, unless an area speaks for the incident; not before our own work is over."""
    if _belongs(session, incident):
        return
    if incident.severity != Severity.HAZARD:
        due_ms = max(due_ms, windows.silent_until(session, incident.site_id, incident.started_ms))
    for channel in _channels(incident, routing):
        if known.get(channel, Told.NOTHING) == Told.NOTHING:
            _add(session, incident, change, "alert", channel, due_ms)


def _belongs(session: Session, incident: Incident) -> bool:
    query = select(AreaMember.id).where(AreaMember.incident_id == incident.id, AreaMember.left_ms.is_(None))
    return session.scalars(query.limit(1)).first() is not None


def recovery(
    session: Session, incident: Incident, change: IncidentChange, now_ms: int, routing: Routing
) -> None:
    """Tell who was told that it is over; what did not go out stays at home."""
    _cancel(session, incident, ("alert", "update"), "cleared")
    due_ms = routing.recovery_due_ms(incident.condition, incident.severity, now_ms)
    for channel, what in told(_rows(session, incident)).items():
        if what == Told.TOLD:
            _add(session, incident, change, "recovery", channel, due_ms)


def _channels(incident: Incident, routing: Routing) -> tuple[str, ...]:
    return routing.names(incident.condition, incident.severity, incident.cause)


def _rows(session: Session, incident: Incident) -> list[Outbox]:
    session.flush()
    query = select(Outbox).where(Outbox.incident_id == incident.id).order_by(Outbox.id)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def _cancel(session: Session, incident: Incident, kinds: tuple[str, ...], reason: str) -> int:
    """Cancel what waits. First the update, then a look: what was claimed meanwhile counts as sent."""
    done = session.execute(
        sql_update(Outbox)
        .where(Outbox.incident_id == incident.id, Outbox.kind.in_(kinds), Outbox.status.in_(WAITING))
        .values(status="cancelled", reason=reason)
        .execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", done).rowcount


def _add(
    session: Session, incident: Incident, change: IncidentChange, kind: str, channel: str, due_ms: int
) -> None:
    row = Outbox(incident_id=incident.id, change_id=change.id, kind=kind, channel=channel, due_ms=due_ms)
    row.status = "pending"
    session.add(row)
