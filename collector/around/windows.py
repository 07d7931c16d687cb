"""Announced work and our own: which windows cover a site, and until when nobody is told of it.

``planned`` is what a utility or a provider announced: an outage that begins in it is planned. In
``maintenance`` windows everything is recorded as ever, and messages wait for their end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from collector.errors import VigiaError
from collector.rules.area import Place, metres
from collector.rules.site import Window
from collector.storage.state import Site, SiteGroup, WorkWindow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.orm import Session

PLANNED, MAINTENANCE = KINDS = ("planned", "maintenance")
SCOPES: Final = ("site_id", "group_name", "circuit", "provider")
KEPT_MS: Final = 30 * 86_400_000  # an outage may outlast its window by weeks


class WindowError(VigiaError):
    """A window that cannot be: says why."""


def add(session: Session, values: dict[str, Any], by: str, now_ms: int) -> WorkWindow:
    """Announce a window; ``values`` are columns of ``WorkWindow``. ``WindowError`` when it cannot be."""
    row = WorkWindow(**{"kind": PLANNED} | values, by=by, created_ms=now_ms)
    _check(session, row)
    session.add(row)
    session.flush()
    return row


def _check(session: Session, row: WorkWindow) -> None:
    if row.kind not in KINDS:
        raise WindowError(f"a window is {' or '.join(KINDS)}, not '{row.kind}'")
    if row.to_ms <= row.from_ms:
        raise WindowError("a window ends after it begins")
    circle = (row.lat, row.lon, row.radius_m)
    given = [name for name in SCOPES if getattr(row, name)] + (["circle"] if any(circle) else [])
    if len(given) > 1:
        raise WindowError("a window has one scope: a site, a group, a circuit, a provider or a circle")
    if any(part is not None for part in circle) and None in circle:
        raise WindowError("a circle needs lat, lon and radius_m")
    if row.site_id and session.get(Site, row.site_id) is None:
        raise WindowError(f"there is no site '{row.site_id}'")
    for name, column in (
        ("circuit", Site.circuit),
        ("provider", Site.provider),
        ("group_name", SiteGroup.name),
    ):
        value = getattr(row, name)
        if value and session.scalars(select(column).where(column == value).limit(1)).first() is None:
            raise WindowError(f"no site has the {name.partition('_')[0]} '{value}'")


def cancel(session: Session, window_id: int, now_ms: int) -> WorkWindow:
    """Take a window back: what it has already explained stays said. ``WindowError`` when there is none."""
    row = session.get(WorkWindow, window_id)
    if row is None:
        raise WindowError(f"there is no window {window_id}")
    row.cancelled_ms = row.cancelled_ms or now_ms
    return row


def listed(session: Session, now_ms: int, *, past: bool = False) -> list[WorkWindow]:
    """Return windows that are to come or on, ``past``: all, in the order of their beginning."""
    query = select(WorkWindow).order_by(WorkWindow.from_ms, WorkWindow.id)
    if not past:
        query = query.where(WorkWindow.to_ms > now_ms, WorkWindow.cancelled_ms.is_(None))
    return list(session.scalars(query))


def current(session: Session, now_ms: int) -> list[WorkWindow]:
    """Return what the rules may have to know: everything that ended less than ``KEPT_MS`` ago."""
    query = select(WorkWindow).where(WorkWindow.to_ms > now_ms - KEPT_MS, WorkWindow.cancelled_ms.is_(None))
    rows = list(session.scalars(query.order_by(WorkWindow.from_ms, WorkWindow.id)))
    for row in rows:
        session.expunge(row)  # they are kept longer than the transaction
    return rows


def covers(row: WorkWindow, place: Place) -> bool:
    """Tell whether a window is about a place."""
    if row.site_id:
        return row.site_id == place.id
    if row.group_name:
        return row.group_name in place.groups
    if row.circuit:
        return row.circuit == place.circuit
    if row.provider:
        return row.provider == place.provider
    if row.radius_m is not None:
        return metres(Place("", lat=row.lat, lon=row.lon), place) <= row.radius_m
    return True


def of(rows: Iterable[WorkWindow], place: Place) -> tuple[Window, ...]:
    """Return the planned windows of a place as the rules take them."""
    return tuple(
        Window(row.id, row.from_ms, row.to_ms, row.what)
        for row in rows
        if row.kind == PLANNED and covers(row, place)
    )


def silent_until(session: Session, site_id: str, at_ms: int) -> int:
    """Return when people may be told of a site again: ``at_ms`` when no maintenance window covers it."""
    query = select(WorkWindow).where(
        WorkWindow.kind == MAINTENANCE,
        WorkWindow.from_ms <= at_ms,
        WorkWindow.to_ms > at_ms,
        WorkWindow.cancelled_ms.is_(None),
    )
    rows: Sequence[WorkWindow] = session.scalars(query).all()
    if not rows:
        return at_ms
    here = place(session, site_id)
    return max((row.to_ms for row in rows if covers(row, here)), default=at_ms)


def place(session: Session, site_id: str) -> Place:
    """Return a site's place out of SQL."""
    site = session.get_one(Site, site_id)
    groups = session.scalars(select(SiteGroup.name).where(SiteGroup.site_id == site_id))
    return Place(
        site.id, site.name_es, site.premises, site.lat, site.lon, site.circuit, site.provider,
        frozenset(groups),
    )  # fmt: skip
