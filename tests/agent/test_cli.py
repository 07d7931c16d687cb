"""The command ``vigia-agent`` in processes of its own: output, errors on one line, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agent import __version__
from agent.print_es import FIELDS
from agent.print_table import render
from agent.samples import Sample
from agent.wire.fields import MEASUREMENTS
from agent.wire.topics import make, shard_of
from tests.agent.centre import DEVICE, SITE, Centre

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "agent", *arguments], capture_output=True, check=False, timeout=60, cwd=ROOT
    )


def one_line(done: subprocess.CompletedProcess[bytes]) -> str:
    text = done.stderr.decode()
    assert text.startswith("vigia-agent: ")
    assert text.count("\n") == 1
    return text


def test_version_is_the_package_s():
    assert run("--version").stdout.decode() == f"vigia-agent {__version__}\n"


def test_help_names_every_option():
    done = run("--help")
    assert done.returncode == 0
    for option in ("--config", "--print", "--lang", "--seal", "--check-config", "--version", "--help"):
        assert option in done.stdout.decode()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "--config FILE is missing"),
        (["--config"], "--config needs a value"),
        (["--wrong"], "unknown option --wrong"),
        (["--config", "/nowhere.json"], "cannot be read"),
        (["--config", "x", "--lang", "fr"], "--lang takes es or en"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_exit_2(arguments, text):
    done = run(*arguments)
    assert done.returncode == 2
    assert text in one_line(done)


def test_two_commands_at_once_are_refused(config_path):
    done = run("--config", str(config_path), "--print", "--seal")
    assert done.returncode == 2
    assert "exclude each other" in one_line(done)


def test_check_config_says_what_it_found(config_path):
    done = run("--config", str(config_path), "--check-config")
    assert done.returncode == 0, done.stderr
    assert f"{DEVICE} at {SITE}, readers host" in done.stdout.decode()


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("ack_key", b"short", "has to hold 32 bytes"),
        ("ca", b"x", "cannot be used"),
        ("key", b"x", "not PKCS #8"),
    ],
)
def test_check_config_finds_bad_keys(config_path, tmp_path, name, content, text):
    config = json.loads(config_path.read_text())
    (tmp_path / "bad").write_bytes(content)
    config["broker"][name] = "bad"
    config_path.write_text(json.dumps(config))
    done = run("--config", str(config_path), "--check-config")
    assert done.returncode == 2
    assert text in one_line(done)


def test_seal_writes_one_verified_frame_and_touches_no_spool(config_path, device_folder, tmp_path):
    done = run("--config", str(config_path), "--seal")
    assert done.returncode == 0, done.stderr
    topic = make(shard_of(SITE), DEVICE, "data")
    received = Centre(device_folder).take(topic, done.stdout)
    assert received.seq == 0
    assert "system" in {table[0] for table in received.payload.tables}
    assert not (tmp_path / "ram").exists()
    assert not (tmp_path / "flash").exists()


def test_print_speaks_spanish_and_english(config_path):
    spanish = run("--config", str(config_path), "--print", "--lang", "es")
    english = run("--config", str(config_path), "--print", "--lang", "en")
    assert spanish.returncode == english.returncode == 0
    assert "== host: bien" in spanish.stdout.decode()
    assert "tiempo encendido" in spanish.stdout.decode()
    assert "== host: ok" in english.stdout.decode()


def test_a_reader_that_fails_is_said_and_exit_1(config_path):
    config = json.loads(config_path.read_text())
    config["readers"] = {"ups": {"port": 1}}
    config_path.write_text(json.dumps(config))
    done = run("--config", str(config_path), "--print", "--lang", "en")
    assert b"== ups: " in done.stdout
    assert b"Traceback" not in done.stderr


def test_the_table_marks_what_is_out_of_range_and_lists_flags():
    samples = [Sample(0, "upsd", "apc", {"battery_charge_percent": 130.0, "ol": 1, "ob": 0, "odd": 3})]
    text = render({"device": "d", "site": "s"}, [("ups", samples, ""), ("host", [], "no_file: gone")], "en")
    lines = {" ".join(line.split()) for line in text.split("\n")}
    assert "charge of the battery: 130.00 % ! out of range" in lines
    assert "yes: OL" in lines
    assert "no: OB" in lines
    assert "odd: 3 (not in the register)" in lines
    assert "== host: ERROR: no_file: gone" in lines
    assert "nothing read" in lines


def test_every_number_of_a_device_s_measurement_has_a_spanish_name():
    numbers = {
        name
        for measurement in MEASUREMENTS.values()
        if measurement.origin == "device"
        for name, field in measurement.fields.items()
        if not (field.type == "int" and field.low == 0 and field.high == 1)
    }
    own = set(MEASUREMENTS["agent"].fields)  # never in the table: what readers see is
    assert sorted(numbers - own - set(FIELDS)) == []
