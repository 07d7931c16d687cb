from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from agent import config as configuration
from tests.agent.centre import DEVICE, SITE, LiveCentre
from tests.servers.mosquitto import MosquittoServer, new_authority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from certs.authority import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = new_authority(tmp_path_factory.mktemp("pki") / "pki")
    made.issue(DEVICE, SITE)
    return made


@pytest.fixture
def device_folder(authority: Authority) -> Path:
    return authority.folder / "devices" / DEVICE


@pytest.fixture
def config_path(device_folder: Path, tmp_path: Path) -> Path:
    """A configuration with short intervals and folders of its own."""
    config = json.loads((device_folder / "agent.json").read_text())
    for name in ("ca", "cert", "key", "ack_key"):
        config["broker"][name] = str(device_folder / config["broker"][name])
    config["spool"] = {"ram_dir": str(tmp_path / "ram"), "flash_dir": str(tmp_path / "flash")}
    config["intervals"] = {
        "sample_s": 0.2,
        "watch_s": 0.1,
        "frame_s": 0.3,
        "reconnect_s": 0.2,
        "keepalive_s": 2,
    }
    config["readers"] = {"host": {}}
    path = tmp_path / "agent.json"
    path.write_text(json.dumps(config))
    return path


@pytest.fixture
def config(config_path: Path) -> dict[str, Any]:
    return configuration.load(str(config_path))


@pytest.fixture
def broker(mosquitto_bin: str, authority: Authority, tmp_path: Path) -> Iterator[MosquittoServer]:
    server = MosquittoServer(mosquitto_bin, tmp_path / "broker", authority).start()
    yield server
    server.kill()


@pytest.fixture
def centre(broker: MosquittoServer, authority: Authority, device_folder: Path) -> Iterator[LiveCentre]:
    live = LiveCentre(authority, device_folder).start()
    yield live
    live.stop()
