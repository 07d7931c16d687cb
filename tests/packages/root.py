"""A throw-away root: this machine's files under an overlay in memory, with process ids of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Sequence

ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
}
MOUNT = """
set -e
mount -t tmpfs -o size=512m vigia-root "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
mount --rbind /sys "$1/root/sys"
mount -t tmpfs tmpfs "$1/root/run"
mount -t tmpfs tmpfs "$1/root/tmp"
touch "$1/root/run/ready"
exec sleep infinity
"""


class Root:
    """Enter with ``with``; what runs in it ends with it."""

    def __init__(self, folder: Path, *, network: bool = False) -> None:
        """``network``: with interfaces of its own, none up."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._spaces = ["--mount", "--pid", *(["--net"] if network else [])]

    def __enter__(self) -> Self:
        if os.geteuid() != 0:
            pytest.skip("a root of its own needs mounts, which only root may make")
        self._holder = subprocess.Popen(
            ["unshare", *self._spaces, "--fork", "--kill-child", "sh", "-c", MOUNT, "sh", str(self._folder)],
            stdin=subprocess.DEVNULL,
        )
        self.pid = until(self._child, "the root's first process")
        until(
            lambda: self._holder.poll() is not None or self.path("/run/ready").exists(), "the root's mounts"
        )
        assert self._holder.poll() is None, "the root could not be mounted"
        return self

    def __exit__(self, *_exc: object) -> None:
        self._holder.kill()
        self._holder.wait(30)

    def _child(self) -> int | None:
        pid = self._holder.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if children else None

    def path(self, path: str) -> Path:
        """Where a file of the root lies as seen from here."""
        return Path(f"/proc/{self.pid}/root{self._folder}/root{path}")

    def command(self, *command: str, user: str | None = None) -> list[str]:
        as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        inside = ["nsenter", "-t", str(self.pid), *self._spaces, "chroot", f"{self._folder}/root"]
        return [*inside, *as_user, *command]

    def run(
        self, *command: str, user: str | None = None, code: int | None = 0
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*command, user=user),
            capture_output=True, text=True, timeout=120, check=False, cwd="/",
            env=ENVIRONMENT,
        )  # fmt: skip
        assert code is None or done.returncode == code, (
            f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        )
        return done

    def processes(self, word: str) -> list[int]:
        """Ids, as the root sees them, of the processes whose command line has a word."""
        found = []
        for entry in self.path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = entry.read_bytes().replace(b"\0", b" ")
            except OSError:
                continue
            if word.encode() in line:
                found.append(int(entry.parent.name))
        return found

    def put(self, source: Path, target: str, *, mode: int = 0o644) -> None:
        path = self.path(target)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)
        path.chmod(mode)

    def modes(self, paths: Sequence[str]) -> dict[str, str]:
        """Owner, group and mode of paths, by the root's own names."""
        lines = self.run("stat", "-c", "%n %U:%G %a", *paths).stdout.splitlines()
        return {name: f"{owner} {mode}" for name, owner, mode in (line.split() for line in lines)}
