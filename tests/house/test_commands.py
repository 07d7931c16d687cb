"""All five programs behave alike: help, version, one line for every error, exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = ("vigia-agent", "vigia-certs", "vigia-collector", "vigia-sim", "vigia-demo")


def call(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = Path(sys.executable).parent / program
    return subprocess.run([path, *arguments], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_and_version(program: str) -> None:
    assert call(program, "--help").returncode == 0
    done = call(program, "--version")
    assert (done.returncode, done.stdout.split()[-1]) == (0, "0.1.0")


WRONG = [(program, ["--nonsense"], 2) for program in PROGRAMS] + [
    ("vigia-agent", ["--config", "/nowhere/agent.json"], 2),
    ("vigia-agent", ["--config", "/nowhere/agent.json", "--print"], 2),
    ("vigia-collector", ["nonsense"], 2),
    ("vigia-collector", ["run", "--config", "/nowhere/collector.toml"], 2),
    ("vigia-collector", ["check-config", "--config", "/"], 2),
    ("vigia-collector", ["mend-influx", "/nowhere"], 2),
    ("vigia-certs", ["issue", "/nowhere", "r1", "--site", "casa"], 1),
    ("vigia-sim", ["fleet", "--pki", "/nowhere"], 2),
    ("vigia-demo", ["--store", "mysql"], 2),
]


@pytest.mark.parametrize(("program", "arguments", "code"), WRONG, ids=str)
def test_an_error_is_one_line_that_names_the_program(program: str, arguments: list[str], code: int) -> None:
    done = call(program, *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(f"{program}: ")
    assert done.stderr.count("\n") == 1


def test_a_collector_without_tables_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "collector.toml"
    path.write_text("", encoding="utf-8")
    done = call("vigia-collector", "alerts", "--config", str(path))
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "vigia-collector: the state's tables are not those of this version: run vigia-collector provision"
    )


def test_check_config_names_every_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "collector.toml"
    path.write_text("", encoding="utf-8")
    done = call("vigia-collector", "check-config", "--config", str(path))
    assert done.returncode == 1
    keys = {line.split(": ")[1] for line in done.stderr.splitlines()}
    assert keys == {
        "broker.ca_file",
        "broker.cert_file",
        "broker.key_file",
        "ingest.ack_secret_file",
        "store.influx.token_file",
    }
