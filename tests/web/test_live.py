"""The live feed: news, resuming, bounds."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, cast

import pytest
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from collector.alerts import lifecycle
from collector.storage.state import DeviceState, IncidentChange, RuleState
from collector.web import live
from tests.servers.wait import until
from tests.web.conftest import NOW_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.web.conftest import Web


class Listener:
    """Reads a stream in a thread and keeps its events."""

    def __init__(self, stream: Iterator[bytes]) -> None:
        self.events: list[tuple[str, dict[str, Any], str | None]] = []
        self.ended = threading.Event()
        self._stream = stream
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for block in self._stream:
            fields = dict(line.split(": ", 1) for line in block.decode().strip().split("\n"))
            if "event" in fields:
                self.events.append((fields["event"], json.loads(fields["data"]), fields.get("id")))
        self.ended.set()

    def wait(self, name: str, count: int = 1) -> list[dict[str, Any]]:
        def found():
            got = [data for kind, data, _id in self.events if kind == name]
            return got if len(got) >= count else None

        return until(found, f"{count} x {name}, have {self.events}") or []


@pytest.fixture
def hub(web: Web) -> Iterator[live.Hub]:
    made = live.Hub(web.engine, web.clock, limit=3, poll_s=0.02)
    yield made
    made.close()


def acknowledge(web: Web, incident: int = 3) -> None:
    with Session(web.engine) as session:
        lifecycle.acknowledge(session, incident, "carla", NOW_MS)
        session.commit()


def test_news_of_incidents_come_with_their_number(web: Web, hub):
    listener = Listener(hub.stream(None))
    assert listener.wait("hello") == [{"now_ms": NOW_MS}]
    acknowledge(web)
    (data,) = listener.wait("change")
    assert data == {
        "incident": 3,
        "site": "mercado-olivar-del-conde",
        "kind": "acknowledged",
        "at_ms": NOW_MS,
        "condition": "supply_lost",
        "status": "acknowledged",
        "cause": "mains-site",
    }
    assert listener.events[-1][2] == "4"


def test_statuses_and_arrivals(web: Web, hub):
    listener = Listener(hub.stream(None))
    listener.wait("hello")
    with Session(web.engine) as session:
        session.get_one(RuleState, "mercado-olivar-del-conde").status = "ok"
        session.get_one(DeviceState, "centro-r1").arrival_ms = NOW_MS
        session.commit()
    assert listener.wait("site")[0]["status"] == "ok"
    assert listener.wait("seen") == [{"sites": ["centro-deportivo-plateros"]}]
    assert len(listener.wait("site")) == 1


def test_a_break_is_made_up_for(web: Web, hub):
    acknowledge(web)
    acknowledge(web, 2)
    listener = Listener(hub.stream(3))
    assert [data["incident"] for data in listener.wait("change", 2)] == [3, 2]
    listener.wait("hello")
    names = [name for name, _data, _id in listener.events]
    assert names == ["change", "change", "hello"]


def test_after_a_long_break_the_page_is_loaded_again(web: Web, hub, monkeypatch):
    monkeypatch.setattr(live, "REPLAY", 1)
    acknowledge(web)
    acknowledge(web, 2)
    listener = Listener(hub.stream(3))
    listener.wait("hello")
    assert [name for name, _data, _id in listener.events] == ["reset", "hello"]


def test_a_step_that_was_committed_late_is_not_missed(web: Web):
    """Numbers are given out before transactions commit: 10 may be seen before 9."""
    follower = live.Follower(web.engine)
    follower.start()
    with Session(web.engine) as session:
        session.add(IncidentChange(id=10, incident_id=3, at_ms=NOW_MS, kind="note"))
        session.commit()
        assert [event.id for event in follower.look()] == [10]
        session.add(IncidentChange(id=9, incident_id=3, at_ms=NOW_MS, kind="note"))
        session.commit()
        assert [event.id for event in follower.look()] == [9]
    assert follower.look() == []


def test_one_look_serves_all(web: Web, hub, monkeypatch):
    threads: set[int] = set()
    original = live.Follower.look

    def look(self):
        threads.add(threading.get_ident())
        return original(self)

    monkeypatch.setattr(live.Follower, "look", look)
    listeners = [Listener(hub.stream(None)) for _ in range(3)]
    for listener in listeners:
        listener.wait("hello")
    acknowledge(web)
    for listener in listeners:
        assert len(listener.wait("change")) == 1
    assert len(threads) == 1


def test_places_are_bounded_and_given_back(web: Web, hub):
    streams = [hub.stream(None) for _ in range(3)]
    with pytest.raises(live.TooManyClientsError):
        hub.stream(None)
    streams[0].close()
    streams[1].close()
    assert hub.clients() == 1
    hub.stream(None).close()


def test_full_is_said_with_a_time_to_come_back(web: Web):
    web.app.extensions["vigia.live"] = live.Hub(web.engine, web.clock, limit=0)
    answer = web.client("vera").get("/api/v1/live")
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert answer.headers["Retry-After"] == "30"


def test_who_does_not_read_is_let_go(web: Web, hub):
    stream = hub.stream(None)
    (client,) = hub._clients
    for number in range(live.QUEUE + 1):
        client.put(live.Event("site", {"n": number}))
    assert client.full
    list(stream)
    stream.close()
    assert hub.clients() == 0


def test_the_thread_ends_with_the_last_client(web: Web, hub):
    stream = hub.stream(None)
    thread = hub._thread
    stream.close()
    until(lambda: not thread.is_alive(), "the thread to end")
    listener = Listener(hub.stream(None))
    listener.wait("hello")
    acknowledge(web)
    assert listener.wait("change")


def test_a_silent_connection_beats(web: Web, hub, monkeypatch):
    monkeypatch.setattr(live, "BEAT_S", 0.05)
    assert Listener(hub.stream(None)).wait("beat")[0] == {"now_ms": NOW_MS}


def test_closing_ends_every_stream(web: Web, hub):
    listeners = [Listener(hub.stream(None)) for _ in range(2)]
    for listener in listeners:
        listener.wait("hello")
    hub.close()
    for listener in listeners:
        assert listener.ended.wait(5)


def test_a_database_that_fails_for_a_while_ends_nothing(web: Web, hub, monkeypatch):
    listener = Listener(hub.stream(None))
    listener.wait("hello")
    original, failed = live.Follower.look, threading.Event()

    def look(self):
        if not failed.is_set():
            failed.set()
            raise SQLAlchemyError("database is locked")
        return original(self)

    monkeypatch.setattr(live.Follower, "look", look)
    assert failed.wait(5)
    acknowledge(web)
    assert listener.wait("change")


@pytest.mark.parametrize("given", ["x", "-1", "9" * 30, "٣"])
def test_a_bad_last_event_id_begins_anew(web: Web, given):
    client = web.client("vera")
    with client.get("/api/v1/live", headers={"Last-Event-ID": given}, buffered=False) as answer:
        assert answer.status_code == 200
        assert answer.mimetype == "text/event-stream"
        parts = iter(answer.response)
        assert next(parts) == b"retry: 3000\n\n"
        assert b"event: hello" in next(cast("Iterator[bytes]", parts))


def test_nothing_is_news_to_an_empty_state(web: Web):
    with Session(web.engine) as session:
        session.execute(update(DeviceState).values(arrival_ms=None))
        session.commit()
    follower = live.Follower(web.engine)
    follower.start()
    assert follower.look() == []
