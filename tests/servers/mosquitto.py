"""A real Mosquitto with the project's own exported configuration, in a folder of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

from certs.authority import Authority
from tests.servers.ports import free_port
from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HOST = "localhost"


def new_authority(folder: Path) -> Authority:
    """An authority for a broker on two free ports of loopback."""
    return Authority.create(folder, device_port=free_port(), collector_port=free_port())


class MosquittoServer:
    """Starts, stops and kills one Mosquitto; its sessions live in ``folder`` and outlast a stop.

    ``extra`` lines come first in the configuration. A line "running" in the log says it listens.
    """

    mqtt_version = 5

    def __init__(
        self,
        binary: str,
        folder: Path,
        authority: Authority,
        extra: Sequence[str] = (),
        device_bind: str = "127.0.0.1",
    ) -> None:
        self.host = HOST
        self.authority = authority
        self.device_port = authority.settings.device_port
        self.collector_port = authority.settings.collector_port
        self._binary = binary
        self._log = folder / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._conf = authority.export_mosquitto(
            folder / "mosquitto.conf", device_bind=device_bind, collector_bind="127.0.0.1"
        )
        # as root Mosquitto would become user `mosquitto`, who cannot enter a test's folder
        lines = [*(["user root"] if os.geteuid() == 0 else []), *extra, self._conf.read_text()]
        self._conf.write_text("\n".join(lines))

    def start(self) -> MosquittoServer:
        """Start it and wait until it listens."""
        already = self.log().count(" running")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._binary, "-c", str(self._conf)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            until(lambda: self._process_runs() and self.log().count(" running") > already, "it to listen")
        except AssertionError:
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """End it in good order: it saves its sessions."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it like a power cut: what it had not saved is gone."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start with the same sessions."""
        self.stop()
        self.start()

    def save(self) -> None:
        """Make it write its sessions to disk now."""
        before = self._saved()
        self._running().send_signal(signal.SIGUSR1)
        # its log speaks before it writes; a new file takes the old one's place when all is written
        until(lambda: self._saved() not in {None, before}, "mosquitto to save")

    def _saved(self) -> int | None:
        """Return which file holds the sessions."""
        path = self._conf.parent / "data" / "mosquitto.db"
        return path.stat().st_ino if path.exists() else None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._running().pid

    def log(self) -> str:
        """Everything it has logged."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(30)

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "mosquitto is not running"
        return self._process

    def _process_runs(self) -> bool:
        code = self._running().poll()
        assert code is None, f"mosquitto ended with {code}:\n{self.log()}"
        return True
