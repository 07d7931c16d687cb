from __future__ import annotations

import json
from pathlib import Path

import pytest

from certs.authority import Authority
from tests.servers import programs
from tools import agent_bytecode


def micropython() -> list[str]:
    return [programs.built("micropython", "micropython")]


def mips() -> list[str]:
    return ["qemu-mips-static", programs.built("micropython-mips", "servers")]


INTERPRETERS = [micropython, pytest.param(mips, marks=pytest.mark.mips)]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("bytecode")
    agent_bytecode.make(
        made, keep=("_watches", "_read", "_seal"), beside=[Path(__file__).with_name("soak.py")]
    )
    return made


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = Authority.create(tmp_path / "pki").issue("mx-001", "sitio-1").folder
    path = folder / "agent.json"
    values = json.loads(path.read_text())
    values["spool"] = {"ram_dir": str(tmp_path / "ram"), "flash_dir": str(tmp_path / "flash")}
    path.write_text(json.dumps(values))
    return path
