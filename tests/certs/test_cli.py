"""The command line: exit status, one line for a refusal, no traceback."""

from __future__ import annotations

import subprocess
import sys

import pytest

from certs.mosquitto import INFLIGHT


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "certs", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def pki(tmp_path):
    assert run("init", tmp_path / "pki", "--name", "localhost").returncode == 0
    return tmp_path / "pki"


def test_from_nothing_to_a_rotated_device(pki):
    assert run("issue", pki, "router-a", "--site", "alcaldia", "--feed", "ups:main").returncode == 0
    assert run("issue", pki, "router-a", "--renew").returncode == 0
    done = run("issue", pki, "router-a", "--rotate")
    assert (done.returncode, done.stderr) == (0, "")
    assert "kid " in done.stdout
    assert (pki / "enrolments" / "router-a.json").exists()


@pytest.mark.parametrize("option", ["--help", "-h", "--version"])
def test_asking(option):
    done = run(option)
    assert (done.returncode, done.stderr) == (0, "")
    assert "vigia-certs" in done.stdout


@pytest.mark.parametrize("command", ["init", "issue", "renew", "export-mosquitto"])
def test_help_of_each_command(command):
    done = run(command, "--help")
    assert done.returncode == 0
    assert "Usage: vigia-certs" in done.stdout


def refused(done: subprocess.CompletedProcess[str], status: int) -> str:
    assert done.returncode == status
    assert done.stdout == ""
    assert done.stderr.startswith("vigia-certs: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_refusals(pki):
    assert "not an empty folder" in refused(run("init", pki), 1)
    assert "not a device name" in refused(run("issue", pki, "Bad Name", "--site", "x"), 1)
    assert "no authority here" in refused(run("issue", pki / "none", "router-a", "--site", "x"), 1)
    assert "never issued" in refused(run("issue", pki, "router-a", "--rotate"), 1)


def test_wrong_usage(pki):
    assert "--site" in refused(run("issue", pki, "router-a"), 2)
    assert "exclude" in refused(run("issue", pki, "router-a", "--renew", "--rotate"), 2)
    assert "registry" in refused(run("issue", pki, "router-a", "--renew", "--site", "x"), 2)
    assert "--bogus" in refused(run("init", "--bogus"), 2)
    assert "must differ" in refused(
        run("init", pki.with_name("p2"), "--device-port", 1, "--collector-port", 1), 1
    )


def test_an_unwritable_folder_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    refused(run("init", tmp_path / "file" / "pki"), 1)


def test_export_prints(pki):
    done = run("export-mosquitto", pki)
    assert done.returncode == 0
    assert f"max_inflight_messages {INFLIGHT}" in done.stdout
    assert "pattern write vigia/v1/f/%u/data" in done.stdout


def test_export_writes(pki, tmp_path):
    out = tmp_path / "etc" / "mosquitto.conf"
    done = run(
        "export-mosquitto", pki, "--out", out, "--data", tmp_path / "lib", "--device-bind", "127.0.0.1"
    )
    assert done.returncode == 0
    text = out.read_text()
    assert f"persistence_location {tmp_path / 'lib'}/" in text
    assert "listener 8883 127.0.0.1" in text
    assert f"acl_file {out.with_name('acl')}" in text
    assert out.with_name("acl").exists()
