"""Storm mode: outages of one cause that hits many become members of one incident, which alone tells people.

An area is opened when two premises that are linked have open incidents with the same cause: mains of the
area, a provider, or the centre itself. Incidents join and leave it as their verdicts change and their sites
come back; while one belongs to it its own alerts are held. When most sites are back and no more are on
their way (``area.back_ms``), who is still dark ``left_behind_ms`` later is told of apart: it did not come
back. Several that are dark beside each other are a street that waits: they stay. A member that leaves because
its cause is another one is told of at once, as any incident. Nothing is kept here: it is all in SQL.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy import update as sql_update

from collector.alerts import lifecycle, outbox
from collector.model import Cause, Change, Fact, Severity, Transition
from collector.rules import area as areas
from collector.rules.area import Place
from collector.storage.state import Area, AreaMember, Cursor, Incident, Outbox, Site, SiteGroup

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from collector.alerts.routes import Routing
    from collector.rules.catalogue import Thresholds

CONDITION: Final = "area"
MEMBERS: Final = ("outage", "supply_lost", "on_battery")
CAUSES: Final = (Cause.MAINS_AREA, Cause.BACKHAUL_PROVIDER, Cause.COLLECTOR)
LEFT_BEHIND: Final = "left_behind"
_NAMES: Final = 5
_CHUNK: Final = 5_000
_PLACE: Final = (
    Site.id, Site.name_es, Site.premises, Site.lat, Site.lon, Site.circuit, Site.provider,
)  # fmt: skip


def tick(session: Session, now_ms: int, routing: Routing, limits: Thresholds) -> None:
    """Let members leave and join, found areas and end them. ``limits``: those for all sites."""
    if not _work(session):
        return
    _alone(session)
    _let_go(session, now_ms, routing)
    _gather(session, now_ms, routing, limits)
    for area in session.execute(_areas(Incident.cleared_ms.is_(None))).scalars().all():
        _follow(session, area, now_ms, routing, limits)


def _work(session: Session) -> bool:
    open_area = select(Incident.id).where(Incident.condition == CONDITION, Incident.cleared_ms.is_(None))
    return bool(session.scalars(open_area.limit(1)).first() or session.scalars(_unbound().limit(1)).first())


def _alone(session: Session) -> None:
    """See that one worker at a time does this: the others wait for the row."""
    done = session.execute(sql_update(Cursor).where(Cursor.name == CONDITION).values(value=Cursor.value + 1))
    if not getattr(done, "rowcount", 0):
        session.add(Cursor(name=CONDITION, value=1))
        session.flush()


# --- leaving --------------------------------------------------------------------------------------


def _let_go(session: Session, now_ms: int, routing: Routing) -> None:
    """End memberships of what is over or has another cause."""
    query = (
        select(AreaMember, Incident)
        .join(Incident, Incident.id == AreaMember.incident_id)
        .join(Area, Area.incident_id == AreaMember.area_id)
        .where(
            AreaMember.left_ms.is_(None),
            or_(Incident.cleared_ms.is_not(None), Incident.cause.is_(None), Incident.cause != Area.cause),
        )
    )
    for member, incident in session.execute(query).all():
        if incident.cleared_ms is not None:
            _leave(session, member, incident, "back", incident.cleared_ms, now_ms)
        else:
            _leave_alone(session, member, incident, "cause", now_ms, routing)


def _leave(
    session: Session, member: AreaMember, incident: Incident, reason: str, left_ms: int, now_ms: int
) -> Any:
    member.left_ms, member.reason = max(left_ms, member.joined_ms), reason
    return lifecycle.record(session, incident, "left", now_ms, {"area": member.area_id, "reason": reason})


def _leave_alone(
    session: Session, member: AreaMember, incident: Incident, reason: str, now_ms: int, routing: Routing
) -> None:
    """Let somebody hear of an incident that the area spoke for and that goes on without it."""
    change = _leave(session, member, incident, reason, now_ms, now_ms)
    session.flush()
    outbox.alert(session, incident, change, now_ms, routing)


# --- joining --------------------------------------------------------------------------------------


@dataclass
class _Group:
    """An area, open or lately over, and the places of its members; ``incident`` None: not founded yet."""

    cause: str
    incident: Incident | None = None
    places: list[Place] = field(default_factory=list)
    waiting: list[Incident] = field(default_factory=list)


def _unbound() -> Any:
    """Ask for open incidents with the cause of an area that no area speaks for, nor has left behind."""
    held = exists().where(
        AreaMember.incident_id == Incident.id,
        or_(AreaMember.left_ms.is_(None), AreaMember.reason == LEFT_BEHIND),
    )
    return (
        select(Incident)
        .where(
            Incident.cleared_ms.is_(None),
            Incident.cause.in_([cause.value for cause in CAUSES]),
            Incident.condition.in_(MEMBERS),
            or_(Incident.condition != "outage", Incident.found_on_return.is_(False)),
            ~held,
        )
        .order_by(Incident.id)
    )


def _gather(session: Session, now_ms: int, routing: Routing, limits: Thresholds) -> None:
    lonely = session.execute(_unbound()).scalars().all()
    if not lonely:
        return
    groups = _groups(session, now_ms)
    places = _places(session, {incident.site_id for incident in lonely})
    for incident in lonely:
        _assign(groups, incident, places[incident.site_id], limits)
    for group in groups:
        _settle(session, group, places, now_ms, routing)


def _groups(session: Session, now_ms: int) -> list[_Group]:
    """Return the areas that can take members: open ones first, then those that may relapse."""
    lately = Incident.cleared_ms >= now_ms - lifecycle.RELAPSE_MS
    rows = session.execute(_areas(or_(Incident.cleared_ms.is_(None), lately))).scalars().all()
    members: dict[int, set[str]] = {}
    query = select(AreaMember.area_id, AreaMember.site_id).where(
        AreaMember.area_id.in_([area.id for area in rows]), AreaMember.reason != "cause"
    )
    for area_id, site in session.execute(query):
        members.setdefault(area_id, set()).add(site)
    places = _places(session, {site for sites in members.values() for site in sites})
    rows = sorted(rows, key=lambda area: (area.cleared_ms is not None, area.id))
    return [
        _Group(str(area.cause), area, [places[site] for site in sorted(members.get(area.id, ()))])
        for area in rows
    ]


def _assign(groups: list[_Group], incident: Incident, place: Place, limits: Thresholds) -> None:
    for group in groups:
        if group.cause == incident.cause and _fits(group, incident, place, limits):
            break
    else:
        group = _Group(str(incident.cause))
        groups.append(group)
    group.waiting.append(incident)
    group.places.append(place)


def _fits(group: _Group, incident: Incident, place: Place, limits: Thresholds) -> bool:
    if group.incident is None:
        apart_ms = abs(group.waiting[0].started_ms - incident.started_ms)
        if apart_ms > limits["area_partner_ms"]:
            return False
    return any(_linked(group.cause, place, other, limits["area_link_m"]) for other in group.places)


def _linked(cause: str, one: Place, other: Place, link_m: float) -> bool:
    """Say whether what hit two sites is one thing."""
    if cause == Cause.COLLECTOR or one.id == other.id:
        return True
    if cause == Cause.BACKHAUL_PROVIDER:
        return one.provider is not None and one.provider == other.provider
    shared = one.building == other.building or bool(one.groups & other.groups)
    return shared or areas.one_street(one, other, link_m)


def _settle(session: Session, group: _Group, places: dict[str, Place], now_ms: int, routing: Routing) -> None:
    if not group.waiting:
        return
    if group.incident is None or group.incident.cleared_ms is not None:
        buildings = {places[incident.site_id].building for incident in group.waiting}
        if len(buildings) < 2:  # noqa: PLR2004 - one premises alone is no area
            return
        group.incident = _open(session, group, now_ms, routing)
    for incident in group.waiting:
        session.add(
            AreaMember(
                area_id=group.incident.id, incident_id=incident.id, site_id=incident.site_id, joined_ms=now_ms
            )
        )
        lifecycle.record(session, incident, "joined", now_ms, {"area": group.incident.id})
    session.flush()
    _hold(session, group, now_ms)


def _open(session: Session, group: _Group, now_ms: int, routing: Routing) -> Incident:
    """Open the area's incident, or again the one that it is a relapse of."""
    first = min(group.waiting, key=lambda incident: (incident.started_ms, incident.id))
    before = group.incident
    said = Transition(
        Change.RAISED,
        before.site_id if before else first.site_id,
        CONDITION,
        before.subject if before else f"{group.cause}/{first.id}",
        first.started_ms,
        Severity.CRITICAL,
        Cause(group.cause),
        max((incident.confidence or 0.0 for incident in group.waiting), default=None),
        _facts((place.name for place in group.places), len({place.id for place in group.places})),
    )
    lifecycle.apply(session, [said], now_ms, routing)
    query = select(Incident).where(Incident.condition == CONDITION, Incident.subject == said.subject)
    opened = session.scalars(query.order_by(Incident.id.desc())).first()
    if opened is None:
        raise RuntimeError("the area that was opened is not there: our own fault")
    row = session.get(Area, opened.id)
    if row is None:
        session.add(Area(incident_id=opened.id, cause=group.cause))
    else:
        row.back_ms = None
    return opened


def _hold(session: Session, group: _Group, now_ms: int) -> None:
    """Hold the members' own alerts; the area's goes out when the first of them would have."""
    if group.incident is None:
        return
    ids = [incident.id for incident in group.waiting]
    waits = and_(Outbox.kind == "alert", Outbox.status.in_(outbox.WAITING))
    due = session.scalars(select(Outbox.due_ms).where(Outbox.incident_id.in_(ids), waits)).all()
    session.execute(
        sql_update(Outbox)
        .where(Outbox.incident_id.in_(ids), waits)
        .values(status="cancelled", reason=f"part of #{group.incident.id}")
        .execution_options(synchronize_session=False)
    )
    if due:
        soonest_ms = max(now_ms, min(due))
        session.execute(
            sql_update(Outbox)
            .where(Outbox.incident_id == group.incident.id, waits, Outbox.due_ms > soonest_ms)
            .values(due_ms=soonest_ms)
            .execution_options(synchronize_session=False)
        )


# --- an area's own life ---------------------------------------------------------------------------


def _areas(which: Any) -> Any:
    return select(Incident).where(Incident.condition == CONDITION, which).order_by(Incident.id)


def _follow(session: Session, area: Incident, now_ms: int, routing: Routing, limits: Thresholds) -> None:
    """Bring an area up to date: who is in it, whether it is back, whether it is over."""
    row = session.get_one(Area, area.id)
    of = AreaMember.area_id == area.id
    stays = AreaMember.left_ms.is_(None)
    sites = select(func.count(func.distinct(AreaMember.site_id)))
    here = session.scalar(sites.where(of, stays)) or 0
    if not here:
        last = session.scalar(select(func.max(AreaMember.left_ms)).where(of))
        _clear(session, area, last or now_ms, now_ms, routing)
        return
    ever = session.scalar(sites.where(of, or_(stays, AreaMember.reason != "cause"))) or 0
    row.back_ms = None
    if here <= limits["area_back_share"] * ever:
        row.back_ms = areas.back_ms(area.started_ms, _returns(session, area.id), now_ms, limits)
    if row.back_ms is not None and now_ms - row.back_ms >= limits["left_behind_ms"]:
        left = _leave_behind(session, area, now_ms, routing, limits)
        if left == here:
            _clear(session, area, row.back_ms, now_ms, routing)
            return
    names = select(Site.name_es).join(AreaMember, AreaMember.site_id == Site.id).where(of, stays)
    shown = session.scalars(names.distinct().order_by(Site.name_es).limit(_NAMES)).all()
    said = [{"code": fact.code, "params": dict(fact.params)} for fact in _facts(shown, here)]
    if area.facts != said:
        area.facts = said


def _returns(session: Session, area_id: int) -> list[int]:
    """Return when each site of an area that is back came back."""
    query = select(func.max(AreaMember.left_ms)).where(
        AreaMember.area_id == area_id, AreaMember.reason == "back"
    )
    return [at_ms for at_ms in session.scalars(query.group_by(AreaMember.site_id)) if at_ms is not None]


def _leave_behind(session: Session, area: Incident, now_ms: int, routing: Routing, limits: Thresholds) -> int:
    """Let those go who did not come back; return how many sites. Who is dark beside another one waits."""
    query = select(AreaMember).where(AreaMember.area_id == area.id, AreaMember.left_ms.is_(None))
    members = session.scalars(query).all()
    places = _places(session, {member.site_id for member in members})
    behind = areas.alone(places.values(), limits["neighbours_radius_m"])
    for member in members:
        if member.site_id in behind:
            incident = session.get_one(Incident, member.incident_id)
            _leave_alone(session, member, incident, LEFT_BEHIND, now_ms, routing)
    return len(behind)


def _clear(session: Session, area: Incident, at_ms: int, now_ms: int, routing: Routing) -> None:
    facts = tuple(Fact(fact["code"], dict(fact["params"])) for fact in area.facts)
    said = Transition(
        Change.CLEARED, area.site_id, CONDITION, area.subject, at_ms, Severity.CRITICAL,
        Cause(area.cause) if area.cause else None, area.confidence, facts, final=True,
    )  # fmt: skip
    lifecycle.apply(session, [said], now_ms, routing)


def _facts(names: Iterable[str], count: int) -> tuple[Fact, ...]:
    shown = ", ".join(sorted(set(names))[:_NAMES]) + (", …" if count > _NAMES else "")
    return (Fact("area_members", {"count": count, "names": shown}),)


def _places(session: Session, sites: set[str]) -> dict[str, Place]:
    names, found = sorted(sites), dict[str, Place]()
    groups: dict[str, set[str]] = {}
    for site, name in session.execute(select(SiteGroup.site_id, SiteGroup.name)):
        groups.setdefault(site, set()).add(name)
    for start in range(0, len(names), _CHUNK):
        query = select(*_PLACE).where(Site.id.in_(names[start : start + _CHUNK]))
        found.update(
            {row[0]: Place(*row, frozenset(groups.get(row[0], ()))) for row in session.execute(query)}
        )
    return found
