"""Make the agent's packages: the .ipk, the feed folder for OpenWrt's SDK, and the .deb.

Usage: python tools/packages.py FOLDER

nfpm writes them (tools/build-nfpm.sh). The same tree gives the same bytes: every time stamp is that of the
last commit, or SOURCE_DATE_EPOCH. Each line printed names what was made and its size.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Final

from agent import __version__
from tools import agent_bytecode, package_docs

ROOT: Final = Path(__file__).resolve().parent.parent
OPENWRT: Final = ROOT / "firmware" / "openwrt"
DEBIAN: Final = ROOT / "firmware" / "debian"
EARLIEST: Final = "315532800"  # 1980: without git and without SOURCE_DATE_EPOCH
MAINTAINER: Final = "Vigía <vigia@example.org>"
SUMMARY: Final = "Tells why a facility's network or power is down"
VENDORED: Final = ("paho-mqtt", "pyroute2")  # pure Python; Debian 12 has releases too old for the agent

# source below files/, where it goes, its mode
OPENWRT_FILES: Final = (
    ("vigia-agent.sh", "/usr/bin/vigia-agent", 0o755),
    ("vigia-agent.init", "/etc/init.d/vigia-agent", 0o755),
    ("vigia.config", "/etc/config/vigia", 0o600),
    ("vigia.defaults", "/etc/uci-defaults/90-vigia", 0o755),
    ("vigia.acl.json", "/usr/share/acl.d/vigia.json", 0o644),
    ("vigia.keep", "/lib/upgrade/keep.d/vigia", 0o644),
)
DEBIAN_FILES: Final = (
    ("vigia-agent", "/usr/bin/vigia-agent", 0o755),
    ("vigia-agent.service", "/lib/systemd/system/vigia-agent.service", 0o644),
    ("70-vigia.rules", "/lib/udev/rules.d/70-vigia.rules", 0o644),
)


@dataclass
class Package:
    """A package to be: (source, destination, mode, kind) of each file, scripts, and what it needs."""

    name: str
    depends: tuple[str, ...]
    scripts: dict[str, Path]
    extra: dict[str, Any] = field(default_factory=dict)
    version: str = __version__
    contents: list[dict[str, Any]] = field(default_factory=list)

    def add(self, source: Path, destination: str, mode: int, kind: str = "") -> None:
        """Add a file."""
        entry: dict[str, Any] = {"src": str(source), "dst": destination, "file_info": {"mode": mode}}
        self.contents.append({**entry, **({"type": kind} if kind else {})})

    def add_tree(self, source: Path, destination: str) -> None:
        """Add every file of a folder, without what Python leaves there."""
        for path in sorted(source.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                self.add(path, f"{destination}/{path.relative_to(source)}", 0o644)

    def configuration(self) -> str:
        """Return nfpm's configuration; JSON is YAML."""
        about = {
            "name": self.name, "arch": "all", "platform": "linux", "version": self.version, "release": "1",
            "maintainer": MAINTAINER, "description": SUMMARY, "license": "Apache-2.0", "section": "admin",
            "priority": "optional", "depends": list(self.depends), "contents": self.contents,
            "scripts": {name: str(path) for name, path in self.scripts.items()}, "umask": 0o022,
        }  # fmt: skip
        return json.dumps({**about, **self.extra}, indent=1)


def openwrt(bytecode: Path, docs: Path) -> Package:
    """Return the package of an OpenWrt router."""
    scripts = {"postinstall": OPENWRT / "postinst", "preremove": OPENWRT / "prerm"}
    package = Package("vigia-agent", ("micropython-mbedtls",), scripts)
    package.add_tree(bytecode, "/usr/lib/vigia")
    for name, destination, mode in OPENWRT_FILES:
        kind = "config" if destination.startswith("/etc/config/") else ""
        package.add(OPENWRT / "files" / name, destination, mode, kind)
    package.add_tree(docs, "/usr/share/doc/vigia-agent")
    return package


def debian(docs: Path) -> Package:
    """Return the package of a Raspberry Pi."""
    depends = (
        "python3 (>= 3.11)", "python3-cryptography (>= 38)", "python3-psutil (>= 5.9)", "adduser",
        "init-system-helpers (>= 1.54)",
    )  # fmt: skip
    names = {"postinstall": "postinst", "preremove": "prerm", "postremove": "postrm"}
    package = Package(
        "vigia-agent",
        depends,
        {key: DEBIAN / name for key, name in names.items()},
        {"recommends": ["nut-client", "chrony | systemd-timesyncd"]},
    )
    package.add_tree(ROOT / "agent", "/usr/lib/vigia-agent/agent")
    for name in VENDORED:
        _add_library(package, name)
    for name, destination, mode in DEBIAN_FILES:
        package.add(DEBIAN / name, destination, mode)
    package.add_tree(docs, "/usr/share/doc/vigia-agent")
    package.add(ROOT / "LICENSE", "/usr/share/doc/vigia-agent/copyright", 0o644)
    return package


def _add_library(package: Package, name: str) -> None:
    """Add an installed library with its licence, at the version that uv.lock names."""
    found = distribution(name)
    for file in sorted(found.files or (), key=str):
        wanted = file.suffix == ".py" or "licen" in str(file).lower() or file.name == "METADATA"
        if wanted and ".." not in file.parts and "bin" not in file.parts:
            package.add(Path(str(file.locate())), f"/usr/lib/vigia-agent/vendor/{file}", 0o644)


def feed(folder: Path, bytecode: Path, docs: Path) -> None:
    """Make the folder that goes into an OpenWrt feed."""
    shutil.copytree(OPENWRT / "files", folder / "files")
    shutil.copytree(bytecode, folder / "bytecode")
    shutil.copytree(docs, folder / "doc")
    (folder / "Makefile").write_text((OPENWRT / "Makefile").read_text().replace("@VERSION@", __version__))


def pack(package: Package, form: str, target: Path, epoch: str) -> None:
    """Write a package. ``CalledProcessError`` when nfpm refuses it."""
    configuration = target.with_suffix(".nfpm.json")
    configuration.write_text(package.configuration())
    env = {**os.environ, "SOURCE_DATE_EPOCH": epoch}
    subprocess.run(
        [nfpm(), "package", "--config", str(configuration), "--packager", form, "--target", str(target)],
        env=env, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    configuration.unlink()


def nfpm() -> str:
    """Return nfpm's path."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return str(Path(os.environ.get("VIGIA_CACHE") or home / "vigia") / "bin" / "nfpm")


def epoch() -> str:
    """Return the time stamp of everything in a package."""
    if said := os.environ.get("SOURCE_DATE_EPOCH"):
        return said
    git = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    done = subprocess.run(git, capture_output=True, text=True, check=False)
    return done.stdout.strip() or EARLIEST


def make(folder: Path) -> list[Path]:
    """Make all packages in ``folder``, anew; return them."""
    shutil.rmtree(folder, ignore_errors=True)
    work = folder / ".work"
    bytecode, docs = work / "bytecode", work / "doc"
    bytecode.mkdir(parents=True)
    agent_bytecode.make(bytecode)
    package_docs.make(docs)
    moment = epoch()
    router = folder / f"vigia-agent_{__version__}-1_all.ipk"
    pi = folder / f"vigia-agent_{__version__}-1_all.deb"
    pack(openwrt(bytecode, docs), "ipk", router, moment)
    pack(debian(docs), "deb", pi, moment)
    feed(folder / "feed" / "vigia-agent", bytecode, docs)
    shutil.rmtree(work)
    return [router, pi, folder / "feed" / "vigia-agent"]


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - the command and its folder
        sys.exit(__doc__)
    for made in make(Path(sys.argv[1]).absolute()):
        print(f"{made}: {_size(made)} bytes")
