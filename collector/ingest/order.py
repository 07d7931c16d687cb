"""The order of a device's incarnations: by key, boot counter, first sight; it decides what is current.

The counter lives in flash and may be rolled back (a reset, a restored image). An incarnation that is shown to
be newer than the current one, by its kernel's uptime, by a synchronised clock or by being born live while the
current one is quiet, goes after it whatever its counter says. One that was live before the current one, and
so was replaced by it, never does: two that take turns are a clone (``clones``), not a succession.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, tuple_

from collector.ingest import tail
from collector.ingest.clock import FRESH_MS
from collector.storage.state import Incarnation, Key, KeyFloor

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from collector.model import Frame
    from collector.storage.state import DeviceState

MAX_INCARNATIONS = 512  # of a key; what was heard longest ago is forgotten
QUIET_MS = 30_000  # a device that runs says something more often: its frame interval
BOOT_BITS = 36
BOOT_MAX = (1 << BOOT_BITS) - 1
_NTH_BITS = 16


def pack_order(key_index: int, boot: int, nth: int) -> int:
    """One number that orders a device's incarnations: by key, then boot, then first sight."""
    nth = min(nth, (1 << _NTH_BITS) - 1)
    return ((key_index << BOOT_BITS | min(boot, BOOT_MAX)) << _NTH_BITS) | nth


def _key_of(order: int) -> int:
    return order >> (_NTH_BITS + BOOT_BITS)


def first_order(session: Session, frame: Frame) -> int:
    """Return the place of an incarnation never seen before: the last of its boot counter."""
    begun = select(Key.from_ms).where(Key.kid == frame.kid).scalar_subquery()
    earlier = tuple_(Key.from_ms, Key.kid) < tuple_(begun, frame.kid)
    index = session.scalar(select(func.count()).where(Key.device_id == frame.device, earlier)) or 0
    lowest, highest = pack_order(index, frame.boot, 0), pack_order(index, frame.boot, 1 << _NTH_BITS)
    within = (Incarnation.kid == frame.kid, Incarnation.order.between(lowest, highest))
    last = session.scalar(select(func.max(Incarnation.order)).where(*within))
    return lowest if last is None else min(last + 1, highest)


def advance(
    session: Session, frame: Frame, row: Incarnation, state: DeviceState | None, *, live: bool
) -> None:
    """Move a born incarnation behind the current one when it is shown to be newer."""
    if frame.kind != "birth" or state is None or row.order >= state.incarnation_order:
        return
    if _key_of(row.order) == _key_of(state.incarnation_order) and is_newer(
        session, frame, row, state, live=live
    ):
        row.order = state.incarnation_order + 1


def is_newer(
    session: Session, frame: Frame, row: Incarnation | None, state: DeviceState, *, live: bool
) -> bool:
    """Whether the incarnation of a birth (``row``: what is known of it) began after the current one."""
    top = session.get(Incarnation, (frame.kid, state.incarnation))
    if top is None:
        return False
    if row is not None and row.live_first_ms is not None and row.live_first_ms <= (top.live_last_ms or 0):
        return False
    if top.kernel_boot == frame.kernel_boot:
        return frame.uptime_ms > (tail.head_uptime_ms(top.tail) or 0)
    quiet_ms = frame.arrival_ms - (top.live_last_ms or 0)
    if live and frame.boot > top.boot and quiet_ms >= 2 * QUIET_MS:
        return True  # backlog comes while its successor speaks; a clock may be wrong
    if frame.wall_ms is not None and frame.wall_ms <= frame.arrival_ms + FRESH_MS:
        return frame.wall_ms > _newest_ms(top, state)
    return live and frame.arrival_ms - (state.arrival_ms or 0) >= QUIET_MS


def hold_back(session: Session, frame: Frame, row: Incarnation, state: DeviceState | None) -> None:
    """Put an incarnation never seen before behind the current one when it is shown to be older.

    That is the backlog from before the counter was rolled back: its counter is higher, and it must neither
    set live state nor be dated by its arrival.
    """
    if state is None or row.order <= state.incarnation_order:
        return
    if _key_of(row.order) == _key_of(state.incarnation_order) and _is_older(session, frame, state):
        row.order = state.incarnation_order - 1


def _is_older(session: Session, frame: Frame, state: DeviceState) -> bool:
    """Whether a first frame was sealed before the current incarnation; a birth is news, by all but uptime."""
    top = session.get(Incarnation, (frame.kid, state.incarnation))
    if top is None:
        return False
    if top.kernel_boot == frame.kernel_boot:
        return frame.uptime_ms < (tail.head_uptime_ms(top.tail) or 0)
    if frame.kind == "birth":
        return False
    if frame.wall_ms is not None:
        return frame.wall_ms < _newest_ms(top, state) - FRESH_MS
    return frame.arrival_ms - (top.live_last_ms or 0) <= 2 * FRESH_MS


def _newest_ms(top: Incarnation, state: DeviceState) -> int:
    """When the newest frame of the current incarnation was sealed, as far as known."""
    if state.sample_ms is not None:
        return state.sample_ms
    anchor_ms, uptime_ms = top.anchor_ms, tail.head_uptime_ms(top.tail)
    return top.last_ms if anchor_ms is None or uptime_ms is None else anchor_ms + uptime_ms


def is_forgotten(session: Session, frame: Frame, state: DeviceState | None, *, live: bool) -> bool:
    """Whether an incarnation that is not known may be one that was forgotten."""
    floor = session.get(KeyFloor, frame.kid)
    if floor is None or frame.boot > floor.boot:
        return False
    born = frame.kind == "birth" and state is not None
    return not (born and state is not None and is_newer(session, frame, None, state, live=live))


def forget(session: Session, kid: str) -> None:
    """Forget the incarnations beyond the limit; what comes of them can no longer be judged."""
    count = session.scalar(select(func.count()).where(Incarnation.kid == kid)) or 0
    if count <= MAX_INCARNATIONS:
        return
    oldest = (
        select(Incarnation.incarnation, Incarnation.boot)
        .where(Incarnation.kid == kid)
        .order_by(Incarnation.last_ms, Incarnation.order)
        .limit(count - MAX_INCARNATIONS)
    )
    gone = session.execute(oldest).all()
    floor = session.get(KeyFloor, kid) or KeyFloor(kid=kid, boot=-1)
    floor.boot = max(floor.boot, *(boot for _, boot in gone))
    session.add(floor)
    names = [incarnation for incarnation, _ in gone]
    session.execute(delete(Incarnation).where(Incarnation.kid == kid, Incarnation.incarnation.in_(names)))
