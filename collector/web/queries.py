"""Questions to the state database, answered in plain dictionaries that pages and API share.

No formatting and no request here: a session and values in, values out. Times end in ``_ms``.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import func, or_, select

from agent.wire import intervals
from collector.storage.state import (
    AreaMember,
    Assignment,
    Device,
    DeviceState,
    Incarnation,
    Incident,
    IncidentChange,
    Outbox,
    RuleState,
    Site,
)
from collector.web.words import STATUS_ORDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

MEMBERS = 500  # of an area: more are told by their number
STATES = ("open", "closed", "all")
SITE_FIELDS = ("id", "name_es", "name_en", "kind", "address", "lat", "lon", "priority", "sample")
SITE_DETAILS = (
    "id",
    "address",
    "lat",
    "lon",
    "service",
    "nominal_v",
    "provider",
    "provider_circuit",
    "circuit",
    "utility_service",
    "meter_number",
    "safety_note",
)
# how to get in and whom to call: for those who go there
CREW_DETAILS = ("keys_and_hours", "contacts")


def sites(session: Session, now_ms: int, *, only: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Return facilities with status and counts, worst first, then by priority and name."""
    query = select(Site, RuleState).outerjoin(RuleState, RuleState.site_id == Site.id)
    if only is not None:
        query = query.where(Site.id.in_(only))
    incidents = _open_incidents_by_site(session)
    devices = Counter(site for _device, site in _assigned(session, now_ms))
    rows = cast("Iterable[tuple[Site, RuleState | None]]", session.execute(query))
    found = [
        {name: getattr(site, name) for name in SITE_FIELDS}
        | {
            "status": "waiting" if state is None else state.status,
            "since_ms": None if state is None else state.since_ms or None,
            "open_incidents": incidents.get(site.id, 0),
            "devices": devices.get(site.id, 0),
        }
        for site, state in rows
    ]
    return sorted(found, key=lambda item: (_rank(item["status"]), item["priority"], item["name_es"]))


def _rank(status: str) -> int:
    return STATUS_ORDER.index(status) if status in STATUS_ORDER else len(STATUS_ORDER)


def _open_incidents_by_site(session: Session) -> dict[str, int]:
    query = (
        select(Incident.site_id, func.count()).where(Incident.closed_ms.is_(None)).group_by(Incident.site_id)
    )
    return {site: count for site, count in session.execute(query)}  # noqa: C416 - rows are not tuples to mypy


def _assigned(session: Session, now_ms: int) -> Iterable[tuple[str, str]]:
    """Device and site of every assignment that holds now."""
    query = select(Assignment.device_id, Assignment.site_id).where(_holds(now_ms))
    return [(device, site) for device, site in session.execute(query)]


def _holds(now_ms: int) -> ColumnElement[bool]:
    return (Assignment.from_ms <= now_ms) & (or_(Assignment.to_ms.is_(None), Assignment.to_ms > now_ms))


def status_counts(session: Session) -> dict[str, int]:
    """Return how many facilities have each status, worst first, zeros included."""
    status = func.coalesce(RuleState.status, "waiting")
    query = select(status, func.count()).select_from(Site)
    joined = query.outerjoin(RuleState, RuleState.site_id == Site.id).group_by(status)
    counted = {code: count for code, count in session.execute(joined)}  # noqa: C416 - rows are not tuples to mypy
    return {code: counted.get(code, 0) for code in STATUS_ORDER}


def site_details(session: Session, site_id: str, *, crew: bool) -> dict[str, Any] | None:
    """Return what else is known of a facility; contacts and keys only for those who go there."""
    site = session.get(Site, site_id)
    if site is None:
        return None
    wanted = SITE_DETAILS + (CREW_DETAILS if crew else ())
    return {name: getattr(site, name) for name in wanted}


def devices(session: Session, now_ms: int, site_id: str | None = None) -> list[dict[str, Any]]:
    """Return devices with their reception, by name; ``site`` is None for one assigned nowhere."""
    site_of = dict(_assigned(session, now_ms))
    query = (
        select(Device, DeviceState)
        .outerjoin(DeviceState, DeviceState.device_id == Device.id)
        .order_by(Device.id)
    )
    if site_id is not None:
        query = query.where(Device.id.in_([device for device, site in site_of.items() if site == site_id]))
    rows = session.execute(query).all()
    received = _received(session, [device.id for device, _ in rows])
    return [
        _device(device, state, site_of.get(device.id), received.get(device.id, [])) for device, state in rows
    ]


def _received(session: Session, ids: Sequence[str]) -> dict[str, list[Incarnation]]:
    found: dict[str, list[Incarnation]] = {}
    for row in session.scalars(select(Incarnation).where(Incarnation.device_id.in_(ids))):
        found.setdefault(row.device_id, []).append(row)
    return found


def _device(
    device: Device, state: DeviceState | None, site: str | None, starts: Sequence[Incarnation]
) -> dict[str, Any]:
    current = next((start for start in starts if state and start.incarnation == state.incarnation), None)
    return {
        "id": device.id,
        "site": site,
        "kind": device.kind,
        "feed": device.feed,
        "last_arrival_ms": state.arrival_ms if state else None,
        "sample_ms": state.sample_ms if state else None,
        "session": state.session_phase if state else "none",
        "frames_stored": sum(intervals.count(start.stored) for start in starts),
        "seq": state.seq if state and state.seq >= 0 else None,
        "missing": _missing(current),
        "clock_trusted": current.clock_trusted if current else None,
        "hello": state.hello if state else {},
    }


def _missing(start: Incarnation | None) -> int | None:
    """Count frames of the current start that are known to exist and did not come in."""
    if start is None:
        return None
    covered = intervals.merge(start.stored, [[lo, hi] for lo, hi, _reason in start.refused])
    return intervals.count(intervals.holes(covered))


def incidents(
    session: Session,
    *,
    state: str = "open",
    site: str | None = None,
    limit: int = 50,
    before: int | None = None,
) -> list[Incident]:
    """Return incidents, newest first; ``before`` is the id that the page before ended with."""
    query = select(Incident).order_by(Incident.id.desc()).limit(limit)
    if state != "all":
        query = query.where(
            Incident.closed_ms.is_(None) if state == "open" else Incident.closed_ms.is_not(None)
        )
    if site is not None:
        query = query.where(Incident.site_id == site)
    if before is not None:
        query = query.where(Incident.id < before)
    return list(session.scalars(query))


def count_open(session: Session) -> int:
    """Return how many incidents are not closed."""
    return session.scalar(select(func.count()).select_from(Incident).where(Incident.closed_ms.is_(None))) or 0


def names(session: Session, ids: Iterable[str]) -> dict[str, Site]:
    """Return the facilities of these ids."""
    return {site.id: site for site in session.scalars(select(Site).where(Site.id.in_(set(ids))))}


def history(session: Session, incident_id: int) -> list[IncidentChange]:
    """Return an incident's steps in order."""
    query = select(IncidentChange).where(IncidentChange.incident_id == incident_id)
    return list(session.scalars(query.order_by(IncidentChange.id)))


def deliveries(session: Session, incident_id: int) -> list[Outbox]:
    """Return an incident's messages in order."""
    return list(session.scalars(select(Outbox).where(Outbox.incident_id == incident_id).order_by(Outbox.id)))


def count_devices(session: Session) -> int:
    """Return how many devices are enrolled."""
    return session.scalar(select(func.count()).select_from(Device)) or 0


def members(session: Session, area_id: int) -> list[tuple[AreaMember, Site]]:
    """Return who is or was in an area, those first who still are, then as they joined."""
    query = (
        select(AreaMember, Site)
        .join(Site, Site.id == AreaMember.site_id)
        .where(AreaMember.area_id == area_id)
        .order_by(AreaMember.left_ms.is_not(None), AreaMember.id)
        .limit(MEMBERS)
    )
    return [(member, site) for member, site in session.execute(query)]


def area_of(session: Session, incident_id: int) -> int | None:
    """Return the area that speaks for an incident, or did last."""
    query = select(AreaMember.area_id).where(AreaMember.incident_id == incident_id)
    return session.scalars(query.order_by(AreaMember.id.desc()).limit(1)).first()
