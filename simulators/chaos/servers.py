"""The processes of a run: started, killed as the kernel kills, started again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collector.storage import influx_trust, influx_wal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from certs.authority import Authority
    from simulators.chaos.disk import Disk

ORG, TOKEN = "chaos", "chaos-token"  # of a server on loopback that lives for seconds
PATIENCE_S = 180.0  # no verdict on a machine that is busier than that
_SYSTEM = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
_HALF_AN_ENTRY = b"\x01\x00\x00\x02\x00" + bytes(range(100, 200))  # of InfluxDB's log: 512 bytes promised
# with stock limits these lines are left out
_LIMITS = re.compile(r"^(max_inflight_messages|max_queued_messages|max_queued_bytes) .*\n", re.MULTILINE)


class ChaosError(Exception):
    """The harness cannot do its work: no verdict on the system under test."""


async def until(condition: Callable[[], Any], what: str, timeout_s: float = PATIENCE_S) -> None:
    """Return when ``condition`` holds; ``ChaosError`` after ``timeout_s``."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    while not condition():
        if loop.time() > deadline:
            raise ChaosError(f"waited {timeout_s:.0f} s for {what}")
        await asyncio.sleep(0.03)


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(name: str) -> str:
    """Return where a server's program is: built into the cache, or installed."""
    cache = (
        os.environ.get("VIGIA_CACHE") or f"{os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'}/vigia"
    )
    found = shutil.which(name, path=os.pathsep.join([f"{cache}/bin", _SYSTEM]))
    if found is None:
        raise ChaosError(f"{name} is missing: run `make servers`")
    return found


class Process:
    """One program that may be killed and started again; its words go to ``log``."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.running: subprocess.Popen[bytes] | None = None

    def spawn(
        self, command: Sequence[str], env: Mapping[str, str] | None = None, *, stdin: int = subprocess.DEVNULL
    ) -> None:
        """Start it. Signals that Python ignores stay ignored (SIGXFSZ: a limit is an error, not the end)."""
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=log,
                stderr=log,
                env={**os.environ, **(env or {})},
                restore_signals=False,
            )

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self.running.pid if self.running is not None and self.running.poll() is None else None

    def kill(self) -> None:
        """SIGKILL."""
        self.end(signal.SIGKILL)

    def end(self, how: signal.Signals) -> None:
        """Send a signal and wait for the end."""
        process, self.running = self.running, None
        if process is None:
            return
        process.send_signal(how)
        process.wait(60)
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()

    def said(self) -> str:
        """Everything it has said."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""


class Broker(Process):
    """Mosquitto with the project's own configuration, or with its stock limits."""

    def __init__(self, folder: Path, authority: Authority, disk: Disk, *, stock: bool) -> None:
        super().__init__(folder / "mosquitto.log")
        self.port = authority.settings.device_port
        self.disk = disk
        self._command = [program("mosquitto"), "-c"]
        self._authority = authority
        self._conf = folder / "mosquitto" / "mosquitto.conf"
        self._stock = stock

    def configure(self) -> None:
        """Write its configuration; the disk must be there."""
        self._authority.export_mosquitto(
            self._conf, data=self.disk.folder, device_bind="127.0.0.1", collector_bind="127.0.0.1"
        )
        text = self._conf.read_text(encoding="utf-8")
        if self._stock:
            text = _LIMITS.sub("", text)
        # as root Mosquitto would become user `mosquitto`, who cannot enter this folder
        user = "user root\n" if os.geteuid() == 0 else ""
        self._conf.write_text(user + text, encoding="utf-8")

    async def start(self) -> None:
        """Start it and wait until it listens."""
        before = self.said().count(" running")
        self.spawn([*self._command, str(self._conf)])
        await until(lambda: self.pid is None or self.said().count(" running") > before, "mosquitto")
        if self.pid is None:
            raise ChaosError(f"mosquitto ended: {self.said()[-500:]}")

    def save(self) -> None:
        """Make it write its sessions to disk now."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGUSR1)


class Store(Process):
    """InfluxDB, set up through its own API."""

    def __init__(self, folder: Path, disk: Disk, *, mends: bool = True) -> None:
        super().__init__(folder / "influxd.log")
        self._mends = mends
        self.url = f"http://127.0.0.1:{free_port()}"
        self.disk = disk
        self.mended: list[str] = []
        self.began_ms = time.time_ns() // 1_000_000

    async def start(self) -> None:
        """Mend its logs as `vigia-collector run` does, start it, wait until it answers."""
        data = self.disk.folder
        if self._mends:
            self.mended += influx_wal.mend(data)
        self.spawn([
            program("influxd"), f"--bolt-path={data}/influxd.bolt", f"--sqlite-path={data}/influxd.sqlite",
            f"--engine-path={data}/engine", f"--http-bind-address={self.url.removeprefix('http://')}",
            "--reporting-disabled", "--log-level=warn",
        ])  # fmt: skip
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_S
        while not await asyncio.to_thread(self._answers):
            if self.pid is None or loop.time() > deadline:
                raise ChaosError(f"influxd does not answer: {self.said()[-800:]}")
            await asyncio.sleep(0.05)

    def is_broken(self) -> bool:
        """Whether the ingest asks for a restart: after a write that its disk did not take."""
        try:
            with urllib.request.urlopen(f"{self.url}/metrics", timeout=10) as answer:  # noqa: S310 - own server
                return influx_trust.failed_writes(answer.read().decode()) > 0
        except (OSError, HTTPException):  # it is down, or was killed while it answered
            return False

    def tear(self) -> None:
        """Die in the middle of a write: half an entry stands at the end of its logs."""
        self.kill()
        for log in (self.disk.folder / "engine" / "wal").glob("*/*/*/_*.wal"):
            with contextlib.suppress(OSError), log.open("ab", buffering=0) as file:  # its disk may be full
                file.write(_HALF_AN_ENTRY)

    def set_up(self) -> None:
        """Make organisation, bucket and token."""
        first = {
            "username": "chaos",
            "password": "chaos-chaos",
            "org": ORG,
            "bucket": "first",
            "token": TOKEN,
        }
        self._call("POST", "/api/v2/setup", first)

    def _answers(self) -> bool:
        try:
            return bool(self._call("GET", "/health")["status"] == "pass")
        except (urllib.error.URLError, OSError, ValueError):
            return False

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data=data, method=method)  # noqa: S310 - own server
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - own server
            parsed: dict[str, Any] = json.loads(answer.read())
        return parsed


class Ingest:
    """The collector's ingest, started again whenever it ends, as the supervisor does."""

    def __init__(self, folder: Path, config: Path, failpoints: Sequence[str]) -> None:
        self._log = folder / "ingest.log"
        self._config = config
        self.armed = list(failpoints)  # of the processes to come, in order
        self.failed: list[str] = []  # ends that nobody brought about
        self.pid: int | None = None
        self._warm: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def warm(self) -> None:
        """Begin its imports."""
        with self._log.open("ab") as log:
            self._warm = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "simulators.chaos.warm", str(self._config),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip

    def start(self) -> None:
        """Start it and keep it running."""
        self._keeping = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End it for good."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        self.strike()
        if self._warm is not None and self._warm.returncode is None:
            self._warm.kill()
            await self._warm.wait()

    def strike(self) -> None:
        """SIGKILL; it comes back by itself."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)

    def windows_hit(self) -> list[str]:
        """Return the windows in which it killed itself."""
        return re.findall(r"^failpoint (after_\w+)$", self._said(), re.MULTILINE)

    def _said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    async def _keep(self) -> None:
        while True:
            hits = len(self.windows_hit())
            code = await self._live(self.armed[0] if self.armed else "")
            if code != -signal.SIGKILL:
                self.failed.append(f"the ingest ended by itself with {code}: {self._said()[-300:]}")
            if len(self.windows_hit()) > hits:
                self.armed.pop(0)
            await asyncio.sleep(0.1)

    async def _live(self, failpoint: str) -> int:
        """Start one process and return its exit code."""
        if self._warm is None or self._warm.stdin is None or self._warm.stdout is None:
            raise ChaosError("the ingest is not warm")
        self._warm.stdin.write(f"{failpoint}\n".encode())
        self.pid = int(await self._warm.stdout.readline())
        code = int(await self._warm.stdout.readline())
        self.pid = None
        return code
