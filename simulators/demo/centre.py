"""The collector as a process of its own. Nothing of it outlives the demonstration."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from typing import IO, TYPE_CHECKING, Self

from simulators.demo.failure import DemoError

if TYPE_CHECKING:
    from simulators.demo.api import Api
    from simulators.demo.workdir import Workdir

READY_S = 40.0
STOP_S = 20.0
_POLL_S = 0.2
_TAIL_LINES = 15
_PR_SET_PDEATHSIG = 1  # prctl(2)
_libc = ctypes.CDLL(None)


def _die_with_parent() -> None:
    """Run in the child before exec: SIGTERM when the demonstration dies, however it dies."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Centre:
    """``vigia-collector run`` while ``async with`` lasts; what it says goes to the log file."""

    def __init__(self, workdir: Workdir) -> None:
        self._workdir = workdir
        self._log: IO[bytes] | None = None
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        """Start it in a session of its own, so that Ctrl-C reaches it from us, in order."""
        self._log = self._workdir.log.open("ab")
        self._process = await asyncio.create_subprocess_exec(
            *self._command("run"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """Stop it; whatever of its session is left after that is killed."""
        process = self._process
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_S)
            except TimeoutError:
                self._kill_session(process.pid)
                await process.wait()
        if process is not None:
            self._kill_session(process.pid)
        if self._log is not None:
            self._log.close()

    @staticmethod
    def _kill_session(leader: int) -> None:
        """Kill what is left of the session."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader, signal.SIGKILL)

    async def wait_ready(self, api: Api) -> None:
        """Return when the collector is ready; ``DemoError`` with the log's end when it is not in time."""
        deadline = asyncio.get_running_loop().time() + READY_S
        while (why := await api.ready()) is not None:
            self.check()
            if asyncio.get_running_loop().time() > deadline:
                raise DemoError(f"the collector is not ready after {READY_S:g} s ({why})\n{self.tail()}")
            await asyncio.sleep(_POLL_S)

    def check(self) -> None:
        """Raise ``DemoError`` with the log's end when the collector has ended."""
        if self._process is not None and self._process.returncode is not None:
            raise DemoError(f"the collector ended with {self._process.returncode}\n{self.tail()}")

    async def add_user(self, name: str, password: str, role: str) -> None:
        """Let a person sign in."""
        command = self._command("user", "add", name, "--role", role, "--password-file", "-")
        await _output(command, f"{password}\n".encode())

    async def add_token(self, label: str, role: str) -> str:
        """Return a new API token."""
        answer = await _output(self._command("user", "token", label, "--role", role))
        return answer.split()[-1]

    def tail(self) -> str:
        """Return the last lines of the log, without the frames of tracebacks, and where the rest is."""
        lines = self._workdir.log.read_text(encoding="utf-8", errors="replace").splitlines()
        said = [line for line in lines if line and not line.startswith(" ")][-_TAIL_LINES:]
        return "\n".join([*(f"  | {line}" for line in said), f"  whole log: {self._workdir.log}"])

    def _command(self, *words: str) -> list[str]:
        """Return a command line of the collector; ``--config`` stands after the subcommand's words."""
        return [sys.executable, "-m", "collector", *words, "--config", str(self._workdir.config)]


async def _output(command: list[str], text: bytes = b"") -> str:
    """Run a command to its end and return what it printed; ``DemoError`` when it fails."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    out, err = await process.communicate(text)
    if process.returncode:
        raise DemoError(f"{' '.join(command[1:5])}: {err.decode(errors='replace').strip()}")
    return out.decode().strip()
