"""Stage ``receive``: which frames are new, which were seen before, which is the newest of its device.

Per key and incarnation the state keeps the seqs received as intervals. The order of a device's incarnations
is that of its keys, then of the boot counter, then of first sight: it decides what is current.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from agent.wire import intervals
from collector.model import Outcome, Reason
from collector.storage.state import DeviceState, Incarnation, Key

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from collector.ingest.batch import Batch, Item
    from collector.model import Frame

MAX_INTERVALS = 256  # of one incarnation; more collapse to a floor
DIGESTS = 20_000  # recent frames whose content is remembered
_NTH_BITS = 16
_BOOT_BITS = 36
_BOOT_MAX = (1 << _BOOT_BITS) - 1


def pack_order(key_index: int, boot: int, nth: int) -> int:
    """One number that orders a device's incarnations: by key, then boot, then first sight."""
    nth = min(nth, (1 << _NTH_BITS) - 1)
    return ((key_index << _BOOT_BITS | min(boot, _BOOT_MAX)) << _NTH_BITS) | nth


def refused(row: Incarnation, seq: int) -> str | None:
    """Return the reason for which a seq was refused, None when it was not."""
    return next((reason for lo, hi, reason in row.refused if lo <= seq <= hi), None)


class ReceiveStage:
    """Opens the unit of work, loads what the state knows, and sorts new frames from old."""

    name = "receive"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._digests: OrderedDict[tuple[str, str, int], bytes] = OrderedDict()

    def __call__(self, batch: Batch) -> None:
        """Begin the unit of work."""
        batch.session = Session(self._engine, expire_on_commit=False)
        framed = batch.framed()
        if not framed:
            return
        rows = self._load(batch, [frame for _, frame in framed])
        seen: dict[tuple[str, str], set[int]] = {}
        marks = {device: (state.incarnation_order, state.seq) for device, state in batch.states.items()}
        for item, frame in framed:
            row = item.work.incarnation = rows[frame.kid, frame.incarnation]
            if frame.seq is not None:
                self._judge(item, frame, row, seen.setdefault((frame.kid, frame.incarnation), set()))
            if item.work.new and frame.seq is not None:
                mark = (row.order, frame.seq)
                item.work.current = mark > marks.get(frame.device, (-1, -1))
                marks[frame.device] = max(mark, marks.get(frame.device, mark))

    def _judge(self, item: Item, frame: Frame, row: Incarnation, seen: set[int]) -> None:
        seq = frame.seq or 0
        if seq < row.floor:
            item.finish(Outcome.REFUSED, Reason.TOO_OLD_TO_JUDGE, f"seq {seq} is below {row.floor}")
            return
        known = seq in seen or intervals.contains(row.stored, seq) or refused(row, seq) is not None
        if not self._same(frame, known=known):
            item.finish(Outcome.REFUSED, Reason.SEQ_REUSED, f"seq {seq} came before with other content")
        elif known:
            item.finish(Outcome.DUPLICATE)
        else:
            item.work.new = True
            seen.add(seq)

    def _same(self, frame: Frame, *, known: bool) -> bool:
        """Whether the content is that of the frame that came before under this seq, as far as remembered."""
        key = (frame.kid, frame.incarnation, frame.seq or 0)
        if known:
            return self._digests.get(key, frame.digest) == frame.digest
        self._digests[key] = frame.digest
        if len(self._digests) > DIGESTS:
            self._digests.popitem(last=False)
        return True

    def _load(self, batch: Batch, frames: list[Frame]) -> dict[tuple[str, str], Incarnation]:
        session = batch.database()
        devices = {frame.device for frame in frames}
        states = session.scalars(select(DeviceState).where(DeviceState.device_id.in_(devices)))
        batch.states = {state.device_id: state for state in states}
        wanted = {(frame.kid, frame.incarnation): frame for frame in frames}
        columns = tuple_(Incarnation.kid, Incarnation.incarnation)
        found = session.scalars(select(Incarnation).where(columns.in_(list(wanted))))
        rows = {(row.kid, row.incarnation): row for row in found}
        for key, frame in wanted.items():
            if key not in rows:
                rows[key] = self._begin(session, frame)
                batch.begun = True
        return rows

    def _begin(self, session: Session, frame: Frame) -> Incarnation:
        row = Incarnation(
            kid=frame.kid,
            incarnation=frame.incarnation,
            device_id=frame.device,
            boot=min(frame.boot, _BOOT_MAX),
            kernel_boot=frame.kernel_boot,
            order=_order(session, frame),
            clock_trusted=True,
            stored=[],
            refused=[],
            dropped={},
            floor=0,
            stored_below=0,
            first_ms=frame.arrival_ms,
            last_ms=frame.arrival_ms,
        )
        session.add(row)
        session.flush()
        return row


def _order(session: Session, frame: Frame) -> int:
    boot = min(frame.boot, _BOOT_MAX)
    nth = session.scalar(select(func.count()).where(Incarnation.kid == frame.kid, Incarnation.boot == boot))
    begun = select(Key.from_ms).where(Key.kid == frame.kid).scalar_subquery()
    earlier = tuple_(Key.from_ms, Key.kid) < tuple_(begun, frame.kid)
    index = session.scalar(select(func.count()).where(Key.device_id == frame.device, earlier))
    return pack_order(index or 0, boot, nth or 0)
