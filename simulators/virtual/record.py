"""What a run leaves: every incident with its history, in seconds after the warm-up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from collector.model import Cause
from collector.storage.state import AreaMember, Incident, IncidentChange, Outbox

if TYPE_CHECKING:
    from sqlalchemy import Engine


@dataclass(frozen=True, slots=True)
class Step:
    """A change of an incident. ``cause`` and ``final`` are what stood after it.

    ``since_s``: when what it says happened, by the rules.
    """

    at_s: float
    since_s: float
    kind: str
    cause: Cause | None
    final: bool
    confidence: float | None
    facts: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Told:
    """An incident as the rules and the outbox have it.

    ``notified_s``: when a person was told, each time; ``through``: which of these were the alert of an area.
    """

    site: str
    condition: str
    subject: str
    severity: str
    started_s: float
    opened_s: float
    cleared_s: float | None
    steps: tuple[Step, ...]
    notified_s: tuple[float, ...]
    through: tuple[tuple[int, float], ...] = ()  # area and when


@dataclass(slots=True)
class Record:
    """One scenario's run."""

    name: str
    incidents: list[Told] = field(default_factory=list)
    frames: int = 0
    seconds: float = 0.0  # of simulated time


def read(engine: Engine, name: str, zero_ms: int, end_ms: int) -> Record:
    """Return what the state of a run holds; ``zero_ms`` is the end of its warm-up."""
    record = Record(name, seconds=(end_ms - zero_ms) / 1000.0)
    with Session(engine) as session:
        for incident in session.scalars(select(Incident).order_by(Incident.id)):
            changes = session.scalars(
                select(IncidentChange)
                .where(IncidentChange.incident_id == incident.id)
                .order_by(IncidentChange.id)
            )
            alerts = session.scalars(
                select(Outbox).where(Outbox.incident_id == incident.id, Outbox.kind == "alert")
            ).all()
            through = [
                (area, (at_ms - zero_ms) / 1000.0) for area, at_ms in _through_areas(session, incident.id)
            ]
            record.incidents.append(
                Told(
                    site=incident.site_id,
                    condition=incident.condition,
                    subject=incident.subject,
                    severity=incident.severity,
                    started_s=(incident.started_ms - zero_ms) / 1000.0,
                    opened_s=(incident.opened_ms - zero_ms) / 1000.0,
                    cleared_s=None
                    if incident.cleared_ms is None
                    else (incident.cleared_ms - zero_ms) / 1000.0,
                    steps=tuple(_step(change, zero_ms) for change in changes),
                    notified_s=_notified_s(alerts, zero_ms, [at_s for _, at_s in through]),
                    through=tuple(through),
                )
            )
    return record


def _step(change: IncidentChange, zero_ms: int) -> Step:
    data: dict[str, Any] = change.data
    return Step(
        at_s=(change.at_ms - zero_ms) / 1000.0,
        since_s=(data.get("at_ms", change.at_ms) - zero_ms) / 1000.0,
        kind=change.kind,
        cause=Cause(data["cause"]) if data.get("cause") else None,
        final=bool(data.get("final")),
        confidence=data.get("confidence"),
        facts=tuple(fact["code"] for fact in data.get("facts", ())),
        reason=data.get("reason", ""),
    )


def _through_areas(session: Session, incident_id: int) -> list[tuple[int, int]]:
    """Return when the alert of an area told people of an incident: when it went out, or when that joined."""
    told = []
    for member in session.scalars(select(AreaMember).where(AreaMember.incident_id == incident_id)):
        alerts = select(Outbox.delivered_ms).where(
            Outbox.incident_id == member.area_id, Outbox.kind == "alert", Outbox.delivered_ms.is_not(None)
        )
        times = [at_ms for at_ms in session.scalars(alerts) if at_ms is not None]
        until_ms = member.left_ms
        told += [
            (member.area_id, max(at_ms, member.joined_ms))
            for at_ms in times
            if until_ms is None or at_ms <= until_ms
        ]
    return told


def _notified_s(alerts: Any, zero_ms: int, through: list[float]) -> tuple[float, ...]:
    """Return when an alert reached somebody."""
    own = [(row.delivered_ms - zero_ms) / 1000.0 for row in alerts if row.delivered_ms is not None]
    return tuple(sorted(own + through))
