"""NUT's own upsd with dummy-ups drivers, in a folder of its own on a free port; needs no root."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.servers import nss
from tests.servers.ports import free_port
from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Debian's /usr/sbin/upsd is a script that refuses to start unless /etc/nut/nut.conf allows it.
REAL_UPSD = Path("/lib/nut/upsd")

ON_LINE = {
    "battery.charge": "100",
    "battery.runtime": "1800",
    "battery.voltage": "13.6",
    "battery.voltage.nominal": "12",
    "device.mfr": "Vigia",
    "device.model": "Test",
    "input.frequency": "60.0",
    "input.transfer.high": "147",
    "input.transfer.low": "89",
    "input.voltage": "127.3",
    "input.voltage.nominal": "120",
    "output.voltage": "127.3",
    "ups.load": "12",
    "ups.status": "OL",
}


class UpsdServer:
    """A running upsd; ``upses`` gives the variables of each UPS, by default one named ``sai`` on line.

    ``max_age_s`` is after how long without news from a driver upsd calls its data stale. ``authority``: offer
    STARTTLS with a certificate of it, for ``localhost``.
    """

    user, password = "vigia", "secreto"

    def __init__(
        self,
        tools: Mapping[str, str],
        upses: Mapping[str, Mapping[str, str]] | None = None,
        *,
        max_age_s: int = 3,
        authority: nss.Authority | None = None,
    ) -> None:
        self.host = "127.0.0.1"
        self.port = free_port()
        self._tools = tools
        self._upses = upses or {"sai": ON_LINE}
        self._max_age_s = max_age_s
        self._authority = authority
        # a driver's socket must fit into the 108 bytes of sun_path, which pytest's folders may not
        self._folder = Path(tempfile.mkdtemp(prefix="upsd-"))
        self._drivers: dict[str, subprocess.Popen[bytes]] = {}
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the drivers and upsd; return when every UPS has its status."""
        self._configure()
        for name in self._upses:
            self.start_driver(name)
        self.start_server()
        for name in self._upses:
            self.wait_ready(name)

    def wait_ready(self, ups: str = "sai") -> None:
        """Return when upsd has the driver's data; until then it says WAIT."""
        until(lambda: self.get("ups.status", ups) not in {None, "WAIT"}, f"the first status of {ups}")

    def stop(self) -> None:
        """Stop everything and remove the folder."""
        self.stop_server()
        for name in list(self._drivers):
            self.kill_driver(name)
        shutil.rmtree(self._folder, ignore_errors=True)

    def start_server(self) -> None:
        """Start upsd alone, on the same port as before; return when it accepts connections."""
        program = str(REAL_UPSD) if REAL_UPSD.exists() else self._tools["upsd"]
        self._server = self._spawn([program, "-F"])
        until(self._accepts, "upsd")

    def stop_server(self) -> None:
        """Stop upsd alone; the drivers run on."""
        _end(self._server)
        self._server = None

    def start_driver(self, ups: str = "sai") -> None:
        """Start the driver of a UPS; its variables are as given at first."""
        self._drivers[ups] = self._spawn([self._tools["dummy-ups"], "-F", "-a", ups])
        until((self._folder / f"dummy-ups-{ups}").exists, f"the driver of {ups}")

    def kill_driver(self, ups: str = "sai") -> None:
        """Kill a driver: upsd answers DRIVER-NOT-CONNECTED."""
        _end(self._drivers.pop(ups), signal.SIGKILL)
        (self._folder / f"dummy-ups-{ups}").unlink(missing_ok=True)

    def pause_driver(self, ups: str = "sai") -> None:
        """Halt a driver: upsd answers DATA-STALE when ``max_age_s`` is over."""
        self._drivers[ups].send_signal(signal.SIGSTOP)

    def resume_driver(self, ups: str = "sai") -> None:
        """Let a halted driver go on."""
        self._drivers[ups].send_signal(signal.SIGCONT)

    def set(self, variable: str, value: str, ups: str = "sai") -> None:
        """Change a variable of a UPS with upsrw; return when upsd tells the new value."""
        account = ["-u", self.user, "-p", self.password]
        command = [
            self._tools["upsrw"],
            "-s",
            f"{variable}={value}",
            *account,
            f"{ups}@{self.host}:{self.port}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        if done.returncode:
            raise RuntimeError(f"upsrw: {done.stdout} {done.stderr}")
        until(lambda: self.get(variable, ups) == value, f"{variable}={value}")

    def get(self, variable: str, ups: str = "sai") -> str | None:
        """Return what upsd says a variable is, None when it says an error."""
        answer = self.ask(f"GET VAR {ups} {variable}")
        return answer.split('"')[1] if answer.startswith("VAR ") else None

    def ask(self, command: str) -> str:
        """Return the first line of upsd's answer to a command."""
        with (
            socket.create_connection((self.host, self.port), timeout=5) as link,
            link.makefile("rw") as lines,
        ):
            lines.write(command + "\n")
            lines.flush()
            return str(lines.readline()).strip()

    def _accepts(self) -> bool:
        try:
            socket.create_connection((self.host, self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        as_me = ["-u", "root"] if os.geteuid() == 0 else []  # else NUT leaves root for its own user
        folder = str(self._folder)
        paths = {"NUT_CONFPATH": folder, "NUT_STATEPATH": folder, "NUT_ALTPIDPATH": folder}
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [*command, *as_me],
                env={**os.environ, **paths},
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def _configure(self) -> None:
        sections = []
        for name, variables in self._upses.items():
            device = "".join(f"{variable}: {value}\n" for variable, value in variables.items())
            self._write(f"{name}.dev", device)
            # dummy-once reads the file at its start alone, so that upsrw's changes stay
            sections.append(
                f"[{name}]\ndriver = dummy-ups\nport = {name}.dev\nmode = dummy-once\npollinterval = 1\n"
            )
        self._write("ups.conf", "\n".join(sections))
        secure = ""
        if self._authority is not None:
            nss.fill(self._folder, self._authority, "localhost")
            secure = f'CERTPATH {self._folder}\nCERTIDENT {nss.NICKNAME} ""\n'
        self._write("upsd.conf", f"LISTEN {self.host} {self.port}\nMAXAGE {self._max_age_s}\n{secure}")
        self._write(
            "upsd.users", f"[{self.user}]\npassword = {self.password}\nactions = SET\ninstcmds = ALL\n"
        )

    def _write(self, name: str, text: str) -> None:
        path = self._folder / name
        path.write_text(text, encoding="ascii")
        path.chmod(0o600)


def _end(process: subprocess.Popen[bytes] | None, how: signal.Signals = signal.SIGTERM) -> None:
    if process is None:
        return
    process.send_signal(how)
    process.send_signal(signal.SIGCONT)
    process.wait(timeout=20)


@pytest.fixture
def upsd(upsd_tools: dict[str, str]) -> Iterator[UpsdServer]:
    """One UPS named ``sai``, on line at 127.3 V."""
    server = UpsdServer(upsd_tools)
    try:
        server.start()
        yield server
    finally:
        server.stop()
