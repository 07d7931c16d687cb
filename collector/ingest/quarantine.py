"""What was not accepted, kept for a person to look at: bounded, with its reason.

Rows that wait for requeue (``held``: frames with a table whose measurement is not known yet) are limited
per device and never pushed out by others; the rest is a ring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from collector.model import Outcome, Reason
from collector.storage.state import Quarantined

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from collector.ingest.batch import Item

HELD_PER_DEVICE = 200
_EVIDENCE_BYTES = 4096  # of what did not verify
_TOPIC_CHARS = 200
_KEPT = {Outcome.INVALID, Outcome.REFUSED}


class Quarantine:
    """Writes quarantined rows within the caller's transaction."""

    def __init__(self, rows: int) -> None:
        self._rows = rows

    def keep(self, session: Session, items: list[Item]) -> None:
        """Keep what of a batch is to be kept, then drop the oldest beyond the limit."""
        rows = [row for item in items if (row := _rejected(item)) is not None]
        session.add_all(rows)
        for item in items:
            if item.held and item.verdict is not None and item.verdict.outcome is Outcome.STORED:
                self._hold(session, item)
        if rows:
            session.flush()
            newest = max(row.id for row in rows)
            outdated = (Quarantined.held.is_(False), Quarantined.id <= newest - self._rows)
            session.execute(delete(Quarantined).where(*outdated))

    def _hold(self, session: Session, item: Item) -> None:
        device = item.address.device if item.address else None
        held = select(func.count()).where(Quarantined.held.is_(True), Quarantined.device_id == device)
        if (session.scalar(held) or 0) < HELD_PER_DEVICE:
            row = _row(item, item.held[0][1], item.received.payload)
            row.held = True
            session.add(row)


def _rejected(item: Item) -> Quarantined | None:
    verdict = item.verdict
    if verdict is None or verdict.outcome not in _KEPT:
        return None
    payload = item.received.payload
    if verdict.outcome is Outcome.INVALID:
        payload = payload[:_EVIDENCE_BYTES]
    return _row(item, verdict.reason or Reason.MALFORMED, payload)


def _row(item: Item, reason: Reason, payload: bytes) -> Quarantined:
    return Quarantined(
        at_ms=item.received.arrival_ms,
        reason=reason.value,
        device_id=item.address.device if item.address else None,
        topic=item.received.topic[:_TOPIC_CHARS],
        payload=payload,
        size=len(item.received.payload),
        held=False,
    )
