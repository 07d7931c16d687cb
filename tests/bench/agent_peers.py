"""collectd and Telegraf, where they are installed, doing what they can of the agent's work.

Both send to a Mosquitto without TLS: neither signs, neither waits for word of what was stored. Each gets the
plugins that it has for host, interfaces and UPS; neither reads OpenWrt's access points or the way out.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench import agent_proc as proc
from tests.servers import programs
from tests.servers.ports import free_port
from tests.servers.wait import until

if TYPE_CHECKING:
    import contextlib

    from tests.bench.agent_world import World

COLLECTD = """
Interval 10
BaseDir "{folder}"
PIDFile "{folder}/collectd.pid"
PluginDir "{plugins}"
TypesDB "{types}"
LoadPlugin interface
LoadPlugin load
LoadPlugin memory
LoadPlugin uptime
LoadPlugin df
LoadPlugin nut
LoadPlugin mqtt
<Plugin nut>
  UPS "sai@{ups}"
</Plugin>
<Plugin mqtt>
  <Publish "bench">
    Host "127.0.0.1"
    Port "{port}"
    QoS 1
  </Publish>
</Plugin>
"""
TELEGRAF = """
[agent]
interval = "10s"
flush_interval = "30s"
[[inputs.mem]]
[[inputs.system]]
[[inputs.net]]
[[inputs.upsd]]
server = "{host}"
port = {ups_port}
[[outputs.mqtt]]
servers = ["tcp://127.0.0.1:{port}"]
topic = "bench"
qos = 1
data_format = "influx"
"""
NEEDED = ("mem", "system", "net", "upsd")


class Peer:
    """A running program."""

    def __init__(self, name: str, command: list[str], folder: Path) -> None:
        self.name = name
        with (folder / f"{name}.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def counters(self) -> tuple[float, float]:
        """Return the moment and the processor time until then."""
        return time.monotonic(), proc.cpu_s(self._process.pid, proc.OWN + proc.CHILDREN)

    def figures(self, before: tuple[float, float]) -> dict[str, float]:
        """Return what it cost since ``before``."""
        now_s, cpu_s = self.counters()
        percent = 100 * (cpu_s - before[1]) / (now_s - before[0])
        return {"rss_kb": proc.rss_kb(self._process.pid), "cpu_percent": round(percent, 3)}

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(30)


def start(stack: contextlib.ExitStack, folder: Path, world: World) -> list[Peer]:
    """Start those that are here; ``COLLECTD`` and ``TELEGRAF`` may name the programs."""
    ups = json.loads(world.config.read_text())["readers"]["ups"]
    commands = {"collectd": _collectd(folder, ups), "telegraf": _telegraf(folder, ups)}
    wanted = {name: made for name, made in commands.items() if made}
    if not wanted:
        return []
    port = _broker(stack, folder)
    peers = []
    for name, (program, path, text) in wanted.items():
        path.write_text(text.replace("{port}", str(port)))
        peers.append(Peer(name, program, folder))
        stack.callback(peers[-1].stop)
    return peers


def _broker(stack: contextlib.ExitStack, folder: Path) -> int:
    port = free_port()
    config = folder / "plain.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    with (folder / "plain.log").open("ab") as log:
        process = subprocess.Popen(
            [programs.packaged("mosquitto", "mosquitto"), "-c", str(config)], stdout=log, stderr=log
        )
    stack.callback(process.wait, 30)
    stack.callback(process.terminate)
    until(lambda: " running" in (folder / "plain.log").read_text(), "the broker of the peers")
    return port


Made = tuple[list[str], Path, str]


def _collectd(folder: Path, ups: dict[str, Any]) -> Made | None:
    program = os.environ.get("COLLECTD") or shutil.which("collectd", path=programs.SYSTEM)
    if not program:
        return None
    root = Path(program).resolve().parent.parent
    path = folder / "collectd.conf"
    text = COLLECTD.format(
        folder=folder, plugins=root / "lib/collectd", types=root / "share/collectd/types.db",
        ups=f"{ups['host']}:{ups['port']}", port="{port}",
    )  # fmt: skip
    return [program, "-f", "-C", str(path)], path, text


def _telegraf(folder: Path, ups: dict[str, Any]) -> Made | None:
    program = os.environ.get("TELEGRAF") or shutil.which("telegraf")
    if not program:
        return None
    listed = subprocess.run([program, "--input-list"], capture_output=True, text=True, check=False).stdout
    if not set(NEEDED) <= set(listed.split()):
        return None  # one that was built for something else
    path = folder / "telegraf.conf"
    text = TELEGRAF.format(host=ups["host"], ups_port=ups["port"], port="{port}")
    return [program, "--config", str(path)], path, text
