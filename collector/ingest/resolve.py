"""Stages ``resolve`` and ``points``: when and where a frame's samples were taken, and the points they make.

What decides both (anchor, disbelief, the places of a device) is committed before the first point is
written; see ``clock``.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import select

from collector.ingest import clock
from collector.model import Outcome, Quality, Reason, Rows
from collector.rules.reads import reads
from collector.storage import points
from collector.storage.state import Incarnation

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from collector.ingest.batch import Batch, Item
    from collector.ingest.lease import Leases
    from collector.ingest.ports import Registry
    from collector.log import Reporter
    from collector.model import Frame, Observation

Numbered = list[tuple["Item", "Frame", Incarnation]]


class ResolveStage:
    """Gives every new frame its time, and commits what that rests on."""

    name = "resolve"

    def __init__(self, leases: Leases, reporter: Reporter) -> None:
        self._leases = leases
        self._reporter = reporter
        self._fleet = clock.FleetSkew()
        self._ours = False  # the clock that is off

    def __call__(self, batch: Batch) -> None:
        """Resolve the time of every new frame."""
        numbered = _numbered(batch)
        session = batch.database()
        _anchor(session, numbered)
        for item, frame, row in numbered:
            self._resolve(session, item, frame, row)
        if batch.begun or session.dirty:
            self._leases.check(session, batch.shards)
        session.commit()  # without changes this only gives the connection back while the store writes

    def _resolve(self, session: Session, item: Item, frame: Frame, row: Incarnation) -> None:
        current, live = item.work.current, item.received.live
        if clock.tells_freshness(frame, row, current=current, live=live):
            self._fleet.note(frame.device, frame.arrival_ms - (frame.wall_ms or 0))
            self._ours = self._fleet.ours()
        ours = self._ours
        if ours:
            self._reporter.problem("collector_clock", "the fleet's clocks agree against ours: check NTP here")
        elif fault := clock.find_fault(frame, row, current=current, live=live):
            self._reporter.problem("clock_fault", f"{frame.device}: {fault}; its arrival is used instead")
            clock.distrust(frame, row, live=live, next_ms=_next_boot(session, row))
        clock.judged(frame, row)
        found = clock.resolve(frame, row)
        if found.future and found.quality is not Quality.SYNCED and not ours:
            clock.correct(frame, row, live=current and live, next_ms=_next_boot(session, row))
            found = clock.resolve(frame, row)
        item.work.time_ms, item.work.quality = found.time_ms, found.quality
        if found.future and not ours:
            item.finish(
                Outcome.REFUSED, Reason.FUTURE, f"sealed {found.time_ms - frame.arrival_ms} ms from now"
            )


def _numbered(batch: Batch) -> Numbered:
    """Return the new frames that carry a seq; a death has no samples and happened when it arrived."""
    found = []
    for item, frame in batch.framed():
        if item.work.new and item.work.incarnation is not None:
            found.append((item, frame, item.work.incarnation))
    return found


def _anchor(session: Session, numbered: Numbered) -> None:
    """Anchor the incarnations that have no anchor, from all frames of the batch."""
    without: dict[tuple[str, str], tuple[Incarnation, list[tuple[Frame, bool]]]] = {}
    for item, frame, row in numbered:
        if row.anchor_ms is None:
            entry = without.setdefault((row.kid, row.incarnation), (row, []))
            entry[1].append((frame, item.work.current and item.received.live))
    # in order of the incarnations: a later one's anchor bounds an earlier one, so the latest goes first
    for row, frames in sorted(without.values(), key=lambda entry: -entry[0].order):
        anchor, source = clock.first_anchor(frames, _sibling(session, row), _next_boot(session, row))
        row.anchor_ms, row.anchor_source = anchor, source.value


def _sibling(session: Session, row: Incarnation) -> tuple[int, Quality] | None:
    """Return the anchor of another incarnation of the same kernel boot: uptime counts on."""
    query = select(Incarnation).where(
        Incarnation.kid == row.kid,
        Incarnation.kernel_boot == row.kernel_boot,
        Incarnation.incarnation != row.incarnation,
        Incarnation.anchor_ms.is_not(None),
    )
    other = session.scalars(query.order_by(Incarnation.order.desc()).limit(1)).first()
    if other is None or other.anchor_ms is None:
        return None
    if other.fault_anchor_ms is not None:
        return other.fault_anchor_ms, Quality(other.fault_source or Quality.ARRIVAL)
    return other.anchor_ms, Quality(other.anchor_source or Quality.BOUNDED)


def _next_boot(session: Session, row: Incarnation) -> int | None:
    """When the device's next kernel boot began, as far as known."""
    query = select(Incarnation.anchor_ms).where(
        Incarnation.device_id == row.device_id,
        Incarnation.order > row.order,
        Incarnation.kernel_boot != row.kernel_boot,
        Incarnation.anchor_ms.is_not(None),
    )
    return session.scalars(query.order_by(Incarnation.order).limit(1)).first()


class PointsStage:
    """Turns tables into points and into what the rules are told."""

    name = "points"

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def __call__(self, batch: Batch) -> None:
        """Make the points of every new frame."""
        for item, frame, _ in _numbered(batch):
            if not frame.tables:
                continue
            places = points.Places(partial(self._registry.site_of, frame.device), item.work.time_ms)
            usual = frame.usual
            parts = places.parts_of_usual(usual) if usual else None
            if parts is None:
                usual, parts = None, [part for table in frame.tables for part in places.parts_of(table)]
            item.work.newest_ms = places.newest_ms
            item.work.observations = _told(item, frame, parts)
            item.work.points = points.FramePoints(frame.device, item.work.quality, parts, usual)
            if not parts and _has_values(frame):
                item.finish(Outcome.REFUSED, Reason.NO_ASSIGNMENT, f"{frame.device} was at no facility then")


def _told(item: Item, frame: Frame, parts: list[points.Part]) -> list[tuple[str, Observation]]:
    """Return what the rules are told: the rows that they read, and of the others one for each moment."""
    current = item.work.current and item.work.quality is not Quality.BOUNDED
    told: list[tuple[str, Observation]] = []
    moments: set[int] = set()
    unread: list[points.Part] = []
    for part in parts:
        if reads(part.table.measurement, part.table.instance):
            told.append((part.site, _rows(frame.device, part, current=current)))
            moments.update(part.times_ms)
        else:
            unread.append(part)
    rest = {
        at: (part, row)
        for part in unread
        if not moments.issuperset(part.times_ms)
        for at, row in zip(part.times_ms, part.rows, strict=True)
        if at not in moments
    }
    for at, (part, row) in rest.items():
        told.append(
            (part.site, _rows(frame.device, part._replace(times_ms=[at], rows=[row]), current=current))
        )
    return told


def _rows(device: str, part: points.Part, *, current: bool) -> Rows:
    measurement, instance, names, _ = part.table
    return Rows(device, part.times_ms, measurement, instance, names, part.rows, current)


def _has_values(frame: Frame) -> bool:
    return any(value is not None for table in frame.tables for row in table.rows for value in row[1:])
