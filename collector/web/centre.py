"""What the centre knows of itself, for health page and API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import or_, select

from collector.probes import record
from collector.probes.record import Health
from collector.storage.state import CentreSpan, Probe

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

STALE_MS: Final = 60_000  # who did not ask for so long knows nothing
FAULTS_MS: Final = 7 * 86_400_000
HEALTHS: Final = tuple(Health)


def probes(session: Session, now_ms: int) -> list[dict[str, Any]]:
    """Return every probe; ``unknown`` is one that nobody asks."""
    rows = {row.name: row for row in session.scalars(select(Probe))}
    return [_probe(name, rows.get(name), now_ms) for name in record.NAMES]


def _probe(name: str, row: Probe | None, now_ms: int) -> dict[str, Any]:
    fresh = row is not None and now_ms - row.checked_ms < STALE_MS
    return {
        "name": name,
        "health": (record.health(row) if fresh else Health.UNKNOWN).value,
        "since_ms": row.since_ms if row else None,
        "checked_ms": row.checked_ms if row else None,
        "latency_ms": row.latency_ms if row else None,
        "detail": row.detail if row else "",
    }


def faults(session: Session, now_ms: int) -> list[dict[str, Any]]:
    """Return when the centre was at fault or did not listen, newest first."""
    query = select(CentreSpan).where(
        CentreSpan.refuted.is_(False),
        or_(CentreSpan.until_ms.is_(None), CentreSpan.until_ms > now_ms - FAULTS_MS),
    )
    return [
        {"what": row.what, "since_ms": row.since_ms, "until_ms": row.until_ms}
        for row in session.scalars(query.order_by(CentreSpan.since_ms.desc()).limit(200))
    ]
