"""A real InfluxDB server on a free port, set up through its own API, gone with its folder."""

from __future__ import annotations

import itertools
import json
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from collector.config import InfluxConfig
from tests.servers.ports import free_port
from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

ORG = "vigia-test"
TOKEN = "vigia-test-token"


class InfluxServer:
    """influxd with its data below ``folder``; survives ``kill`` and ``start`` with its data."""

    def __init__(self, binary: str, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.org = ORG
        self.token = TOKEN
        self._binary = binary
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)

    def start(self) -> None:
        """Start, wait until it answers, set it up when it is new."""
        command = [
            self._binary,
            f"--bolt-path={self._folder / 'influxd.bolt'}",
            f"--sqlite-path={self._folder / 'influxd.sqlite'}",
            f"--engine-path={self._folder / 'engine'}",
            f"--http-bind-address={self.url.removeprefix('http://')}",
            "--reporting-disabled",
            "--log-level=error",
        ]
        log = (self._folder / "influxd.log").open("ab")
        with log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until(self._answers, "InfluxDB to answer", timeout_s=60)
        if self._call("GET", "/api/v2/setup")["allowed"]:
            first = {
                "username": "test",
                "password": "test-password",
                "org": ORG,
                "bucket": "first",
                "token": TOKEN,
            }
            self._call("POST", "/api/v2/setup", first)

    def config(self) -> InfluxConfig:
        """A configuration with buckets that nobody else uses; they are made by the store's ``provision``."""
        number = next(self._numbers)
        return InfluxConfig(
            url=self.url, org=ORG, bucket=f"raw{number}", long_bucket=f"long{number}", token_file=None
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it without warning."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
            self._process = None

    def stop(self) -> None:
        """End it in order."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
            self._process = None

    def _answers(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise AssertionError((self._folder / "influxd.log").read_text(errors="replace")[-2000:])
        try:
            return bool(self._call("GET", "/health")["status"] == "pass")
        except (urllib.error.URLError, ConnectionError):
            return False

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data=data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            parsed: dict[str, Any] = json.loads(answer.read())
        return parsed


@pytest.fixture(scope="session")
def influx(influxd_bin: str) -> Iterator[InfluxServer]:
    """One server for the session; every test takes a ``config()`` of its own."""
    with tempfile.TemporaryDirectory(prefix="vigia-influx-") as folder:
        server = InfluxServer(influxd_bin, Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()
