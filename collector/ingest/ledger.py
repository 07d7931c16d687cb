"""What a batch adds to what is known of incarnations and devices, in the order of its frames.

Each row of the state gets it once, at the end: a batch often has many frames of a device, and to set a
column costs as much as to add a seq.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.wire import intervals
from collector.ingest import tail
from collector.ingest.reception import MAX_INTERVALS
from collector.model import Outcome, Reason

if TYPE_CHECKING:
    from collector.ingest.batch import Item
    from collector.model import Frame
    from collector.storage.state import DeviceState, Incarnation


class Ledger:
    """The seqs of one incarnation. ``tail`` and ``last_ms`` are those of its row, with what was taken."""

    __slots__ = ("_row", "_stored", "last_ms", "tail")

    def __init__(self, row: Incarnation) -> None:
        self._row = row
        self._stored = [list(pair) for pair in row.stored]
        self.tail = row.tail
        self.last_ms = row.last_ms

    def take(self, item: Item, frame: Frame) -> None:
        """Add the seq to what was stored or refused. The row's lists are made anew: it notices only that."""
        row, seq, verdict = self._row, frame.seq or 0, item.verdict
        if verdict is not None and verdict.outcome is Outcome.REFUSED:
            reason = (verdict.reason or Reason.STORE_REFUSED).value
            row.refused = _with_refused(row.refused, seq, reason)
        elif seq < row.floor:  # an earlier frame of the batch raised it
            row.stored_below += 1
        else:
            intervals.add(self._stored, seq)
        if len(self._stored) > MAX_INTERVALS or len(row.refused) > MAX_INTERVALS:
            self._raise_floor()
        if frame.dropped:
            row.dropped = {
                name: max(frame.dropped.get(name, 0), row.dropped.get(name, 0))
                for name in {**row.dropped, **frame.dropped}
            }
        self.tail = tail.note(self.tail, seq, frame.uptime_ms, frame.digest)
        self.last_ms = max(self.last_ms, frame.arrival_ms)

    def _raise_floor(self) -> None:
        """Forget the older half of what is known in detail; what comes from there can no longer be judged."""
        row, stored = self._row, self._stored
        entries = sorted([*stored, *row.refused])
        floor = entries[len(entries) // 2][0]
        before = intervals.count(stored)
        intervals.collapse(stored, floor)
        row.stored_below += before - intervals.count(stored)
        row.refused = [[max(lo, floor), hi, why] for lo, hi, why in row.refused if hi >= floor]
        row.floor = floor

    def write(self) -> None:
        """Write it to the row; nothing is taken afterwards."""
        self._row.stored, self._row.tail, self._row.last_ms = self._stored, self.tail, self.last_ms


class Standing:
    """What is current of one device."""

    __slots__ = ("_arrival_ms", "_sample_ms", "_seq", "_state")

    def __init__(self, state: DeviceState) -> None:
        self._state = state
        self._arrival_ms, self._seq, self._sample_ms = state.arrival_ms, state.seq, state.sample_ms

    def take(self, item: Item, frame: Frame, row: Incarnation) -> None:
        """Take what is current of the device; any new frame shows that it speaks."""
        self._arrival_ms = max(self._arrival_ms or 0, frame.arrival_ms)
        if not item.work.current:
            return
        state = self._state
        if state.incarnation != frame.incarnation:
            state.incarnation = frame.incarnation
        if state.incarnation_order != row.order:
            state.incarnation_order = row.order
        self._seq = frame.seq or 0
        if frame.tables and not (item.verdict and item.verdict.outcome is Outcome.REFUSED):
            newest = item.work.newest_ms
            self._sample_ms = max(self._sample_ms or newest, newest)

    def write(self) -> None:
        """Write it to the row; nothing is taken afterwards."""
        state = self._state
        state.arrival_ms, state.seq, state.sample_ms = self._arrival_ms, self._seq, self._sample_ms


class Ledgers:
    """Those of a batch."""

    def __init__(self) -> None:
        self._incarnations: dict[tuple[str, str], Ledger] = {}
        self._devices: dict[str, Standing] = {}

    def of(self, frame: Frame, row: Incarnation) -> Ledger:
        """Return the ledger of a frame's incarnation."""
        key = frame.kid, frame.incarnation
        return self._incarnations.get(key) or self._incarnations.setdefault(key, Ledger(row))

    def standing(self, state: DeviceState) -> Standing:
        """Return what is current of a device."""
        name = state.device_id
        return self._devices.get(name) or self._devices.setdefault(name, Standing(state))

    def write(self) -> None:
        """Write all to their rows."""
        for ledger in self._incarnations.values():
            ledger.write()
        for standing in self._devices.values():
            standing.write()


def _with_refused(ranges: list[Any], seq: int, reason: str) -> list[Any]:
    same = [[lo, hi] for lo, hi, why in ranges if why == reason]
    others = [list(entry) for entry in ranges if entry[2] != reason]
    intervals.add(same, seq)
    return sorted([*others, *([lo, hi, reason] for lo, hi in same)])
