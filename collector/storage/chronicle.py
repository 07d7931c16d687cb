"""Writes what the rules concluded into the store, beside the readings: ``site_state`` and ``power_event``.

Central IT asks InfluxDB alone "which sites were dark in May". SQL is the truth; this follows it: incident
changes by their serial number (a cursor in SQL, moved after the store has taken them: a crash between
writes the same points again), site states when they change and every ``REPEAT_MS``, so that a query over
any range finds one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.wire import topics
from collector.errors import StoreUnavailableError
from collector.model import Point
from collector.storage.state import Cursor, Incident, IncidentChange, RuleState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from collector.log import Reporter
    from collector.storage.port import Store

REPEAT_MS = 60_000
PAUSE_MS = 10_000
CHANGES = 500  # of incidents, in one go
CURSOR = "chronicle"
STATUS = {"waiting": 0, "ok": 1, "degraded": 2, "dark": 3, "hazard": 4}
_VALUE = {"opened": 1, "reopened": 1, "cleared": 0}


class Chronicle:
    """Follows the sites of ``shards``; ``write`` is called every tick and costs one small query mostly."""

    def __init__(self, engine: Engine, store: Store, reporter: Reporter, shards: str) -> None:
        self._engine = engine
        self._store = store
        self._reporter = reporter
        self._shards = frozenset(shards)
        self._cursor = f"chronicle {''.join(sorted(self._shards))}"
        self._written: dict[str, tuple[str, int]] = {}
        self._again_ms = 0

    def write(self, now_ms: int) -> None:
        """Bring the store up to date; one that does not answer is asked again after ``PAUSE_MS``."""
        if now_ms < self._again_ms:
            return
        with Session(self._engine) as session:
            states = session.execute(select(RuleState.site_id, RuleState.status))
            due = [(site, status) for site, status in states if self._is_due(site, status, now_ms)]
            supply = _supply_lost(session) if due else set()
            cursor = session.get(Cursor, self._cursor) or Cursor(name=self._cursor, value=0)
            changes = _changes(session, cursor.value)
            points = [_state_point(site, status, site in supply, now_ms) for site, status in due]
            points += [
                point
                for change, incident in changes
                if self._is_mine(incident.site_id)
                for point in _event_points(change, incident)
            ]
            if not self._store_all(points):
                self._again_ms = now_ms + PAUSE_MS
                return
            self._written |= {site: (status, now_ms) for site, status in due}
            if changes:
                cursor.value = changes[-1][0].id
                session.add(cursor)
                session.commit()

    def _is_mine(self, site: str) -> bool:
        return topics.shard_of(site) in self._shards

    def _is_due(self, site: str, status: str, now_ms: int) -> bool:
        before, at_ms = self._written.get(site, ("", 0))
        return self._is_mine(site) and (status != before or now_ms - at_ms >= REPEAT_MS)

    def _store_all(self, points: list[Point]) -> bool:
        if not points:
            return True
        try:
            answers = self._store.write([[point] for point in points])
        except StoreUnavailableError as error:
            self._reporter.problem("store_unavailable", str(error))
            return False
        for point, answer in zip(points, answers, strict=True):
            if answer.reason is not None:
                self._reporter.problem(answer.reason, f"{point.measurement}: {answer.detail}")
        return True


def _changes(session: Session, after: int) -> list[tuple[IncidentChange, Incident]]:
    query = (
        select(IncidentChange, Incident)
        .join(Incident, Incident.id == IncidentChange.incident_id)
        .where(IncidentChange.id > after)
        .order_by(IncidentChange.id)
        .limit(CHANGES)
    )
    return [(change, incident) for change, incident in session.execute(query)]


def _supply_lost(session: Session) -> set[str]:
    """Return the sites at which a device measures no supply right now."""
    query = select(Incident.site_id).where(
        Incident.condition == "supply_lost", Incident.cleared_ms.is_(None), Incident.closed_ms.is_(None)
    )
    return set(session.scalars(query))


def _state_point(site: str, status: str, supply_lost: bool, now_ms: int) -> Point:  # noqa: FBT001 - one field
    fields = (
        ("status", STATUS.get(status, 0)),
        ("dark", int(status == "dark")),
        ("supply_lost", int(supply_lost)),
    )
    return Point("site_state", (("site", site),), fields, now_ms)


def _event_points(change: IncidentChange, incident: Incident) -> Iterator[Point]:
    value = _VALUE.get(change.kind)
    if value is not None and incident.condition != "area":  # its members are there, each at its site
        tags = (("site", incident.site_id), ("kind", incident.condition))
        yield Point("power_event", tags, (("value", value), ("incident", incident.id)), change.at_ms)
