"""What becomes of a probe's answers, and the way out asked at real sockets."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from collector import config as configuration
from collector.errors import ConfigError, StoreUnavailableError
from collector.probes import record
from collector.probes.record import Health, Seen
from collector.probes.store import StoreProbe
from collector.probes.uplink import UplinkProbe
from collector.storage.state import Base, CentreSpan, Probe, open_engine
from tests.servers.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

GOOD, FAILED = Seen(good=True, latency_ms=2.0), Seen(good=False, detail="no answer")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = open_engine(f"sqlite:///{tmp_path}/state.db")
    Base.metadata.create_all(made)
    yield made
    made.dispose()


def play(engine: Engine, *answers: Seen, every_ms: int = 5_000, begin_ms: int = 0) -> list[Health]:
    found = []
    for number, seen in enumerate(answers):
        with Session(engine) as session, session.begin():
            found.append(record.saw(session, "broker", seen, begin_ms + number * every_ms))
    return found


def spans(engine: Engine) -> list[tuple[int, int | None]]:
    with Session(engine) as session:
        return [(row.since_ms, row.until_ms) for row in session.scalars(select(CentreSpan))]


def test_one_failure_is_a_doubt_and_two_are_a_fault_since_the_last_success(engine):
    assert play(engine, GOOD, FAILED, GOOD) == [Health.GOOD, Health.DOUBT, Health.GOOD]
    assert spans(engine) == []

    assert play(engine, GOOD, FAILED, FAILED, FAILED, begin_ms=60_000)[1:] == [
        Health.DOUBT, Health.BAD, Health.BAD,
    ]  # fmt: skip
    assert spans(engine) == [(60_000, None)]

    assert play(engine, GOOD, GOOD, begin_ms=90_000) == [Health.GOOD, Health.GOOD]
    assert spans(engine) == [(60_000, 90_000)]


def test_who_never_succeeded_fails_since_it_was_first_asked(engine):
    assert play(engine, FAILED, FAILED, begin_ms=7_000) == [Health.DOUBT, Health.BAD]
    assert spans(engine) == [(12_000, None)]


def test_what_does_not_change_is_written_now_and_then(engine):
    play(engine, *[GOOD] * 3)
    with Session(engine) as session:
        assert session.get_one(Probe, "broker").checked_ms == 0
    play(engine, GOOD, begin_ms=20_000)
    with Session(engine) as session:
        assert session.get_one(Probe, "broker").checked_ms == 20_000


class _Page(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.send_response(404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def http() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Page)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/x"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def names() -> Iterator[str]:
    """A name server that answers every question, after a stray answer to somebody else's."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            query, whence = sock.recvfrom(512)
            if query == b"stop":
                return
            assert query[12:] == b"\x07example\x03org\x00\x00\x01\x00\x01"
            sock.sendto(b"??" + query[2:], whence)
            sock.sendto(query[:2] + b"\x81\x83" + query[4:], whence)

    thread = threading.Thread(target=serve)
    thread.start()
    port = sock.getsockname()[1]
    yield f"dns://127.0.0.1:{port}/example.org"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
        last.sendto(b"stop", ("127.0.0.1", port))
    thread.join()
    sock.close()


def ask(*targets: str) -> Seen:
    probe = UplinkProbe(targets, 0.3)
    seen = probe.ask()
    probe.close()
    return seen


def dead(scheme: str) -> str:
    return f"{scheme}://127.0.0.1:{free_port()}/example.org"


def test_each_kind_of_target_answers_or_does_not(http, names):
    listening = socket.create_server(("127.0.0.1", 0))
    with listening:
        for target in (http, names, f"tcp://127.0.0.1:{listening.getsockname()[1]}"):
            seen = ask(target)
            assert (seen.good, seen.detail) == (True, ""), target
            assert seen.latency_ms is not None
    for scheme in ("tcp", "dns", "http"):
        target = dead(scheme)
        seen = ask(target)
        assert not seen.good
        assert seen.detail.startswith(f"{target}: ")


def test_one_target_that_answers_is_a_way_out(http):
    assert ask(dead("tcp"), dead("dns"), http).good
    assert not ask(dead("tcp"), dead("dns"), dead("http")).good


@pytest.mark.parametrize(
    ("targets", "problem"),
    [
        (["tcp://192.0.2.1:443", "tcp://192.0.2.2:443"], "3 independent targets are needed"),
        (["tcp://192.0.2.1:443"] * 3, "3 independent targets are needed"),
        (["tcp://192.0.2.1:443", "tcp://192.0.2.2:443", "ping://192.0.2.3"], "'ping://192.0.2.3' is neither"),
        (["tcp://192.0.2.1:443", "tcp://192.0.2.2:443", "tcp://192.0.2.3"], "names no host and port"),
        (["tcp://192.0.2.1:443", "tcp://192.0.2.2:443", "dns://192.0.2.3"], "asks for no name"),
    ],
)
def test_targets_that_cannot_be_asked_are_refused(tmp_path, targets, problem):
    with pytest.raises(ConfigError, match=problem):
        configuration.parse({"probes": {"uplink": targets}}, tmp_path)


class _Store:
    fault: Exception | None = None

    def check(self) -> None:
        if self.fault is not None:
            raise self.fault


def test_the_store_is_asked_what_readiness_asks_it():
    store = _Store()
    probe = StoreProbe(store)  # type: ignore[arg-type] # only asked to check
    assert probe.ask().good
    store.fault = StoreUnavailableError("disk full\nand more")
    assert probe.ask() == Seen(good=False, detail="disk full")
