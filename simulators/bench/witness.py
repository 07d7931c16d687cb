"""Looks at the bench's own collector: its state in SQL, its store of readings, and the clock by the tap."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from collector import config as collector_config
from collector.clock import SystemClock
from collector.errors import StoreUnavailableError
from collector.storage.embedded import EmbeddedStore
from collector.storage.state import (
    DeviceState,
    Incarnation,
    Incident,
    Outbox,
    Quarantined,
    open_engine,
)
from collector.web import incidents, queries
from simulators.bench.seen import Concluded, Row, Seen, Start

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from simulators.bench.tap import Tap

_KEEP_MS: Final = 3_600_000  # older readings say nothing of what is on the table now


class Witness:
    """Asks for one device at one site. Calls block for milliseconds: not in an event loop."""

    def __init__(self, config: Path, tap: Tap) -> None:
        loaded = collector_config.load(config)
        self._engine = open_engine(loaded.state_url())
        self._store = EmbeddedStore(loaded.store, SystemClock())
        self._clock = SystemClock()
        self._tap = tap

    def close(self) -> None:
        """Let go of the files."""
        self._store.close()
        self._engine.dispose()

    def look(self, device: str, site: str) -> Seen:
        """Return what there is to be seen now."""
        now = self._clock.now_ms()
        try:
            latest = self._store.latest(site, now - _KEEP_MS)
        except StoreUnavailableError:
            latest = []  # busy: the next look has them
        rows = {
            (one.measurement, one.instance): Row(one.time_ms, one.fields)
            for one in latest
            if one.device == device
        }
        clock_ms, clock_at_ms = self._tap.clock(device)
        with Session(self._engine) as session:
            state = session.get(DeviceState, device)
            starts = _starts(session, device)
            current = next((row for row in starts if state and row.incarnation == state.incarnation), None)
            return Seen(
                at_ms=now,
                arrival_ms=state.arrival_ms if state else None,
                hello=dict(state.hello) if state else {},
                rows=rows,
                starts=tuple(_start(row) for row in starts),
                concluded=_concluded(session, site),
                refused=_refused(session, device),
                clock_ms=clock_ms,
                clock_at_ms=clock_at_ms,
                clock_trusted=current.clock_trusted if current else None,
            )

    def incidents(self, site: str, lang: str, limit: int = 12) -> list[dict[str, Any]]:
        """Return incidents in words, newest first."""
        with Session(self._engine) as session:
            found = queries.incidents(session, state="all", site=site, limit=limit)
            return incidents.views(session, found, lang)


def _starts(session: Session, device: str) -> list[Incarnation]:
    query = select(Incarnation).where(Incarnation.device_id == device).order_by(Incarnation.order)
    return list(session.scalars(query))


def _start(row: Incarnation) -> Start:
    return Start(
        incarnation=row.incarnation,
        kernel_boot=row.kernel_boot,
        boot=row.boot,
        order=row.order,
        kid=row.kid,
        stored=tuple((lo, hi) for lo, hi in row.stored),
        dropped={name: number for name, number in row.dropped.items() if isinstance(number, int)},
    )


def _concluded(session: Session, site: str) -> tuple[Concluded, ...]:
    query = select(Outbox.incident_id, func.count()).where(Outbox.delivered_ms.is_not(None))
    told = {number: count for number, count in session.execute(query.group_by(Outbox.incident_id))}  # noqa: C416 - rows are not tuples to mypy
    rows = session.scalars(select(Incident).where(Incident.site_id == site).order_by(Incident.id))
    return tuple(
        Concluded(
            number=row.id,
            condition=row.condition,
            cause=row.cause,
            final=row.final,
            opened_ms=row.opened_ms,
            cleared_ms=row.cleared_ms if row.cleared_ms is not None else row.closed_ms,
            told=told.get(row.id, 0),
        )
        for row in rows
    )


def _refused(session: Session, device: str) -> dict[str, int]:
    """Count what was set aside in a device's name; tables that wait for a newer collector do not count."""
    query = select(Quarantined.reason).where(Quarantined.device_id == device, Quarantined.held.is_(False))
    return dict(Counter(session.scalars(query)))
