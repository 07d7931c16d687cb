"""Stage ``receive``: which frames are new, which were seen before, which is the newest of its device.

Per key and incarnation the state keeps the seqs received as intervals. What lies below the floor of an old
set, or belongs to an incarnation that may have been forgotten, can no longer be judged: it is quarantined
under that name and never called a replay or a duplicate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from agent.wire import intervals
from collector.ingest import order, tail
from collector.model import Outcome, Reason
from collector.storage.state import DeviceState, Incarnation

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from collector.ingest.batch import Batch, Item
    from collector.model import Frame

# Of one incarnation; more collapse to a floor. A full spool of which every second frame was thinned has
# fewer: its older half, which comes last, must not fall below a floor that its newer half raised.
MAX_INTERVALS = 2_048

Name = tuple[str, str]  # kid, incarnation


def refused(row: Incarnation, seq: int) -> str | None:
    """Return the reason for which a seq was refused, None when it was not."""
    return next((reason for lo, hi, reason in row.refused if lo <= seq <= hi), None)


class ReceiveStage:
    """Opens the unit of work, loads what the state knows, and sorts new frames from old."""

    name = "receive"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(self, batch: Batch) -> None:
        """Begin the unit of work."""
        batch.session = Session(self._engine, expire_on_commit=False)
        framed = batch.framed()
        if not framed:
            return
        rows = self._load(batch, framed)
        seen: dict[Name, dict[int, bytes]] = {}
        marks = {device: (state.incarnation_order, state.seq) for device, state in batch.states.items()}
        for item, frame in framed:
            row = item.work.incarnation = rows.get((frame.kid, frame.incarnation))
            if row is None:
                item.finish(Outcome.REFUSED, Reason.TOO_OLD_TO_JUDGE, "an incarnation that was forgotten")
                continue
            if frame.seq is not None:
                _judge(item, frame, frame.seq, row, seen.setdefault((frame.kid, frame.incarnation), {}))
            if item.work.new and frame.seq is not None:
                mark = (row.order, frame.seq)
                item.work.current = mark > marks.get(frame.device, (-1, -1))
                marks[frame.device] = max(mark, marks.get(frame.device, mark))

    def _load(self, batch: Batch, framed: list[tuple[Item, Frame]]) -> dict[Name, Incarnation]:
        session = batch.database()
        devices = {frame.device for _, frame in framed}
        states = session.scalars(select(DeviceState).where(DeviceState.device_id.in_(devices)))
        batch.states = {state.device_id: state for state in states}
        wanted = {(frame.kid, frame.incarnation) for _, frame in framed}
        columns = tuple_(Incarnation.kid, Incarnation.incarnation)
        found = session.scalars(select(Incarnation).where(columns.in_(list(wanted))))
        rows = {(row.kid, row.incarnation): row for row in found}
        for item, frame in _introductions(framed, rows):
            self._introduce(batch, item, frame, rows)
        return rows

    def _introduce(self, batch: Batch, item: Item, frame: Frame, rows: dict[Name, Incarnation]) -> None:
        """Begin an incarnation that is not known, and give one that is born its place."""
        session, state, live = batch.database(), batch.states.get(frame.device), item.received.live
        name = frame.kid, frame.incarnation
        if name not in rows:
            if order.is_forgotten(session, frame, state, live=live):
                return
            rows[name] = _begin(session, frame)
            order.hold_back(session, frame, rows[name], state)
            order.forget(session, frame.kid)
            batch.begun = True
        order.advance(session, frame, rows[name], state, live=live)


def _introductions(
    framed: list[tuple[Item, Frame]], rows: dict[Name, Incarnation]
) -> list[tuple[Item, Frame]]:
    """Return one frame of each incarnation that is not known, a birth if there is one, and all new births."""
    found: dict[tuple[Name, int], tuple[Item, Frame]] = {}
    for item, frame in framed:
        name = frame.kid, frame.incarnation
        row = rows.get(name)
        born = frame.kind == "birth" and frame.seq is not None
        if born and not (row and intervals.contains(row.stored, frame.seq or 0)):
            found[name, -1] = item, frame
        elif row is None:
            found.setdefault((name, 0), (item, frame))
    return [entry for _, entry in sorted(found.items(), key=lambda known: known[0][1])]


def _judge(item: Item, frame: Frame, seq: int, row: Incarnation, seen: dict[int, bytes]) -> None:
    if seq < row.floor:
        item.finish(Outcome.REFUSED, Reason.TOO_OLD_TO_JUDGE, f"seq {seq} is below {row.floor}")
        return
    known = intervals.contains(row.stored, seq) or refused(row, seq) is not None
    if fault := _reused(frame, seq, row, seen.get(seq), known=known):
        item.finish(Outcome.REFUSED, Reason.SEQ_REUSED, fault)
    elif known or seq in seen:
        item.finish(Outcome.DUPLICATE)
    else:
        item.work.new = True
        seen[seq] = frame.digest


def _reused(frame: Frame, seq: int, row: Incarnation, before: bytes | None, *, known: bool) -> str | None:
    """Say what shows that a seq, or the whole incarnation, is in use a second time."""
    if frame.kernel_boot != row.kernel_boot:
        return "its incarnation was drawn before, in another run of the kernel"
    if before is not None:
        return None if before == frame.digest else f"seq {seq} came before with other content"
    if known and tail.differs(row.tail, seq, frame.uptime_ms, frame.digest):
        return f"seq {seq} came before with other content"
    return None


def _begin(session: Session, frame: Frame) -> Incarnation:
    row = Incarnation(
        kid=frame.kid,
        incarnation=frame.incarnation,
        device_id=frame.device,
        boot=min(frame.boot, order.BOOT_MAX),
        kernel_boot=frame.kernel_boot,
        order=order.first_order(session, frame),
        clock_trusted=True,
        judged_seq=-1,
        stored=[],
        refused=[],
        dropped={},
        floor=0,
        stored_below=0,
        first_ms=frame.arrival_ms,
        last_ms=frame.arrival_ms,
        tail=b"",
    )
    session.add(row)
    session.flush()
    return row
