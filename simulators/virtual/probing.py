"""The probes of a centre in virtual time: what the real ones would see and write, written less often.

A probe that goes on being good writes that down every ``KEEP_MS``. Nobody reads when but who looks whether
anybody still asks (60 s), and the fault that follows, which dates itself from it. So it is written when the
rules look (``fresh``) and it is stale, and before anything turns, with the time at which the real one would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy.orm import Session

from collector.probes import record
from collector.probes.record import KEEP_MS, Seen

if TYPE_CHECKING:
    from sqlalchemy import Engine

STALE_MS: Final = 40_000


class Probing:
    """It looks every ``interval_ms``, however often it is asked; not ``sparing``: it writes each time."""

    def __init__(self, engine: Engine, interval_ms: int, *, sparing: bool) -> None:
        self._engine = engine
        self._interval_ms = interval_ms
        self._stale_ms = STALE_MS if sparing else 0
        self._looked_ms = 0
        self._before: dict[str, bool] = {}
        self._kept: dict[str, int] = {}  # when the real one would have written last
        self._written: dict[str, int] = {}

    def look(self, seen: dict[str, bool], now_ms: int) -> None:
        """Take how the centre's parts are now."""
        if now_ms - self._looked_ms < self._interval_ms:
            return
        self._looked_ms = now_ms
        if seen == self._before and all(seen.values()):
            self._good(now_ms)
        else:
            self._turned(seen, now_ms)
        self._before = seen

    def fresh(self, session: Session, now_ms: int) -> None:
        """Let who looks now find what the real ones would have written."""
        if self._written and now_ms - min(self._written.values()) >= self._stale_ms:
            self._catch_up(session)

    def _good(self, now_ms: int) -> None:
        """Note that all goes on being good."""
        for name, kept_ms in self._kept.items():
            if now_ms - kept_ms >= KEEP_MS:
                self._kept[name] = now_ms

    def _turned(self, seen: dict[str, bool], now_ms: int) -> None:
        with Session(self._engine) as session, session.begin():
            self._catch_up(session)
            for name, good in seen.items():
                record.saw(session, name, Seen(good=good), now_ms)
                steady = good and self._before.get(name, False)
                if not steady or now_ms - self._kept[name] >= KEEP_MS:
                    self._kept[name] = now_ms
        self._written = dict(self._kept)

    def _catch_up(self, session: Session) -> None:
        """Write what was good and was not written yet."""
        for name, kept_ms in self._kept.items():
            if kept_ms > self._written[name]:
                record.saw(session, name, Seen(good=True), kept_ms)
                self._written[name] = kept_ms
