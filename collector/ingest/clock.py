"""When a frame was sealed: from the device's clock when it can be believed, else from an anchor.

An incarnation's anchor is wall time minus uptime. It is learned once, from a synchronised frame, from
another incarnation of the same kernel boot, or from the arrival of a live frame; it is committed before the
first point that uses it is written and never changes, so that a frame that comes again after a crash makes
the same points. A clock found wrong is disbelieved from that frame's seq on, with an anchor of its own, and
what was written before stays as it was; of what came before only a wall ahead of that anchor is disbelieved
too, which could not have been written by its wall. All times in ms.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from collector.model import Quality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.model import Frame
    from collector.storage.state import Incarnation

FRESH_MS = 60_000  # a live birth's wall time and its arrival differ by no more
FLEET_MS = 30_000  # when the fleet's median differs by more, the collector's clock is the suspect
_FLEET = 101  # devices in the median
_FLEET_MIN = 5


@dataclass(frozen=True, slots=True)
class Resolved:
    """When the frame was sealed and how that is known; ``future``: it cannot be."""

    time_ms: int
    quality: Quality
    future: bool = False


class FleetSkew:
    """Arrival minus wall time of the last live birth of each device."""

    def __init__(self) -> None:
        self._skews: OrderedDict[str, int] = OrderedDict()

    def note(self, device: str, skew_ms: int) -> None:
        """Take the skew of a live birth."""
        self._skews[device] = skew_ms
        self._skews.move_to_end(device)
        if len(self._skews) > _FLEET:
            self._skews.popitem(last=False)

    def ours(self) -> bool:
        """Whether it is the collector's own clock that is off."""
        return len(self._skews) >= _FLEET_MIN and abs(median(self._skews.values())) > FLEET_MS


def first_anchor(
    frames: Sequence[tuple[Frame, bool]], sibling: tuple[int, Quality] | None, next_ms: int | None
) -> tuple[int, Quality]:
    """Anchor a new incarnation: ``frames`` are those of the batch, with whether each arrived live.

    ``sibling`` is the anchor of another incarnation of the same kernel boot and how it was learned,
    ``next_ms`` that of the device's next kernel boot, which this one must have ended before.
    """
    for frame, _ in frames:
        if frame.wall_ms is not None and frame.wall_ms <= frame.arrival_ms + FRESH_MS:
            return frame.wall_ms - frame.uptime_ms, Quality.SYNCED
    if sibling is not None:
        return sibling
    live = [frame.arrival_ms - frame.uptime_ms for frame, is_live in frames if is_live]
    if live and next_ms is None:
        return min(live), Quality.ARRIVAL
    return min(_bound_ms(frame, next_ms) for frame, _ in frames), Quality.BOUNDED


def _bound_ms(frame: Frame, next_ms: int | None) -> int:
    """Return the latest anchor that is possible: it was sealed before it came, and before ``next_ms``."""
    return min(frame.arrival_ms, next_ms or frame.arrival_ms) - frame.uptime_ms


def find_fault(frame: Frame, row: Incarnation, *, current: bool, live: bool) -> str | None:
    """Say what is wrong with the device's clock, None when nothing is or nothing can be said.

    A birth is sealed when the connection stands, so that late means wrong; but only when it is the newest
    of its device and the broker did not hold it back. Ahead of us is wrong whenever it comes.
    """
    if frame.wall_ms is None or not current or not row.clock_trusted:
        return None
    ahead_ms = frame.wall_ms - frame.arrival_ms
    if ahead_ms > FRESH_MS:
        return f"its clock is {ahead_ms / 1000:.0f} s ahead"
    if ahead_ms < -FRESH_MS and tells_freshness(frame, row, current=current, live=live):
        return f"its clock is {-ahead_ms / 1000:.0f} s behind"
    return None


def tells_freshness(frame: Frame, row: Incarnation, *, current: bool, live: bool) -> bool:
    """Whether a frame's wall and arrival are to be the same: a birth that is news, seen for the first time.

    A crash after its points were written brings it again, later, and not every broker says so.
    """
    is_new = (frame.seq or 0) > row.judged_seq
    return frame.kind == "birth" and frame.wall_ms is not None and current and live and is_new


def judged(frame: Frame, row: Incarnation) -> None:
    """Note that this birth's clock was looked at; to be committed before its points are written."""
    if frame.kind == "birth":
        row.judged_seq = max(row.judged_seq, frame.seq or 0)


def distrust(frame: Frame, row: Incarnation, *, live: bool, next_ms: int | None) -> None:
    """Disbelieve the incarnation's clock from this frame on; its arrival is the new anchor.

    Of a frame that the broker held back the arrival is only a bound, as is ``next_ms``: see ``first_anchor``.
    """
    row.clock_trusted = False
    row.fault_source = (Quality.ARRIVAL if live else Quality.BOUNDED).value
    row.fault_seq = frame.seq
    row.fault_anchor_ms = _bound_ms(frame, None if live else next_ms)


def correct(frame: Frame, row: Incarnation, *, live: bool, next_ms: int | None) -> None:
    """Correct an anchor that puts this frame, which has no clock to go by, into the future.

    It was only a bound, learned from a frame that had been held back. What came by it stays as it was.
    """
    anchor_ms, seq = _bound_ms(frame, None if live else next_ms), frame.seq or 0
    if row.fault_anchor_ms is None or anchor_ms < row.fault_anchor_ms:
        row.fault_anchor_ms = anchor_ms
        row.fault_source = (Quality.ARRIVAL if live else Quality.BOUNDED).value
    row.fault_seq = seq if row.fault_seq is None else min(seq, row.fault_seq)


def resolve(frame: Frame, row: Incarnation) -> Resolved:
    """When the frame was sealed, by the incarnation's anchors. The anchor must be set."""
    if row.fault_anchor_ms is not None and _is_disbelieved(frame, row, row.fault_anchor_ms):
        time_ms = row.fault_anchor_ms + frame.uptime_ms
        quality = Quality(row.fault_source or Quality.ARRIVAL)
    elif frame.wall_ms is not None:
        time_ms, quality = frame.wall_ms, Quality.SYNCED
    else:
        quality = Quality(row.anchor_source or Quality.BOUNDED)
        quality = Quality.ANCHORED if quality is Quality.SYNCED else quality
        time_ms = (row.anchor_ms or 0) + frame.uptime_ms
    return Resolved(time_ms, quality, future=time_ms > frame.arrival_ms + FRESH_MS)


def _is_disbelieved(frame: Frame, row: Incarnation, anchor_ms: int) -> bool:
    """Whether the fault that was found is this frame's too."""
    if frame.wall_ms is not None and row.clock_trusted:
        return False  # the anchor was at fault, not the clock
    if (frame.seq or 0) >= (row.fault_seq or 0):
        return True
    return frame.wall_ms is not None and frame.wall_ms - frame.uptime_ms > anchor_ms + FRESH_MS
