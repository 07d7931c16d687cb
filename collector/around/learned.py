"""Which sites fell together in the past: counts of pairs against how often each fell.

In the manner of arXiv 1912.03357 (assets that fail together, learned from events alone): only pairs of sites
that are near each other or on one circuit are counted, one row for each that ever fell together. It is
counted when the last fall of a site ends; a pair is counted by the site whose name comes first, once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from collector.rules import area
from collector.storage.state import Fallen, FellTogether

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session


def learn(session: Session, site: str, partners: Iterable[str]) -> None:
    """Count a fall that is over, and who fell with it."""
    fallen = session.get(Fallen, site)
    if fallen is None:
        session.add(Fallen(site_id=site, times=1))
    else:
        fallen.times += 1
    for other in partners:
        if site < other:
            pair = session.get(FellTogether, (site, other))
            if pair is None:
                session.add(FellTogether(site_id=site, other_id=other, times=1))
            else:
                pair.times += 1


def recall(session: Session, sites: Iterable[str]) -> tuple[dict[tuple[str, str], int], dict[str, int]]:
    """Return how often these sites fell with whom, and how often at all."""
    names = list(sites)
    pairs = select(FellTogether).where(or_(FellTogether.site_id.in_(names), FellTogether.other_id.in_(names)))
    together = {area.pair(row.site_id, row.other_id): row.times for row in session.scalars(pairs)}
    times = {
        row.site_id: row.times for row in session.scalars(select(Fallen).where(Fallen.site_id.in_(names)))
    }
    return together, times
