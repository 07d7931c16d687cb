"""What was not accepted, kept for a person to look at: bounded, with its reason.

Rows that wait for requeue (``held``: frames with a table whose measurement is not known yet) are limited per
device, in rows and bytes, and never pushed out by anything. The rest is a ring of which one device fills no
more than a share, and no more than a few rows with one batch: a flood leaves a sample, counters have the sum.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from collector.model import Outcome, Reason
from collector.storage.state import Quarantined

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from collector.ingest.batch import Item

HELD_PER_DEVICE = 200
HELD_BYTES_PER_DEVICE = 2 * 1024 * 1024
PER_BATCH = 10  # rows of one device
_SHARES = 20  # of the ring; one device has one
_LEAST = 20  # rows of a share
_EVIDENCE_BYTES = 4096  # of what did not verify
_TOPIC_CHARS = 200
_DETAIL_CHARS = 300
_KEPT = {Outcome.INVALID, Outcome.REFUSED}


class Quarantine:
    """Writes quarantined rows within the caller's transaction."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._share = max(rows // _SHARES, _LEAST)

    def keep(self, session: Session, items: list[Item]) -> list[str]:
        """Keep what of a batch is to be kept; return the devices of which nothing more can be held."""
        rows = _sample(items)
        session.add_all(rows)
        full = [
            device
            for item in items
            if item.held and item.verdict is not None and item.verdict.outcome is Outcome.STORED
            if (device := _hold(session, item)) is not None
        ]
        if rows:
            session.flush()
            self._trim(session, max(row.id for row in rows), {row.device_id for row in rows})
        return full

    def _trim(self, session: Session, newest: int, devices: Iterable[str | None]) -> None:
        """Drop the oldest beyond the limits."""
        ring = Quarantined.held.is_(False)
        session.execute(delete(Quarantined).where(ring, Quarantined.id <= newest - self._rows))
        for device in devices:
            mine = (ring, Quarantined.device_id == device)
            ids = select(Quarantined.id).where(*mine).order_by(Quarantined.id.desc())
            last = session.scalar(ids.offset(self._share).limit(1))
            if last is not None:
                session.execute(delete(Quarantined).where(*mine, Quarantined.id <= last))


def _sample(items: list[Item]) -> list[Quarantined]:
    """Return the rows of what was rejected, the first few of each device."""
    rows: list[Quarantined] = []
    taken: Counter[str] = Counter()
    for item in items:
        device = item.address.device if item.address else ""
        if item.verdict is not None and item.verdict.outcome in _KEPT and taken[device] < PER_BATCH:
            taken[device] += 1
            rows.append(_rejected(item))
    return rows


def _hold(session: Session, item: Item) -> str | None:
    """Hold a frame for requeue; return its device when that has no room left."""
    device = item.address.device if item.address else ""
    mine = (Quarantined.held.is_(True), Quarantined.device_id == device)
    count, size = session.execute(
        select(func.count(), func.coalesce(func.sum(Quarantined.size), 0)).where(*mine)
    ).one()
    if count >= HELD_PER_DEVICE or size + len(item.received.payload) > HELD_BYTES_PER_DEVICE:
        return device
    names = ", ".join(sorted({table.measurement for table, _ in item.held}))
    row = _row(item, item.held[0][1], item.received.payload, names)
    row.held, row.sealed_ms, row.quality = True, item.work.time_ms, item.work.quality.value
    session.add(row)
    return None


def _rejected(item: Item) -> Quarantined:
    verdict, payload = item.verdict, item.received.payload
    reason = (verdict.reason if verdict else None) or Reason.MALFORMED
    if verdict is not None and verdict.outcome is Outcome.INVALID:
        payload = payload[:_EVIDENCE_BYTES]
    return _row(item, reason, payload, verdict.detail if verdict else "")


def _row(item: Item, reason: Reason, payload: bytes, detail: str) -> Quarantined:
    return Quarantined(
        at_ms=item.received.arrival_ms,
        reason=reason.value,
        device_id=item.address.device if item.address else None,
        topic=item.received.topic[:_TOPIC_CHARS],
        payload=payload,
        size=len(item.received.payload),
        held=False,
        detail=detail[:_DETAIL_CHARS],
    )
