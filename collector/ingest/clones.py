"""Two incarnations under one key that both go on sealing: a copied unit.

A unit runs one agent at a time, so the times in which its incarnations are heard live follow each other.
A frame is live when it arrives within ``FRESH_MS`` of its sealing and the broker did not hold it back;
backlog is not, whatever order it comes in. An incarnation heard live again after another one has been live
for more than ``OVERLAP_MS`` is a clone: that bound is the error of the sealing time (a clock is believed
within a minute) and of the freshness together. Neither the boot counter nor any clock step of the device can
make this up, and a step of the collector's clock cannot either, since only a return is looked at.

Where nothing dates an incarnation (no clock, and a counter below the current one's), its pace does: frames
that arrive as far apart as they were sealed are live; a backlog comes faster, or the newest first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from collector.ingest import tail
from collector.ingest.clock import FRESH_MS
from collector.model import Quality
from collector.storage.state import Incarnation

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from collector.ingest.batch import Item
    from collector.ingest.ledger import Ledger
    from collector.model import Frame
    from collector.storage.state import DeviceState

OVERLAP_MS = 2 * FRESH_MS
_PACE_MS = 10_000  # apart at least, so that a burst of backlog does not look like it
_JITTER_MS = 5_000


def is_live(item: Item, frame: Frame, ledger: Ledger) -> bool:
    """Whether a new frame, whose time is resolved, was sealed just now. ``ledger`` does not have it yet."""
    if not item.received.live:
        return False
    if item.work.quality is Quality.BOUNDED:
        return _keeps_pace(frame, ledger)
    return abs(frame.arrival_ms - item.work.time_ms) <= FRESH_MS


def _keeps_pace(frame: Frame, ledger: Ledger) -> bool:
    """Whether as much time passed here as there since the newest frame, which must be the last that came."""
    sealed_ms = tail.head_uptime_ms(ledger.tail)
    if sealed_ms is None or frame.seq is None or frame.uptime_ms <= sealed_ms:
        return False
    apart_ms = frame.arrival_ms - ledger.last_ms
    return apart_ms >= _PACE_MS and abs(apart_ms - (frame.uptime_ms - sealed_ms)) <= _JITTER_MS


def hear(session: Session, frame: Frame, row: Incarnation, state: DeviceState) -> bool:
    """Take a live frame; say whether it shows that its key is in use twice."""
    returned = row.live_last_ms is not None and state.speaker != frame.incarnation
    if row.live_first_ms is None:
        row.live_first_ms = frame.arrival_ms
    row.live_last_ms = max(row.live_last_ms or 0, frame.arrival_ms)
    state.speaker = frame.incarnation
    return returned and _overlaps(session, row)


def _overlaps(session: Session, row: Incarnation) -> bool:
    first_ms, last_ms = row.live_first_ms or 0, row.live_last_ms or 0
    query = select(Incarnation).where(
        Incarnation.kid == row.kid,
        Incarnation.incarnation != row.incarnation,
        Incarnation.live_last_ms > first_ms + OVERLAP_MS,
        Incarnation.live_first_ms < last_ms - OVERLAP_MS,
    )
    others = session.scalars(query)
    return any(
        min(last_ms, other.live_last_ms or 0) - max(first_ms, other.live_first_ms or 0) > OVERLAP_MS
        for other in others
    )
