"""A technician at a fresh router, the page alone: ``python -m tests.packages.follow PAGE FOLDER PACKAGE``.

To be run in a network namespace of its own (``unshare --net``): the office is 192.168.1.2 with broker,
collector and dashboard, the router another namespace at 192.168.1.1. Every command is taken from the page, in
its order, with the device's name put in. The last line printed is what the dashboard then says of the device.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from certs.authority import Authority
from tests.packages.root import Root
from tests.packages.router import Router
from tests.servers import programs
from tests.servers.mosquitto import MosquittoServer
from tests.servers.wait import until

SITE, DEVICE, BROKER = "cdc-el-cuernito", "cdc-el-cuernito-router", "centro.example"
OFFICE, ROUTER = "192.168.1.2", "192.168.1.1"
COLLECTOR = """
[broker]
host = "localhost"
port = 8884
[registry]
sites_file = "sites.csv"
[store]
kind = "embedded"
[web]
port = 8000
"""
NAMES = {"en": "NAME", "es": "NOMBRE"}


def blocks(page: str) -> list[str]:
    """The page's commands, block by block."""
    return re.findall(r"^```\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def run(*command: str, cwd: Path, env: dict[str, str] | None = None, code: int | None = 0) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=180, check=False)
    assert code is None or done.returncode == code, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def wire(root: Root, folder: Path) -> None:
    """A cable from the office to the router's LAN port."""
    run("ip", "link", "set", "lo", "up", cwd=folder)
    run(
        "ip",
        "link",
        "add",
        "lan0",
        "type",
        "veth",
        "peer",
        "name",
        "eth0",
        "netns",
        str(root.pid),
        cwd=folder,
    )
    run("ip", "addr", "add", f"{OFFICE}/24", "dev", "lan0", cwd=folder)
    run("ip", "link", "set", "lan0", "up", cwd=folder)
    for words in (f"addr add {ROUTER}/24 dev eth0", "link set eth0 up", "link set lo up"):
        root.run("ip", *words.split())
    root.path("/etc/hosts").write_text(f"127.0.0.1 localhost\n{OFFICE} {BROKER}\n")


def office(folder: Path) -> tuple[MosquittoServer, subprocess.Popen[bytes]]:
    """Certificates, broker and collector, as the operations manual has them."""
    run(vigia("certs"), "init", "pki", "--name", BROKER, "--name", "localhost", cwd=folder)
    run(vigia("certs"), "issue", "pki", DEVICE, "--site", SITE, "--host", BROKER, cwd=folder)
    (folder / "sites.csv").write_text(
        f"id,name_es,name_en,kind,sample\n{SITE},CDC,CDC,community-center,true\n"
    )
    (folder / "collector.toml").write_text(COLLECTOR)
    authority = Authority.open(folder / "pki")
    mosquitto = programs.packaged("mosquitto", "mosquitto")
    broker = MosquittoServer(mosquitto, folder / "broker", authority, device_bind=OFFICE).start()
    with (folder / "collector.log").open("wb") as log:
        collector = subprocess.Popen(
            [vigia("collector"), "run", "--config", "collector.toml"],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    return broker, collector


def vigia(name: str) -> str:
    return str(Path(sys.executable).with_name(f"vigia-{name}"))


def ask(path: str, token: str = "") -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:8000{path}", headers={"Authorization": f"Bearer {token}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null") if "json" in answer.headers["Content-Type"] else ""
    except OSError:
        return None


def follow(page: Path, folder: Path, package: Path, router: Router) -> str:
    """Do what the page says, by hand at the router; return what the router then says of itself."""
    language = "es" if page.name.endswith(".es.md") else "en"
    tools = folder / "tools"
    tools.mkdir()
    for name in ("ssh", "scp"):  # the technician's own machine knows its key
        options = " ".join(router.options())
        (tools / name).write_text(f'#!/bin/sh\nexec {shutil.which(name)} {options} "$@"\n')
        (tools / name).chmod(0o755)
    env = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    desk = folder / "pki" / "devices"
    shutil.copy(package, desk)
    steps = [block.replace(NAMES[language], DEVICE) for block in blocks(page.read_text(encoding="utf-8"))]
    assert steps[0].startswith("vigia-certs deploy"), "the page begins with the one command"
    run("sh", "-e", "-c", steps[1], cwd=desk, env=env)
    run("ssh", f"root@{ROUTER}", f"set -e\n{steps[2]}", cwd=desk, env=env)
    return run("ssh", f"root@{ROUTER}", steps[3], cwd=desk, env=env, code=None)


def main() -> None:
    page, folder, package = (Path(argument).absolute() for argument in sys.argv[1:])
    with Root(folder / "root", network=True) as root:
        wire(root, folder)
        broker, collector = office(folder)
        router = Router(root, folder, programs.built("micropython", "micropython"), "24.10.4", 22)
        try:
            until(lambda: ask("/readyz") is not None, "the dashboard", timeout_s=60)
            router.start(ROUTER)
            said = follow(page, folder, package, router)
            token = run(vigia("collector"), "user", "token", "--config", "collector.toml", "test", cwd=folder)

            def shown() -> dict[str, Any] | None:
                items = (ask("/api/v1/devices", token.strip()) or {}).get("items", [])
                mine = [item for item in items if item["id"] == DEVICE]
                return (
                    mine[0] if mine and mine[0]["session"] == "birth" and mine[0]["frames_stored"] else None
                )

            device = until(shown, "the device on the dashboard", timeout_s=60)
        finally:
            router.stop()
            collector.terminate()
            collector.wait(30)
            broker.stop()
    sys.stdout.write(json.dumps({"said": said, "device": device}) + "\n")


if __name__ == "__main__":
    main()
