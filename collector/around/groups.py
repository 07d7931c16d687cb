"""Groups of sites that operators make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from collector.errors import VigiaError
from collector.storage.state import Site, SiteGroup

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session

LONGEST = 64


class GroupError(VigiaError):
    """A group that cannot be: says why."""


def add(session: Session, name: str, sites: Collection[str]) -> None:
    """Put sites into a group; who is in it stays. ``GroupError`` for a site that there is not."""
    if not 0 < len(name) <= LONGEST:
        raise GroupError(f"the name of a group has 1 to {LONGEST} characters")
    known = set(session.scalars(select(Site.id).where(Site.id.in_(list(sites)))))
    if missing := sorted(set(sites) - known):
        raise GroupError(f"there is no site '{missing[0]}'")
    for site in sites:
        session.merge(SiteGroup(name=name, site_id=site))


def remove(session: Session, name: str, sites: Collection[str]) -> int:
    """Take sites (none given: all) out of a group; return how many were in it."""
    query = select(SiteGroup).where(SiteGroup.name == name)
    rows = [row for row in session.scalars(query) if not sites or row.site_id in sites]
    for row in rows:
        session.delete(row)
    return len(rows)


def listed(session: Session) -> dict[str, list[str]]:
    """Return every group and its sites."""
    found: dict[str, list[str]] = {}
    for row in session.scalars(select(SiteGroup).order_by(SiteGroup.name, SiteGroup.site_id)):
        found.setdefault(row.name, []).append(row.site_id)
    return found
