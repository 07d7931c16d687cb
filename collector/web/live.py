"""The live feed: one thread per process looks at the state, every open page is told.

Server-sent events. ``change`` (with ``id``) is a step of an incident and comes at least once, also after
a break: the browser sends ``Last-Event-ID`` and gets what it missed. ``site`` is a new status, ``seen``
names the facilities that were heard, ``beat`` comes when nothing else does, so that a dead connection is
noticed. A client that does not read is let go; it comes back and resumes.
"""

from __future__ import annotations

import json
import queue
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from collector.storage.state import Assignment, DeviceState, Incident, IncidentChange, RuleState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

    from collector.clock import Clock

POLL_S = 1.0
BEAT_S = 10.0
QUEUE = 200
REPLAY = 500
# ids are given out before their transactions commit: look back this far for one that came late
LOOK_BACK = 100


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event."""

    name: str
    data: dict[str, Any]
    id: int | None = None

    def encode(self) -> bytes:
        """Lines as the HTML standard has them (9.2.5)."""
        number = f"id: {self.id}\n" if self.id is not None else ""
        return f"{number}event: {self.name}\ndata: {json.dumps(self.data)}\n\n".encode()


class TooManyClientsError(Exception):
    """All places are taken; come back later."""


@dataclass(eq=False, slots=True)
class Client:
    """One open stream: what it has not read yet; ``full`` once it fell behind."""

    events: queue.Queue[Event | None] = field(default_factory=lambda: queue.Queue(QUEUE))
    full: bool = False

    def put(self, event: Event | None) -> None:
        """Add an event; a client that is behind gets nothing more and ends."""
        try:
            self.events.put_nowait(event)
        except queue.Full:
            self.full = True


class Stream:
    """The bytes of one client. ``close`` frees its place, also when nothing was ever read (HEAD)."""

    def __init__(self, parts: Iterator[bytes], leave: Callable[[], None]) -> None:
        self._parts = parts
        self._leave = leave

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> bytes:
        return next(self._parts)

    def close(self) -> None:
        """Give the place back; the WSGI server calls this when the connection ends."""
        self._leave()


class Follower:
    """Finds what is new in the state since it was last asked."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._seen: deque[int] = deque(maxlen=4 * LOOK_BACK)
        self._last = 0
        self._statuses: dict[str, tuple[str, int]] = {}
        self._arrival_ms = 0

    def start(self) -> None:
        """Take the present as known."""
        with Session(self._engine) as session:
            self._changes(session)
            self._sites(session)
            self._arrival_ms = session.scalar(select(func.max(DeviceState.arrival_ms))) or 0

    def look(self) -> list[Event]:
        """Return what happened since, steps of incidents first."""
        with Session(self._engine) as session:
            return [*self._changes(session), *self._sites(session), *self._heard(session)]

    @property
    def last(self) -> int:
        """Number of the newest step."""
        return self._last

    def _changes(self, session: Session) -> list[Event]:
        if not self._last:  # the first look: nothing before this is news
            self._last = session.scalar(select(func.max(IncidentChange.id))) or 0
            recent = select(IncidentChange.id).where(IncidentChange.id > self._last - LOOK_BACK)
            self._seen.extend(session.scalars(recent))
            if self._last:
                return []
        found = [event for event in changes(session, self._last - LOOK_BACK) if event.id not in self._seen]
        for event in found:
            self._seen.append(event.id or 0)
            self._last = max(self._last, event.id or 0)
        return found

    def _sites(self, session: Session) -> list[Event]:
        rows = session.execute(select(RuleState.site_id, RuleState.status, RuleState.since_ms))
        present = {site: (status, since) for site, status, since in rows}
        turned = [site for site, now in present.items() if self._statuses.get(site) != now]
        self._statuses = present
        return [
            Event("site", {"site": site, "status": present[site][0], "since_ms": present[site][1]})
            for site in turned
        ]

    def _heard(self, session: Session) -> list[Event]:
        query = (
            select(DeviceState.arrival_ms, Assignment.site_id)
            .join(Assignment, Assignment.device_id == DeviceState.device_id)
            .where(DeviceState.arrival_ms > self._arrival_ms, Assignment.to_ms.is_(None))
        )
        rows = session.execute(query).all()
        if not rows:
            return []
        self._arrival_ms = max(arrival or 0 for arrival, _site in rows)
        return [Event("seen", {"sites": sorted({site for _arrival, site in rows})})]


def changes(session: Session, after: int, limit: int = REPLAY) -> list[Event]:
    """Return steps of incidents with a number above ``after``, oldest first."""
    query = (
        select(IncidentChange, Incident)
        .join(Incident, Incident.id == IncidentChange.incident_id)
        .where(IncidentChange.id > after)
        .order_by(IncidentChange.id)
        .limit(limit)
    )
    return [_change(change, incident) for change, incident in session.execute(query)]


def _change(change: IncidentChange, incident: Incident) -> Event:
    data = {
        "incident": incident.id,
        "site": incident.site_id,
        "kind": change.kind,
        "at_ms": change.at_ms,
        "condition": incident.condition,
        "status": incident.status,
        "cause": incident.cause,
    }
    return Event("change", data, change.id)


class Hub:
    """The shared thread and its clients. Starts with the first client: a fork before that is harmless."""

    def __init__(self, engine: Engine, clock: Clock, limit: int, poll_s: float = POLL_S) -> None:
        self._engine = engine
        self._clock = clock
        self._limit = limit
        self._poll_s = poll_s
        self._lock = threading.Lock()
        self._clients: set[Client] = set()
        self._thread: threading.Thread | None = None
        self._follower = Follower(engine)
        self._stop = threading.Event()

    def stream(self, after: int | None) -> Stream:
        """Open a stream that resumes behind step ``after``; ``TooManyClientsError`` when full."""
        client = self._join()
        try:
            opening = self._opening(after)
        except BaseException:
            self._leave(client)
            raise
        return Stream(self._events(client, opening), lambda: self._leave(client))

    def close(self) -> None:
        """End all streams and the thread; also from a signal handler, hence without the lock."""
        self._stop.set()
        for client in tuple(self._clients):
            client.put(None)

    def clients(self) -> int:
        """Return how many streams are open."""
        return len(self._clients)

    def _join(self) -> Client:
        with self._lock:
            if len(self._clients) >= self._limit or self._stop.is_set():
                raise TooManyClientsError
            if self._thread is None or not self._thread.is_alive():
                self._follower = Follower(self._engine)
                self._follower.start()
                self._thread = threading.Thread(target=self._watch, name="live", daemon=True)
                self._thread.start()
            client = Client()
            self._clients.add(client)
            return client

    def _leave(self, client: Client) -> None:
        with self._lock:
            self._clients.discard(client)

    def _opening(self, after: int | None) -> list[Event]:
        """Begin with what was missed (too much: load again) and the position."""
        hello = Event("hello", {"now_ms": self._clock.now_ms()}, self._follower.last)
        if after is None:
            return [hello]
        with Session(self._engine) as session:
            missed = changes(session, after, REPLAY + 1)
        return [Event("reset", {}), hello] if len(missed) > REPLAY else [*missed, hello]

    def _events(self, client: Client, opening: list[Event]) -> Iterator[bytes]:
        yield b"retry: 3000\n\n"
        yield from (event.encode() for event in opening)
        while not client.full and not self._stop.is_set():
            try:
                event = client.events.get(timeout=BEAT_S)
            except queue.Empty:
                event = Event("beat", {"now_ms": self._clock.now_ms()})
            if event is None:
                return
            yield event.encode()

    def _watch(self) -> None:
        """Tell everybody what is new until the last client has gone."""
        while not self._stop.wait(self._poll_s):
            with self._lock:
                if not self._clients:
                    self._thread = None
                    return
            try:
                events = self._follower.look()
            except SQLAlchemyError:
                continue  # the next look tells; readiness and the log of the pages name the fault
            for client in tuple(self._clients):
                for event in events:
                    client.put(event)
