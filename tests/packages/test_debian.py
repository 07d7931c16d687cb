"""The Pi's package: installed by dpkg in a root of its own, run as its user, upgraded, set back, removed."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.agent.centre import DEVICE, LiveCentre
from tests.servers.wait import until
from tools import package_docs, packages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.packages.root import Root

UNIT = packages.DEBIAN / "vigia-agent.service"
RULES = packages.DEBIAN / "70-vigia.rules"
RUN_S = 60.0
pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]


@pytest.fixture
def kind() -> str:
    return "pi"


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The package as three releases."""
    folder = tmp_path_factory.mktemp("releases")
    package_docs.make(folder / "doc")
    made = {}
    for version in ("0.0.1", "0.0.2"):
        package = dataclasses.replace(packages.debian(folder / "doc"), version=version)
        made[version] = folder / f"vigia-agent_{version}.deb"
        packages.pack(package, "deb", made[version], "1700000000")
    return made


class Pi:
    """A root with the package installed and credentials in place, and its agent as systemd would start it."""

    def __init__(self, root: Root, device: Path) -> None:
        self.root = root
        self._device = device
        self._process: subprocess.Popen[bytes] | None = None

    def install(self, package: Path) -> None:
        self.root.put(package, "/root/agent.deb")
        self.root.run("dpkg", "-i", "/root/agent.deb")

    def give_credentials(self) -> None:
        config = json.loads((self._device / "agent.json").read_text())
        assert config["spool"] == {"ram_dir": "/run/vigia", "flash_dir": "/var/lib/vigia", "limit_kib": 512}
        for path in self._device.iterdir():
            self.root.put(path, f"/etc/vigia/{path.name}", mode=0o600)
        config["intervals"] |= {"sample_s": 1, "frame_s": 1, "watch_s": 1}
        self.root.path("/etc/vigia/agent.json").write_text(json.dumps(config))
        # as the manual says
        self.root.run("chgrp", "-R", "vigia", "/etc/vigia")
        self.root.run("chmod", "-R", "u=rwX,g=rX,o=", "/etc/vigia")

    def start(self) -> None:
        """What the unit says: its user, its folders, its command."""
        unit = UNIT.read_text()
        (command,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
        assert "User=vigia" in unit
        for folder in ("/run/vigia", "/var/lib/vigia"):
            self.root.run("install", "-d", "-o", "vigia", "-g", "vigia", "-m", "700", folder)
        log = self.root.path("/tmp/agent.log").open("ab")  # noqa: S108 - of the root
        with log:
            self._process = subprocess.Popen(
                self.root.command(*command.split(), user="vigia"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def stop(self) -> None:
        if self._process is not None:
            for pid in self.root.processes("vigia-agent --config"):
                self.root.run("kill", "-TERM", str(pid), code=None)
            self._process.wait(30)
            self._process = None

    def log(self) -> str:
        return self.root.path("/tmp/agent.log").read_text()  # noqa: S108 - of the root


@pytest.fixture
def pi(root: Root, device: Path) -> Iterator[Pi]:
    pi = Pi(root, device)
    yield pi
    pi.stop()


def test_a_fresh_pi_reports_as_its_own_user(pi: Pi, made: Path, centre: LiveCentre) -> None:
    (package,) = made.glob("*.deb")
    pi.install(package)
    pi.give_credentials()
    modes = pi.root.modes(["/etc/vigia", "/etc/vigia/key.der", "/usr/bin/vigia-agent"])
    assert modes == {
        "/etc/vigia": "root:vigia 750",
        "/etc/vigia/key.der": "root:vigia 640",
        "/usr/bin/vigia-agent": "root:root 755",
    }
    assert "gpio" in pi.root.run("getent", "group", "gpio").stdout
    checked = pi.root.run("vigia-agent", "--config", "/etc/vigia/agent.json", "--check-config", user="vigia")
    assert DEVICE in checked.stdout
    pi.start()
    until(lambda: len(centre.of("data")) >= 2, f"data of the Pi: {pi.log()}", timeout_s=RUN_S)
    measured = {table[0] for frame in centre.of("data") for table in frame.payload.tables}
    assert {"system", "net", "agent"} <= measured
    assert centre.of("birth")[0].payload.hello["runtime"].startswith("cpython"), centre.of("birth")[
        0
    ].payload.hello


def test_up_and_down_keep_spool_counter_credentials_and_configuration(
    pi: Pi, versions: dict[str, Path], centre: LiveCentre
) -> None:
    pi.install(versions["0.0.1"])
    pi.give_credentials()
    centre.acking = False  # so that frames stay in the spool
    pi.start()
    until(lambda: len(centre.of("data")) >= 2, "frames", timeout_s=RUN_S)
    pi.stop()
    kept = {
        name: pi.root.path(name).read_bytes()
        for name in ("/etc/vigia/agent.json", "/etc/vigia/key.der", "/var/lib/vigia/boot")
    }
    spooled = [frame.payload.incarnation for frame in centre.of("data")][-1:]
    for version in ("0.0.2", "0.0.1"):
        pi.install(versions[version])
        assert {name: pi.root.path(name).read_bytes() for name in kept} == kept, version
    centre.acking = True
    before = len(centre.frames)
    pi.start()
    until(
        lambda: any(
            frame.payload.incarnation in spooled and frame.kind == "data" for frame in centre.frames[before:]
        ),
        "the spool of before",
        timeout_s=RUN_S,
    )
    assert int(pi.root.path("/var/lib/vigia/boot").read_text().split()[0]) == 2


def test_removal_leaves_data_and_purge_leaves_nothing(pi: Pi, versions: dict[str, Path]) -> None:
    pi.install(versions["0.0.2"])
    pi.give_credentials()
    pi.root.run("install", "-d", "-o", "vigia", "/var/lib/vigia")
    pi.root.path("/var/lib/vigia/boot").write_text("7\n")
    pi.root.run("dpkg", "-r", "vigia-agent")
    assert not pi.root.path("/usr/lib/vigia-agent").exists(), "compiled files would stay for ever"
    assert pi.root.path("/var/lib/vigia/boot").exists()
    assert pi.root.path("/etc/vigia/key.der").exists()
    pi.root.run("dpkg", "-P", "vigia-agent")
    assert not pi.root.path("/var/lib/vigia").exists()
    assert not pi.root.path("/etc/vigia").exists()
    pi.root.run("getent", "passwd", "vigia", code=2)


def test_the_unit_holds_and_gives_away_little(tmp_path: Path) -> None:
    unit = tmp_path / "vigia-agent.service"
    program = tmp_path / "vigia-agent"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit.write_text(UNIT.read_text().replace("/usr/bin/vigia-agent", str(program)))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, [line for line in done.stderr.splitlines() if "vigia" in line]) == (0, [])
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    (exposure,) = re.findall(r"exposure level for vigia-agent.service: ([\d.]+)", done.stdout)
    assert float(exposure) <= 2.0


def test_udev_takes_the_rules(tmp_path: Path) -> None:
    """Each line is whole keys with operators, as udev(7) has them."""
    lines = [line for line in RULES.read_text().splitlines() if line and not line.startswith("#")]
    assert len(lines) == 4
    part = re.compile(
        r'(SUBSYSTEMS?|KERNEL|ENV\{\w+\})==("[^"]+")|(GROUP|MODE)=("[^"]+")|SYMLINK\+=("[^"]+")'
    )
    for line in lines:
        assert not part.sub("", line).replace(",", "").strip(), line
