"""Storing what was held: tables of measurements that were unknown when they came and are known now.

A held row has the whole signed message and the time that was resolved when it came, so that the points are
those that would have been written then. Points first, then the row goes: whoever is interrupted and begins
again writes the same points once more.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agent.wire import cose, topics
from agent.wire import fields as register
from agent.wire import frame as wire
from collector.ingest.admit import decode
from collector.ingest.names import Names
from collector.ingest.tables import Register
from collector.model import Quality, Reason, Table
from collector.storage import means, points
from collector.storage.port import Written
from collector.storage.state import Quarantined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from collector.ingest.ports import Registry
    from collector.storage.port import Store

_CHUNK = 100  # rows of one transaction


@dataclass(slots=True)
class Requeued:
    """What became of held tables, by measurement; ``refused`` by reason."""

    stored: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)


class Requeue:
    """Goes through the held rows once."""

    def __init__(self, engine: Engine, store: Store, registry: Registry) -> None:
        self._engine = engine
        self._store = store
        self._registry = registry
        self._names = Names(engine)
        self._register = Register(self._names)

    def run(self, measurement: str | None = None) -> Requeued:
        """Store what can be stored, of one measurement or of all. ``StoreUnavailableError``."""
        done, last = Requeued(), 0
        while True:
            with Session(self._engine) as session, session.begin():
                rows = _held(session, last)
                for row in rows:
                    self._take(session, row, measurement, done)
                    last = row.id
                self._names.save(session)
            self._names.saved()
            if not rows:
                return done

    def _take(self, session: Session, row: Quarantined, measurement: str | None, done: Requeued) -> None:
        held = set(row.detail.split(", "))
        ready = {name for name in held if measurement in {None, name} and is_known(name)}
        done.waiting.update(held - ready)
        if not ready:
            return
        tables = [table for table in _tables(row) if table.measurement in ready]
        written = self._write(session, row, tables)
        if written.reason is not None:
            row.held, row.reason = False, written.reason.value  # evidence now, in the ring
            done.refused[written.reason.value] += len(tables)
            return
        done.stored.update(table.measurement for table in tables)
        if held == ready:
            session.delete(row)
        else:
            row.detail = ", ".join(sorted(held - ready))

    def _write(self, session: Session, row: Quarantined, tables: list[Table]) -> Written:
        """Write the tables of one row."""
        device, quality = row.device_id or "", Quality(row.quality or Quality.BOUNDED)
        checked = [self._register.check(device, table).table for table in tables]
        site_of = partial(self._registry.site_of, device)
        places = points.Places(site_of, row.sealed_ms or row.at_ms)
        parts = [part for table in checked if table is not None for part in places.parts_of(table)]
        if not parts:
            return Written(Reason.NO_ASSIGNMENT if any(checked) else Reason.WRONG_TYPE)
        frames = [points.FramePoints(device, quality, parts)]
        means.note(session, self._store.late_hours(frames), row.at_ms)
        return self._store.write(frames)[0]


def is_known(measurement: str) -> bool:
    """Whether the register has a measurement as a device's now."""
    known = register.MEASUREMENTS.get(measurement)
    return known is not None and known.origin == "device"


def _held(session: Session, after: int) -> list[Quarantined]:
    query = select(Quarantined).where(
        Quarantined.held.is_(True),
        Quarantined.id > after,
        Quarantined.reason == Reason.UNKNOWN_MEASUREMENT.value,
    )
    return list(session.scalars(query.order_by(Quarantined.id).limit(_CHUNK)))


def _tables(row: Quarantined) -> Iterator[Table]:
    """Give the tables of a held message; its signature was verified when it came."""
    _, _, payload, _ = cose.parse_sign1(row.payload)
    _, _, kind = topics.parse(row.topic)
    for measurement, instance, fields, rows in wire.check_payload(kind, decode(payload)).tables:
        yield Table(measurement, instance, tuple(fields), tuple(tuple(line) for line in rows))


@dataclass(frozen=True, slots=True)
class Heap:
    """Quarantined messages of one reason: how many, of how many devices, and when the newest came."""

    reason: str
    held: bool
    count: int
    devices: int
    size: int
    newest_ms: int


def inventory(session: Session) -> list[Heap]:
    """Say what the quarantine holds, the most frequent reason first."""
    count = func.count()
    query = select(
        Quarantined.reason,
        Quarantined.held,
        count,
        func.count(func.distinct(Quarantined.device_id)),
        func.sum(Quarantined.size),
        func.max(Quarantined.at_ms),
    ).group_by(Quarantined.reason, Quarantined.held)
    found = session.execute(query.order_by(count.desc(), Quarantined.reason)).all()
    return [
        Heap(reason, bool(held), int(number), int(devices), int(size), int(newest_ms))
        for reason, held, number, devices, size, newest_ms in found
    ]


def waiting(session: Session) -> Counter[str]:
    """Count the held messages by measurement."""
    details = session.scalars(select(Quarantined.detail).where(Quarantined.held.is_(True)))
    return Counter(name for detail in details for name in detail.split(", "))
