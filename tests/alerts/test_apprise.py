"""The real Apprise against a real HTTP server."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from collector.alerts.channels import build_channels, check_channel
from collector.alerts.channels.errors import PermanentChannelError, TemporaryChannelError
from collector.alerts.service import AlertService
from collector.config import ChannelConfig
from collector.errors import ConfigError
from collector.log import Reporter
from collector.model import Change
from tests.alerts.bench import MINUTE, Bench

# Apprise imports it on purpose where Python still has it
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@contextmanager
def webhook(status: int = 200):
    """A server that answers with ``status`` and keeps what it was sent."""
    got: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name that http.server calls
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append(json.loads(body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Write nothing into the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"json://127.0.0.1:{server.server_port}/hook", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def channel(tmp_path, url: str, timeout_ms: int = 2000):
    from collector.alerts.channels.apprise_channel import AppriseChannel

    (tmp_path / "url").write_text(url + "\n")
    return AppriseChannel("crew", ChannelConfig(url_file=tmp_path / "url"), timeout_ms)


def test_a_webhook_gets_title_and_body(tmp_path):
    with webhook() as (url, got):
        channel(tmp_path, url).send("Aviso #1", "Sin luz\n\n- 0 V & <nada>")
    assert [(hook["title"], hook["message"]) for hook in got] == [("Aviso #1", "Sin luz\n\n- 0 V & <nada>")]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, PermanentChannelError),
        (413, PermanentChannelError),
        (401, TemporaryChannelError),
        (429, TemporaryChannelError),
        (503, TemporaryChannelError),
    ],
)
def test_what_the_server_answers_is_permanent_or_temporary(tmp_path, status, error):
    with webhook(status) as (url, got):
        with pytest.raises(error, match=str(status)):
            channel(tmp_path, url).send("a", "b")
        assert len(got) == 1


def test_nobody_there_and_no_answer_are_temporary(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(TemporaryChannelError):
            channel(tmp_path, f"json://127.0.0.1:{port}/", timeout_ms=200).send("a", "b")
    with pytest.raises(TemporaryChannelError):
        channel(tmp_path, f"json://127.0.0.1:{port}/", timeout_ms=200).send("a", "b")


def test_the_url_comes_from_file_or_environment_and_is_checked(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="VIGIA_CHANNEL_NIGHT_CREW"):
        check_channel("night-crew", ChannelConfig())
    with pytest.raises(TemporaryChannelError):
        build_channels(Bench(tmp_path).config.alerts)["crew"].send("a", "b")
    monkeypatch.setenv("VIGIA_CHANNEL_NIGHT_CREW", "nonsense")
    with pytest.raises(ConfigError, match="not a URL"):
        check_channel("night-crew", ChannelConfig())
    monkeypatch.setenv("VIGIA_CHANNEL_NIGHT_CREW", "json://127.0.0.1/")
    check_channel("night-crew", ChannelConfig())


def test_an_incident_reaches_the_webhook(tmp_path, monkeypatch):
    bench = Bench(tmp_path, {"channels": {"crew": {"routes": ["crew"]}}})
    with webhook() as (url, got):
        monkeypatch.setenv("VIGIA_CHANNEL_CREW", url)
        reporter = Reporter("alerts", bench.metrics)
        service = AlertService(bench.config, bench.engine, bench.metrics, reporter, bench.clock)
        bench.say(Change.RAISED)
        bench.clock.ms += MINUTE
        service.deliver("crew")
    assert [hook["title"] for hook in got] == [
        "Aviso #1 Casa de Cultura San Ángel: Sitio sin comunicación (causa aún desconocida)"
    ]
    assert "Perro bravo" in got[0]["message"]
    assert "https://vigia.example/incidents/1" in got[0]["message"]
    bench.close()
