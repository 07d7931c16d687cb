"""No address of a client, nor of a neighbour, leaves the device in any form; nor does it stay on it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.centre import LiveCentre, Received
from tests.cases import runner
from tests.readers.standin_ubus import StandIn

ROOT = Path(__file__).parents[2]
CLIENTS = [f"5a:3e:11:{n:02x}:c7:{(n * 37) & 255:02x}" for n in range(1, 40)]
NEIGHBOUR = "02:11:32:a0:d1:e9"
OWN = "02:11:32:a0:00:01"


def forms(address: str) -> set[bytes]:
    """Return the ways in which an address could be written down, in lower case."""
    digits = address.replace(":", "")
    raw = bytes.fromhex(digits)
    joined = {sep.join(address.split(":")) for sep in ("", ":", "-", ".", " ", "_", ", ", "\\x")}
    dotted = ".".join(digits[n : n + 4] for n in (0, 4, 8))
    decimal = {str(int(digits, 16)), ", ".join(str(byte) for byte in raw)}
    return {text.encode() for text in joined | decimal | {dotted}} | {raw, raw[::-1]}


def betrayed(text: bytes) -> list[str]:
    """Return the addresses that are in a text in any form."""
    lowered = text.lower()
    return [
        address
        for address in [*CLIENTS, NEIGHBOUR]
        if any(form in lowered or form in text for form in forms(address))
    ]


@pytest.mark.parametrize(
    "text", ["X5A3E1101C725X", "5a-3E-11-01-c7-25", "\x5a\x3e\x11\x01Ç%", "5a3e.1101.c725"]
)
def test_the_search_finds_an_address_in_any_form(text):
    assert betrayed(text.encode("latin-1")) == [CLIENTS[0]]


@pytest.fixture
def ram() -> Iterator[Path]:
    """A folder in memory, where the day is kept between restarts."""
    folder = Path(tempfile.mkdtemp(dir="/dev/shm", prefix="vigia-test-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment whose ``ubus`` knows the clients, some in upper case."""
    standin = StandIn(tmp_path, Path(runner.FOLDER) / "wifi" / "openwrt-19.07-ath9k" / "first")
    flags = {"auth": True, "assoc": True, "aid": 1}
    clients = {"freq": 2437, "clients": dict.fromkeys(CLIENTS, flags)}
    heard = {"results": [{"mac": address.upper(), "signal": -60} for address in CLIENTS]}
    scan = {"results": [{"bssid": NEIGHBOUR.upper(), "signal": -70, "mhz": 2437}]}
    names = f"hostapd.wlan0\nhostapd.{CLIENTS[0]}\n"
    (standin.answers / "list.txt").write_text(names)
    for name, answer in (
        ("hostapd.wlan0.get_clients", clients),
        ("iwinfo.assoclist.wlan0", heard),
        ("iwinfo.scan.wlan0", scan),
    ):
        (standin.answers / f"{name}.json").write_text(json.dumps(answer, indent="\t"))
    return {**os.environ, "PATH": f"{standin.folder}:{os.environ['PATH']}"}


@pytest.fixture
def wifi_config(config_path: Path, ram: Path) -> Path:
    config = json.loads(config_path.read_text())
    config["spool"]["ram_dir"] = str(ram / "spool")
    config["readers"] = {"wifi": {"neighbours": {"mx-002": [NEIGHBOUR]}, "scan_s": 300}}
    config_path.write_text(json.dumps(config))
    return config_path


def agent(config: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "agent", "--config", str(config), *arguments]


@pytest.mark.server
def test_nothing_that_is_sent_written_or_printed_holds_an_address(
    centre: LiveCentre, wifi_config: Path, environment: dict[str, str], ram: Path, tmp_path: Path
):
    messages: list[bytes] = []
    take = centre.take

    def keep(topic: str, message: bytes) -> Received:
        messages.append(topic.encode() + message)
        return take(topic, message)

    centre.take = keep  # type: ignore[method-assign]
    log = tmp_path / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            agent(wifi_config), stdout=file, stderr=subprocess.STDOUT, env=environment, cwd=ROOT
        )
        try:
            deadline = time.monotonic() + 60
            while len(with_clients(centre)) < 4:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    counts = with_clients(centre)[-1]
    assert counts["clients"] == len(CLIENTS)
    assert counts["clients_day"] == pytest.approx(len(CLIENTS), abs=3)
    assert centre.of("birth")
    assert (ram / "spool" / "wifi-day").exists()
    printed = [
        subprocess.run(agent(wifi_config, *words), capture_output=True, env=environment, cwd=ROOT, check=True)
        for words in (["--print", "--lang", "es"], ["--print", "--lang", "en"], ["--seal"])
    ]
    assert b"clientes: 39" in printed[0].stdout
    left = [
        path.read_bytes()
        for folder in (ram, tmp_path / "flash")
        for path in folder.rglob("*")
        if path.is_file()
    ]
    for text in [*messages, log.read_bytes(), *left, *(done.stdout + done.stderr for done in printed)]:
        assert betrayed(text) == []


def with_clients(centre: LiveCentre) -> list[dict[str, int]]:
    """Return the newest ``wifi`` row of each frame that has one."""
    with centre.lock:
        tables = [table for frame in centre.frames for table in frame.payload.tables if table[0] == "wifi"]
    return [dict(zip(table[2], table[3][-1][1:], strict=True)) for table in tables]
