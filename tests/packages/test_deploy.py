"""``vigia-certs deploy`` against a router that stands behind a real ssh server (dropbear, as on OpenWrt)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.agent.centre import DEVICE, LiveCentre
from tests.packages.router import Router
from tests.servers.ports import free_port
from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from certs.authority import Authority
    from tests.packages.root import Root

ADDRESS = "root@127.0.0.1"
pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]


@pytest.fixture
def kind() -> str:
    return "router"


@pytest.fixture(params=["24.10.4", "25.12.0"])
def target(
    root: Root, tmp_path: Path, micropython_bin: str, request: pytest.FixtureRequest
) -> Iterator[Router]:
    target = Router(root, tmp_path, micropython_bin, request.param, free_port())
    target.start()
    yield target
    target.stop()


def deploy(
    target: Router, authority: Authority, made: Path, *options: str
) -> subprocess.CompletedProcess[str]:
    (package,) = made.glob("*.ipk")
    command = [
        str(Path(sys.executable).with_name("vigia-certs")), "deploy", str(authority.folder), DEVICE, ADDRESS,
        "--package", str(package), "--ssh", target.ssh_command(), *options,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)


def test_a_router_is_made_to_report_keeps_what_was_edited_and_gives_it_all_back(
    target: Router, authority: Authority, made: Path, centre: LiveCentre
) -> None:
    done = deploy(target, authority, made)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == f"{DEVICE} reports, and the centre has acknowledged it"
    assert centre.of("data")
    assert target.root.modes(["/etc/vigia", "/etc/vigia/key.der"]) == {
        "/etc/vigia": "root:root 700", "/etc/vigia/key.der": "root:root 600",
    }  # fmt: skip
    # somebody edits it; the next deployment keeps that, and the boot counter
    config = target.root.path("/etc/config/vigia")
    config.write_text(config.read_text().replace("option limit_kib '512'", "option limit_kib '300'"))
    done = deploy(target, authority, made)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "option limit_kib '300'" in config.read_text()
    until(lambda: len(target.root.processes("vigia-agent.py --config")) == 1, "the agent of before to stop")
    assert len({frame.payload.incarnation for frame in centre.of("birth")}) >= 2
    # and away
    done = deploy(target, authority, made, "--remove")
    assert done.returncode == 0, done.stderr
    until(lambda: not target.root.processes("vigia-agent.py"), "the agent to stop")
    for gone in ("/usr/lib/vigia", "/usr/bin/vigia-agent", "/etc/init.d/vigia-agent"):
        assert not target.root.path(gone).exists(), gone
    assert target.root.path("/etc/vigia/key.der").exists()
    assert deploy(target, authority, made, "--remove", "--purge").returncode == 0
    assert not target.root.path("/etc/vigia").exists()


@pytest.mark.parametrize("target", ["24.10.4"], indirect=True)
@pytest.mark.parametrize(
    ("lie", "said"),
    [
        ('date() { [ "$1" = +%s ] && echo 1000000000; }', "--set-clock sets it"),
        ("df() { echo 'overlay 8192 7992 200 98% /overlay'; }", "200 KiB of flash free"),
        ('awk() { case "$*" in *MemAv*) echo 4096 ;; *) command awk "$@" ;; esac; }', "4096 KiB of memory"),
    ],
    ids=["clock", "flash", "memory"],
)  # fmt: skip
def test_a_router_that_cannot_carry_it_is_left_as_it_was(
    target: Router, authority: Authority, device: Path, made: Path, lie: str, said: str
) -> None:
    """What the router says of itself is bent by functions that its shell reads first."""
    assert device.exists()
    target.root.path("/etc/profile.lie").write_text(lie)
    shell = shutil.which("dash") or "/bin/sh"
    wrapper = f'#!{shell}\n[ "$1" = -c ] && exec {shell} -c ". /etc/profile.lie; $2"\nexec {shell} "$@"\n'
    target.root.path("/usr/local/bin").mkdir(parents=True, exist_ok=True)
    target.root.path("/usr/local/bin/sh").write_text(wrapper)
    target.root.path("/usr/local/bin/sh").chmod(0o755)
    done = deploy(target, authority, made)
    assert done.returncode == 1
    assert said in done.stderr, done.stderr
    assert done.stderr.count("\n") == 1
    assert not target.root.path("/usr/lib/vigia").exists()
