"""The compiled agent's command line on MicroPython; tests/agent/test_cli.py has CPython's."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from agent.wire import topics
from tests.agent.centre import Centre
from tests.micropython.conftest import INTERPRETERS

pytestmark = pytest.mark.server


def run(command: list[str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*command, "-X", "heapsize=320k", str(folder / "vigia-agent.py"), *arguments],
        capture_output=True,
        timeout=120,
        check=False,
        cwd="/",
    )


@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_every_command_works_as_on_cpython(interpreter: Any, folder: Path, config: Path) -> None:
    command = interpreter()
    checked = run(command, folder, "--config", str(config), "--check-config")
    assert (checked.returncode, checked.stderr) == (0, b"")
    assert b"mx-001 at sitio-1, readers host, interfaces" in checked.stdout

    printed = run(command, folder, "--config", str(config), "--print", "--lang", "es")
    assert (printed.returncode, printed.stderr) == (0, b"")
    assert "procesadores" in printed.stdout.decode()

    sealed = run(command, folder, "--config", str(config), "--seal")
    assert (sealed.returncode, sealed.stderr) == (0, b"")
    received = Centre(config.parent).take(
        topics.make(topics.shard_of("sitio-1"), "mx-001", "data"), sealed.stdout
    )
    assert "system" in {table[0] for table in received.payload.tables}


@pytest.mark.parametrize("interpreter", INTERPRETERS)
@pytest.mark.parametrize("name", ["ca", "cert", "key"])
def test_a_bad_credential_is_one_line_and_exit_2(
    interpreter: Any, folder: Path, config: Path, name: str
) -> None:
    (config.parent / f"{name}.der").write_bytes(b"x")
    done = run(interpreter(), folder, "--config", str(config), "--check-config")
    assert done.returncode == 2
    assert done.stderr.startswith(b"vigia-agent: ")
    assert done.stderr.count(b"\n") == 1
    assert b"cannot be used" in done.stderr


@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_openwrts_configuration_becomes_the_agents_own(
    interpreter: Any, folder: Path, config: Path, tmp_path: Path
) -> None:
    uci, made = tmp_path / "vigia", tmp_path / "made" / "agent.json"
    text = f"config agent 'agent'\n\toption credentials '{config.parent}'\nconfig reader 'host'\n"
    uci.write_text(text)
    done = run(interpreter(), folder, "--uci", str(uci), "--config", str(made))
    assert (done.returncode, done.stderr) == (0, b"")
    assert list(json.loads(made.read_text())["readers"]) == ["host"]
    assert run(interpreter(), folder, "--config", str(made), "--check-config").returncode == 0

    uci.write_text(text + "config nonsense\n")
    done = run(interpreter(), folder, "--uci", str(uci), "--config", str(made))
    assert done.returncode == 2
    assert done.stderr.startswith(b"vigia-agent: ")
    assert b"config nonsense is unknown" in done.stderr
