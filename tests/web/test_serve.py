"""gunicorn in a process of its own: its port, its streams, its end."""

from __future__ import annotations

import http.client
import os
import signal
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from sqlalchemy.orm import Session

from collector.alerts import lifecycle
from collector.clock import SystemClock
from collector.config import parse
from collector.errors import ConfigError
from collector.storage.state import open_engine
from collector.web.serve import session_secret
from tests.web.conftest import SETTINGS, fill
from tests.web.server import running

if TYPE_CHECKING:
    from pathlib import Path

SLOWEST_STOP_S = 8.0


@pytest.mark.server
def test_streams_over_the_network_and_a_quick_end(tmp_path: Path):
    tokens = fill(tmp_path, SystemClock())
    headers = {"Authorization": f"Bearer {tokens['viewer']}"}
    with running(tmp_path) as (address, process):
        streams = [http.client.HTTPConnection(urlsplit(address).netloc, timeout=30) for _ in range(8)]
        answers = []
        for stream in streams:
            stream.request("GET", "/api/v1/live", headers=headers)
            answers.append(stream.getresponse())
        assert all(answer.status == 200 for answer in answers)
        for answer in answers:
            _read_until(answer, b"event: hello")
        engine = open_engine(parse(SETTINGS, tmp_path).state_url())
        with Session(engine) as session:
            lifecycle.acknowledge(session, 3, "carla", SystemClock().now_ms())
            session.commit()
        engine.dispose()
        for answer in answers:
            _read_until(answer, b"event: change")
        # eight streams on four threads: others are still served
        other = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
        other.request("GET", "/api/v1/status", headers=headers)
        assert other.getresponse().status == 200
        assert process.pid
        os.kill(process.pid, signal.SIGTERM)
        began = time.monotonic()
        process.join(20)
        assert process.exitcode == 0
        assert time.monotonic() - began < SLOWEST_STOP_S
        for connection in [*streams, other]:
            connection.close()
        for answer in answers:
            answer.close()


def _read_until(answer: http.client.HTTPResponse, wanted: bytes) -> None:
    while wanted not in (line := answer.readline()):
        assert line, f"the stream ended before {wanted!r}"


def test_the_session_secret_is_made_once_and_private(tmp_path: Path):
    path = tmp_path / "web.secret"
    first = session_secret(path)
    assert len(first) >= 32
    assert session_secret(path) == first
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_session_secret_may_come_from_the_environment(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("VIGIA_WEB_SECRET", "e" * 40)
    assert session_secret(tmp_path / "web.secret") == "e" * 40
    assert not (tmp_path / "web.secret").exists()


def test_a_short_or_unwritable_secret_is_said(tmp_path: Path):
    path = tmp_path / "web.secret"
    path.write_text("short")
    with pytest.raises(ConfigError, match="at least 32"):
        session_secret(path)
    with pytest.raises(ConfigError, match="cannot be written"):
        session_secret(tmp_path / "no" / "folder")
