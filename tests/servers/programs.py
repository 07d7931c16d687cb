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
