"""Where the real programs are; a missing one is an error that says how to get it, never a skip."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

CACHE = Path(
    os.environ.get("VIGIA_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vigia"
)
SYSTEM = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin", "/lib/nut", "/usr/lib/nut"])


class MissingProgramError(RuntimeError):
    """A server that the tests need cannot be had."""


def built(name: str, target: str) -> str:
    """Path of a program that ``make <target>`` builds into the cache."""
    path = CACHE / "bin" / name
    if not path.exists():
        raise MissingProgramError(f"{path} is missing: run `make {target}` (or `make test`, which does)")
    return str(path)


def packaged(name: str, package: str) -> str:
    """Path of a program that a Debian package brings."""
    path = shutil.which(name, path=SYSTEM)
    if path is None:
        raise MissingProgramError(f"{name} is missing: apt-get install {package} (`make test` does it)")
    return path


def unpacked(path: str) -> str:
    """Path of a program of a package that is unpacked into the cache, not installed."""
    found = CACHE / "unpacked" / path
    if not found.exists():
        raise MissingProgramError(f"{found} is missing: run `tools/unpack-servers.sh` (`make test` does it)")
    return str(found)


def unpacked_libraries() -> list[Path]:
    """Folders with the libraries of such programs."""
    return list((CACHE / "unpacked").glob("**/lib/*-linux-gnu"))


def unpacked_environment() -> dict[str, str]:
    """Return the environment in which such a program finds its libraries."""
    return {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(map(str, unpacked_libraries()))}
