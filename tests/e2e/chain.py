"""The whole chain as real processes: agent, Mosquitto, upsd, collector with its own InfluxDB, a webhook."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from certs.authority import Authority
from tests.servers.mosquitto import MosquittoServer
from tests.servers.ports import free_port
from tests.servers.upsd import UpsdServer
from tests.servers.wait import until
from tests.servers.webhook import Webhook

SITE, DEVICE = "cdc-el-cuernito", "cdc-el-cuernito-pi"
SITES = f"""id,name_es,name_en,kind,sample
{SITE},Centro de Desarrollo Comunitario El Cuernito,El Cuernito Community Center,community-center,true
"""
CONFIG = """
[broker]
host = "localhost"
port = {broker_port}

[registry]
sites_file = "sites.csv"

[store.influx]
url = "http://127.0.0.1:{influx_port}"
command = "{influxd}"

[alerts]
hold_off_ms = 500
recovery_hold_ms = 500

[alerts.channels.cuadrilla]
url_file = "cuadrilla.url"

[web]
port = {web_port}

[log]
level = "info"
"""


def program(name: str) -> str:
    """Path of one of the project's own commands."""
    return str(Path(sys.executable).parent / name)


class Chain:
    """Starts everything below ``folder``, as the operations manual does."""

    def __init__(
        self,
        folder: Path,
        mosquitto: str,
        influxd: str,
        upsd_tools: dict[str, str],
        state_url: str = "",
        agent: tuple[str, ...] = (),
    ) -> None:
        self.folder = folder
        self.agent = agent or (program("vigia-agent"),)
        self.web_port, self.influx_port = free_port(), free_port()
        self.upsd = UpsdServer(upsd_tools)
        self.webhook = Webhook()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.token = ""
        ports = {"--device-port": free_port(), "--collector-port": free_port()}
        self.call("vigia-certs", "init", "pki", *(str(part) for pair in ports.items() for part in pair))
        self.call(
            "vigia-certs", "issue", "pki", DEVICE, "--site", SITE, "--host", "localhost", "--kind", "pi"
        )
        self.authority = Authority.open(folder / "pki")
        self.mosquitto = MosquittoServer(mosquitto, folder / "mosquitto", self.authority)
        self.config = folder / "collector.toml"
        self.config.write_text(
            CONFIG.format(
                broker_port=ports["--collector-port"],
                influx_port=self.influx_port,
                influxd=influxd,
                web_port=self.web_port,
            )
        )
        if state_url:
            self.config.write_text(f'{self.config.read_text()}\n[state]\nurl = "{state_url}"\n')
        (folder / "sites.csv").write_text(SITES)
        (folder / "cuadrilla.url").write_text(self.webhook.url)

    def call(self, name: str, *arguments: str) -> str:
        """Run one of the project's commands to its end and return what it printed."""
        done = subprocess.run(
            [program(name), *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{name} {arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def spawn(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        """Start a process whose output goes to ``<name>.log``."""
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.processes[name] = process
        return process

    def start_servers(self) -> None:
        """Start what the project itself does not start."""
        self.webhook.start()
        self.upsd.start()
        self.mosquitto.start()

    def start(self) -> None:
        """Start all servers, the collector and the agent; return when the API answers."""
        self.start_servers()
        self.start_collector()
        self.token = self.call(
            "vigia-collector", "user", "token", "--config", "collector.toml", "test"
        ).strip()
        self.start_agent()

    def start_collector(self) -> None:
        """Start the collector; return when it is ready."""
        self.spawn_collector()
        self.wait_ready()

    def spawn_collector(self) -> None:
        """Start the collector and do not wait."""
        self.spawn("collector", program("vigia-collector"), "run", "--config", str(self.config))

    def wait_ready(self) -> None:
        """Return when the collector is ready."""
        until(self._ready, "the collector to be ready", timeout_s=60)

    def start_agent(self, **intervals: float) -> None:
        """Start the agent with the configuration that ``issue`` wrote, and this upsd."""
        path = self.folder / "pki/devices" / DEVICE / "agent.json"
        config = json.loads(path.read_text())
        config["readers"]["ups"] = {"host": self.upsd.host, "port": self.upsd.port}
        config["spool"] = {"ram_dir": str(self.folder / "spool"), "flash_dir": str(self.folder / "flash")}
        config["intervals"] = {"sample_s": 1, "watch_s": 1, "frame_s": 2, "keepalive_s": 5} | intervals
        path.write_text(json.dumps(config))
        self.spawn("agent", *self.agent, "--config", str(path))

    def kill(self, name: str) -> None:
        """Kill a process as the kernel would."""
        self.processes[name].kill()
        self.processes.pop(name).wait()

    def stop(self) -> None:
        """Stop everything, last started first."""
        for process in reversed(self.processes.values()):
            process.terminate()
        for process in reversed(self.processes.values()):
            process.wait(30)
        self.mosquitto.stop()
        self.upsd.stop()
        self.webhook.stop()

    def log(self, name: str) -> str:
        """What a process has said."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _ready(self) -> bool:
        code = self.processes["collector"].poll()
        assert code is None, f"the collector ended with {code}:\n{self.log('collector')}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web_port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def api(self, path: str) -> Any:
        """Ask the HTTP API."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.web_port}/api/v1{path}",
            headers={"Authorization": f"Bearer {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def device(self) -> dict[str, Any]:
        """Return what the API says of the one device."""
        items: list[dict[str, Any]] = self.api("/devices")["items"]
        return next(item for item in items if item["id"] == DEVICE)

    def incidents(self, condition: str, state: str = "all") -> list[dict[str, Any]]:
        """Return incidents of a condition."""
        items: list[dict[str, Any]] = self.api(f"/incidents?state={state}")["items"]
        return [item for item in items if item["condition"] == condition]

    def counter(self, name: str, **labels: str) -> float:
        """Return a number of /metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.web_port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        total = 0.0
        for line in text.splitlines():
            match = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line)
            if match and all(f'{key}="{value}"' in (match[1] or "") for key, value in labels.items()):
                total += float(match[2])
        return total

    def child(self, part: str) -> int:
        """Return the process id of one part of the collector."""
        mine = str(self.processes["collector"].pid)
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except (OSError, IndexError):
                continue
            if fields[1] == mine and any(os.fsdecode(word).endswith(part) for word in words[:4]):
                return int(entry.name)
        raise AssertionError(f"{part} does not run")

    def flux(self, query: str) -> list[Any]:
        """Return the records of a query to InfluxDB itself."""
        from influxdb_client.client.influxdb_client import InfluxDBClient

        token = (self.folder / "influx.token").read_text()
        with InfluxDBClient(f"http://127.0.0.1:{self.influx_port}", token, org="vigia") as client:
            return [record for table in client.query_api().query(query) for record in table.records]
