"""A router over ssh: commands and files, without anything that OpenWrt does not have (no sftp, no Python)."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import dataclass

from certs.errors import CertsError

CONNECT_S = 15
COMMAND_S = 300.0  # a package manager that loads its lists over a poor line


@dataclass(frozen=True, slots=True)
class Router:
    """``address`` as ssh takes it, ``root@192.168.1.1``; ``ssh`` is the command before it."""

    address: str
    ssh: tuple[str, ...] = ("ssh",)

    def run(self, script: str, stdin: bytes = b"", *, what: str) -> str:
        """Run a script in the router's shell; return what it prints. ``CertsError`` says ``what`` failed."""
        options = ("-o", f"ConnectTimeout={CONNECT_S}")
        command = [*self.ssh, *options, self.address, f"sh -c {shlex.quote(script)}"]
        try:
            done = subprocess.run(command, input=stdin, capture_output=True, timeout=COMMAND_S, check=False)
        except FileNotFoundError as error:
            raise CertsError(f"{self.ssh[0]}: not installed here") from error
        except subprocess.TimeoutExpired as error:
            raise CertsError(f"{self.address}: {what}: no answer within {COMMAND_S:.0f} s") from error
        if done.returncode != 0:
            said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
            raise CertsError(f"{self.address}: {what}: {said[-1] if said else f'exit {done.returncode}'}")
        return done.stdout.decode(errors="replace")

    def write(self, path: str, data: bytes, *, mode: str = "600") -> None:
        """Put a file whole into its place."""
        quoted = shlex.quote(path)
        script = f"umask 077; cat > {quoted}.new && chmod {mode} {quoted}.new && mv {quoted}.new {quoted}"
        self.run(script, data, what=f"writing {path}")
