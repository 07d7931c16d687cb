"""Means of readings that came late, after days without a link, when InfluxDB's task has done their hours.

Which hours lack something is noted in the transaction that stores the frames (``note``), by site; ``Means``
has the store make them again once nothing more comes for them. A row goes when its hours are made and nothing
came meanwhile, so that a crash anywhere only means that they are made once more, from the same readings.
There are at most as many rows as sites and hours of the raw retention.
"""

from __future__ import annotations

import threading
from importlib import import_module
from typing import TYPE_CHECKING

from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from agent.wire import topics
from collector.errors import StoreUnavailableError
from collector.storage.points import HOUR_MS
from collector.storage.state import LateHour

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Engine

    from collector.clock import Clock
    from collector.log import Reporter
    from collector.storage.port import Store

SETTLED_MS = 60_000  # nothing came for so long: the backlog is at other hours now
PATIENCE_MS = 900_000  # what keeps coming is not waited for longer
HOURS = 24  # of one query; fewer when the store does not answer in time
PAUSE_S = 5.0  # between queries: readings go first
_JOIN_S = 15.0  # a query may be under way


def note(session: Session, late: Iterable[tuple[str, int]], now_ms: int) -> None:
    """Note hours, (site, begin), whose means lack readings that this transaction stores."""
    rows = [
        {"site_id": site, "hour_ms": hour_ms, "first_ms": now_ms, "last_ms": now_ms}
        for site, hour_ms in sorted(late)  # in one order, so that workers never wait for each other in a ring
    ]
    if rows:
        dialect = session.get_bind().dialect.name  # the other one costs 4 MB
        insert = import_module(f"sqlalchemy.dialects.{dialect}").insert(LateHour)
        changed = {"last_ms": insert.excluded.last_ms}
        session.execute(insert.on_conflict_do_update(["site_id", "hour_ms"], set_=changed), rows)


class Means:
    """Makes what was noted, for the sites of ``shards``; one site and some hours at a time."""

    def __init__(self, engine: Engine, store: Store, reporter: Reporter, shards: str) -> None:
        self._engine = engine
        self._store = store
        self._reporter = reporter
        self._shards = frozenset(shards)
        self._hours = HOURS

    def work(self, now_ms: int) -> bool:
        """Make the hours that wait longest; say whether there were any. What fails is tried again later."""
        try:
            due = self._due(now_ms)
            if due:
                start_ms, stop_ms = due[0].hour_ms, due[-1].hour_ms + HOUR_MS
                self._store.make_means(due[0].site_id, start_ms, stop_ms)
                self._done(due, now_ms)
        except StoreUnavailableError as error:
            self._hours = max(1, self._hours // 2)
            self._reporter.problem("means_late", str(error))
            return False
        except OperationalError as error:
            self._reporter.problem("state_unavailable", str(error).split("\n", maxsplit=1)[0])
            return False
        self._hours = min(HOURS, self._hours + 1)
        return bool(due)

    def _due(self, now_ms: int) -> list[LateHour]:
        """Return adjacent hours of one site, the oldest that nothing comes for any more."""
        settled = or_(LateHour.last_ms <= now_ms - SETTLED_MS, LateHour.first_ms <= now_ms - PATIENCE_MS)
        query = select(LateHour).where(settled).order_by(LateHour.site_id, LateHour.hour_ms)
        with Session(self._engine) as session:
            rows = [row for row in session.scalars(query) if topics.shard_of(row.site_id) in self._shards]
            session.expunge_all()
        return _adjacent(rows)[: self._hours]

    def _done(self, made: Sequence[LateHour], now_ms: int) -> None:
        with Session(self._engine) as session, session.begin():
            for row in made:
                this = (LateHour.site_id == row.site_id, LateHour.hour_ms == row.hour_ms)
                session.execute(delete(LateHour).where(*this, LateHour.last_ms == row.last_ms))
                session.execute(
                    update(LateHour).where(*this).values(first_ms=now_ms)
                )  # something came meanwhile


class MeansThread:
    """Works beside the ingest: a query takes seconds, and frames must not wait for it."""

    def __init__(self, means: Means, clock: Clock) -> None:
        self._means = means
        self._clock = clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="means", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; what was not made is made another time."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def _run(self) -> None:
        while not self._stopping.wait(PAUSE_S):
            self._means.work(self._clock.now_ms())


def _adjacent(rows: Sequence[LateHour]) -> list[LateHour]:
    found = list(rows[:1])
    for row in rows[1:]:
        if (row.site_id, row.hour_ms) != (found[-1].site_id, found[-1].hour_ms + HOUR_MS):
            break
        found.append(row)
    return found
