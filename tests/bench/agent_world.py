"""One agent with everything it reads and whom it talks to, as real processes on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from simulators.protocols.ubus import StandIn
from simulators.protocols.ubusd import Ubusd
from tests.agent.centre import DEVICE, SITE, LiveCentre
from tests.bench import agent_proc as proc
from tests.readers.probe_servers import Portal, answered, http_server
from tests.servers import programs
from tests.servers.mosquitto import MosquittoServer, new_authority
from tests.servers.upsd import UpsdServer
from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

CASES = Path(__file__).resolve().parent.parent / "cases"
WIFI = CASES / "wifi" / "openwrt-21.02-mt76" / "first"
WAN = CASES / "wan" / "archer-c7-v2-openwrt-15.05" / "commands" / "ubus_call_network.interface_dump"
SWITCH = CASES / "switch" / "archer-c7-v2-ar8327-openwrt-15.05" / "commands"
REAPER = Path(__file__).with_name("agent_reaper.py")
RAM = Path("/dev/shm")  # noqa: S108 - a tmpfs, as /tmp is on a router
DNS_PORT = 53
LOCALHOST = b"\x7f\0\0\1"
NOT_FOUND = 4  # exit status of ubus


def stand_in(root: Path) -> StandIn:
    """Make the commands ``ubus`` and ``swconfig``, which answer with what two devices once answered."""
    ubus = StandIn(root)
    shutil.copytree(WIFI, ubus.answers, dirs_exist_ok=True)
    shutil.copy(WAN, ubus.answers / "network.interface.dump.json")
    recorded = {path.name.split("_", 1)[1].replace("_", " "): path for path in SWITCH.iterdir()}
    _command(ubus.folder / "swconfig", recorded)
    return ubus


def _command(path: Path, answers: dict[str, Path]) -> None:
    cases = [f"{shlex.quote(words)}) exec cat {shlex.quote(str(file))};;" for words, file in answers.items()]
    path.write_text("\n".join(["#!/bin/sh", 'case "$*" in', *cases, "esac", f"exit {NOT_FOUND}", ""]))
    path.chmod(0o755)


@contextlib.contextmanager
def dns_server(address: str) -> Iterator[bool]:
    """Say of every name that it is this machine; gives whether port 53 may be had, which takes root."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.bind((address, DNS_PORT))
        except OSError:
            yield False
            return
        thread = threading.Thread(target=_serve, args=(sock,), daemon=True)
        thread.start()
        yield True
        sock.sendto(b"", (address, DNS_PORT))
        thread.join(10)


def _serve(sock: socket.socket) -> None:
    while True:
        query, client = sock.recvfrom(2048)
        if not query:
            return
        sock.sendto(answered(query, address=LOCALHOST), client)


class World:
    """Servers, and one agent started by ``command`` with all readers and the default intervals."""

    def __init__(
        self, name: str, folder: Path, command: list[str], number: int, *, ubusd: bool = True
    ) -> None:
        self.name, self._folder, self._command = name, folder, command
        self._ubusd = ubusd
        self._dns = f"127.84.0.{number}"
        self.ram = RAM / f"vigia-bench-{os.getpid()}-{name}"
        self._stack = contextlib.ExitStack()
        self.pid = self.reaper = self.port = 0
        self.environment: dict[str, str] = {}
        self.flash = proc.Folder(folder / "flash")
        self.rss_kb = self.private_dirty_kb = 0

    def __enter__(self) -> Self:
        try:
            return self._enter()
        except BaseException:
            self._stack.close()
            raise

    def _enter(self) -> Self:
        folder = self._folder
        folder.mkdir(parents=True)
        authority = new_authority(folder / "pki")
        authority.issue(DEVICE, SITE)
        broker = MosquittoServer(programs.packaged("mosquitto", "mosquitto"), folder / "broker", authority)
        self._stack.callback(broker.start().kill)
        device = authority.folder / "devices" / DEVICE
        self.centre = LiveCentre(authority, device).start()
        self._stack.callback(self.centre.stop)
        self.port = broker.device_port
        self.config = self._configure(device)
        self._start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stack.close()

    def _configure(self, device: Path) -> Path:
        folder = self._folder
        tools = {name: programs.packaged(name, "nut") for name in ("upsd", "dummy-ups", "upsrw")}
        upsd = UpsdServer(tools)
        self._stack.callback(upsd.stop)
        upsd.start()
        portal = Portal(folder)
        (folder / "portal.der").write_bytes(portal.authority)
        page = self._stack.enter_context(http_server())
        secure = self._stack.enter_context(http_server(portal.context(90)))
        named = self._stack.enter_context(dns_server(self._dns))
        self.ram.mkdir()
        self._stack.callback(shutil.rmtree, self.ram, ignore_errors=True)
        config = json.loads((device / "agent.json").read_text())
        config["spool"] = {"ram_dir": str(self.ram), "flash_dir": str(folder / "flash")}
        targets = [f"tcp://127.0.0.1:{self.port}", f"http://127.0.0.1:{page}/"]
        probes = {"gateway": "127.0.0.1", "modem": "127.0.0.1", "dns": [self._dns] if named else []}
        if named:
            targets.append(f"https://localhost:{secure}/")
        config["readers"] = {
            "host": {}, "interfaces": {}, "wan": {}, "switch": {}, "wifi": {},
            "ups": {"host": upsd.host, "port": upsd.port},
            "probes": {**probes, "targets": targets, "ca": str(folder / "portal.der")},
        }  # fmt: skip
        path = device / "agent.json"
        path.write_text(json.dumps(config))
        return path

    def _start(self) -> None:
        ubus = stand_in(self._folder / "commands")
        place = {"PATH": f"{ubus.folder}:{os.environ['PATH']}", "TMPDIR": str(RAM)}
        if self._ubusd:
            ubusd = self._stack.enter_context(Ubusd(self.ram / "ubus.sock", ubus.answers))
            place["VIGIA_UBUS_SOCKET"] = str(ubusd.path)
        self.environment = {**os.environ, **place}
        with (self.ram / "agent.log").open("ab") as log:
            reaper = subprocess.Popen(
                [sys.executable, "-S", str(REAPER), *self._command, "--config", str(self.config)],
                env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        self._stack.callback(reaper.wait, 30)
        self._stack.callback(reaper.terminate)
        assert reaper.stdout is not None
        self.pid, self.reaper = int(reaper.stdout.readline()), reaper.pid
        reaper.stdout.close()
        until(self._speaks, f"the first frame of {self.name}", timeout_s=120)

    def _speaks(self) -> bool:
        assert Path(f"/proc/{self.pid}").exists(), f"{self.name} ended:\n{self.log()}"
        return bool(self.centre.of("data"))

    def log(self) -> str:
        """Return what the agent has said."""
        return (self.ram / "agent.log").read_text(errors="replace")

    def look(self) -> None:
        """Note memory at its highest, and what became of the flash."""
        self.rss_kb = max(self.rss_kb, proc.rss_kb(self.pid))
        self.private_dirty_kb = max(self.private_dirty_kb, proc.private_dirty_kb(self.pid))
        self.flash.look()

    def counters(self) -> dict[str, float]:
        """Return what only grows."""
        return {
            "at_s": time.monotonic(),
            "own_cpu_s": proc.cpu_s(self.pid, proc.OWN),
            "children_cpu_s": proc.cpu_s(self.pid, proc.CHILDREN) + proc.cpu_s(self.reaper, proc.CHILDREN),
            "wakeups": proc.wakeups(self.pid),
            "written": proc.written(self.pid) + self.flash.octets,
            "wire": proc.wire(self.port).octets,
            "frames": len(self.centre.frames),
        }

    def told(self, measurement: str, field: str) -> list[float]:
        """Return every value of a field that arrived, of all instances."""
        found: list[float] = []
        for received in list(self.centre.frames):
            for name, _, names, rows in received.payload.tables:
                if name == measurement and field in names:
                    found += [row[1 + names.index(field)] for row in rows]
        return [value for value in found if value is not None]

    def failures(self) -> dict[str, int]:
        """Return how often each reader that failed has failed."""
        found: dict[str, int] = {}
        for received in list(self.centre.frames):
            for measurement, instance, names, rows in received.payload.tables:
                if measurement == "agent" and instance and "reader_failures" in names:
                    place = 1 + names.index("reader_failures")
                    found[instance] = max(row[place] or 0 for row in rows)
        return {name: count for name, count in found.items() if count}
