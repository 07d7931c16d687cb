"""The falls of all sites: written as transitions tell them, read by everybody who judges.

A worker writes the falls of its own sites and reads those of all. What is in SQL counts: a step that was
rolled back is forgotten with the next look, which reads everything that changed lately anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import or_, select

from collector.model import Change
from collector.rules import area
from collector.storage.state import Fall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from collector.model import Transition

OVERLAP_MS: Final = 60_000  # clocks of workers differ, and a transaction may take its time
FORGET_MS: Final = 600_000
_COLUMNS: Final = (Fall.id, Fall.site_id, Fall.condition, Fall.fell_ms, Fall.back_ms, Fall.changed_ms)


class FallBook:
    """The falls that can matter now: open ones, and those that began when an open one did."""

    def __init__(self) -> None:
        self._rows: dict[int, tuple[area.Fall, int]] = {}
        self._read_ms: int | None = None
        self._forgot_ms = 0
        self.falls = area.Falls()

    def refresh(self, session: Session, now_ms: int) -> bool:
        """Read what changed; say whether there is anything new."""
        since_ms = None if self._read_ms is None else self._read_ms - OVERLAP_MS
        self._read_ms = now_ms
        query = select(*_COLUMNS).where(_lately(session, since_ms))
        found = {row.id: (_fall(row), row.changed_ms) for row in session.execute(query)}
        kept = {
            key: entry for key, entry in self._rows.items() if since_ms is not None and entry[1] < since_ms
        }
        rows = kept | found
        if now_ms - self._forgot_ms > FORGET_MS:
            self._forgot_ms = now_ms
            rows = _without_the_past(rows, now_ms)
        if rows == self._rows:
            return False
        self._rows = rows
        self.falls = area.Falls.of(fall for fall, _ in rows.values())
        return True

    def note(self, session: Session, said: Sequence[Transition], now_ms: int) -> list[area.Fall]:
        """Write down who fell and who came back; return the falls that ended."""
        ended = []
        for one in said:
            if not area.fell(one):
                continue
            query = select(Fall).where(
                Fall.site_id == one.site,
                Fall.condition == one.condition,
                Fall.subject == one.subject,
                Fall.back_ms.is_(None),
            )
            row = session.scalars(query).first()
            if one.change == Change.RAISED and row is None:
                row = Fall(site_id=one.site, condition=one.condition, subject=one.subject, fell_ms=one.at_ms)
                session.add(row)
            elif one.change == Change.CLEARED and row is not None:
                row.back_ms = max(one.at_ms, row.fell_ms)
                ended.append(_fall(row))
            if row is not None:
                row.changed_ms = now_ms
                session.flush()
                self._rows[row.id] = (_fall(row), now_ms)
        if said:
            self.falls = area.Falls.of(fall for fall, _ in self._rows.values())
        return ended


def _lately(session: Session, since_ms: int | None) -> ColumnElement[bool]:
    if since_ms is not None:
        return Fall.changed_ms >= since_ms
    # at start: what is open, and what began with it
    first = session.scalars(select(Fall.fell_ms).where(Fall.back_ms.is_(None)).order_by(Fall.fell_ms)).first()
    if first is None:
        return Fall.back_ms.is_(None)
    return or_(Fall.back_ms.is_(None), Fall.fell_ms >= first - FORGET_MS)


def _fall(row: object) -> area.Fall:
    return area.Fall(row.site_id, area.FALLS[row.condition], row.fell_ms, row.back_ms)  # type: ignore[attr-defined] # a row or an object


def _without_the_past(
    rows: dict[int, tuple[area.Fall, int]], now_ms: int
) -> dict[int, tuple[area.Fall, int]]:
    """Leave out what is over and began when nothing began that is still on."""
    begun = [fall.fell_ms for fall, _ in rows.values() if fall.back_ms is None]
    first_ms = min(begun, default=now_ms) - FORGET_MS
    return {
        key: (fall, changed_ms)
        for key, (fall, changed_ms) in rows.items()
        if fall.back_ms is None or fall.fell_ms >= first_ms or now_ms - fall.back_ms < FORGET_MS
    }
