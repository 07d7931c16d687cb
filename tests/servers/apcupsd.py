"""The real apcupsd as the slave of a stand-in: it has no UPS of its own, so its `net` driver polls ours.

What the stand-in is told to say goes through apcupsd's own parser, state and network information server.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers.ports import free_port
from tests.servers.programs import unpacked, unpacked_environment
from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Mapping

ON_LINE = {
    "APC": "001,018,0000",
    "UPSNAME": "biblioteca",
    "MODEL": "Back-UPS prueba",
    "STATUS": "ONLINE",
    "LINEV": "124.5 Volts",
    "LOADPCT": "17.0 Percent",
    "BCHARGE": "100.0 Percent",
    "TIMELEFT": "31.5 Minutes",
    "LOTRANS": "92.0 Volts",
    "HITRANS": "147.0 Volts",
    "BATTV": "13.6 Volts",
    "NOMINV": "120 Volts",
    "NOMBATTV": "12.0 Volts",
    "NUMXFERS": "0",
    "STATFLAG": "0x05000008",
}


class Master:
    """A network information server that says what it is told, in the protocol's own framing."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = dict(values)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._links: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """End, with every connection."""
        for link in [self._server, *self._links]:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
            link.close()

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._server.accept()
            except OSError:
                return
            self._links.append(link)
            threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        try:
            with link.makefile("rwb") as stream:
                while len(head := stream.read(2)) == 2:
                    stream.read(int.from_bytes(head, "big"))
                    for key, value in dict(self.values).items():
                        line = f"{key:<9}: {value}\n".encode()
                        stream.write(len(line).to_bytes(2, "big") + line)
                    stream.write(b"\0\0")
                    stream.flush()
        except (OSError, ValueError):
            pass


class ApcupsdServer:
    """A running apcupsd named ``biblioteca``; ``say`` changes what its UPS does."""

    host = "127.0.0.1"

    def __init__(self) -> None:
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="apcupsd-"))
        self._master = Master(ON_LINE)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start apcupsd; return when it answers."""
        folder = str(self._folder)
        paths = "".join(
            f"{name} {folder}\n" for name in ("LOCKFILE", "SCRIPTDIR", "PWRFAILDIR", "NOLOGINDIR")
        )
        (self._folder / "conf").write_text(
            "## apcupsd.conf v1.1 ##\nUPSNAME biblioteca\nUPSCABLE ether\nUPSTYPE net\n"
            f"DEVICE 127.0.0.1:{self._master.port}\nPOLLTIME 1\n{paths}NETSERVER on\nNISIP 127.0.0.1\n"
            f"NISPORT {self.port}\nEVENTSFILE {folder}/events\nSTATTIME 0\nSTATFILE {folder}/stat\n"
        )
        command = [unpacked("sbin/apcupsd"), "-b", "-f", f"{folder}/conf", "-P", f"{folder}/pid"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, env=unpacked_environment(), stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        until(self._accepts, "apcupsd")

    def say(self, **values: str) -> None:
        """Have the UPS say this from now on; apcupsd hears it at its next poll."""
        self._master.values = {**self._master.values, **values}  # whole or not at all, for its threads

    def lose_ups(self) -> None:
        """Take the UPS away."""
        self._master.stop()

    def stop_server(self) -> None:
        """End apcupsd."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=20)
        self._process = None

    def stop(self) -> None:
        """End everything and remove the folder."""
        self.stop_server()
        self._master.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _accepts(self) -> bool:
        try:
            socket.create_connection((self.host, self.port), timeout=1).close()
        except OSError:
            return False
        return True
