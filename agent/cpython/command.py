"""CPython: a child process of ours, read through a pipe, in a session of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from typing import TYPE_CHECKING

from agent.errors import ReaderError

if TYPE_CHECKING:
    from collections.abc import Callable

_NOT_FOUND = 127
_CHUNK = 65536
_STEP_S = 0.002


class Child:
    """A command that runs; ``killed``: it was told to end."""

    def __init__(self, argv: list[str], most_bytes: int) -> None:
        """Start it. Raises ReaderError when the machine cannot."""
        self.killed = False
        self._most_bytes = most_bytes
        self._ended = False
        self._process: subprocess.Popen[bytes] | None = None
        nowhere = subprocess.DEVNULL
        try:
            self._process = subprocess.Popen(
                argv, stdin=nowhere, stdout=subprocess.PIPE, stderr=nowhere, bufsize=0, start_new_session=True
            )
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:  # no process left, no such right; a zero byte in an argument
            raise ReaderError("command_failed", f"{argv[0]}: could not be started: {error}") from error

    async def output(self, take: Callable[[bytes], None] | None = None) -> tuple[int, int, bytes]:
        """Return exit status, size and output (what ``take`` has not), once the command has ended."""
        if self._process is None:
            return _NOT_FOUND, 0, b""
        data = bytearray()
        size = await self._all(take or data.extend)
        if size > self._most_bytes:
            return 0, size, bytes(data)
        while self._process.poll() is None:  # noqa: ASYNC110 - what closed its output ends in a moment
            await asyncio.sleep(_STEP_S)
        self._ended = True
        return self._process.returncode, size, bytes(data)

    async def _all(self, take: Callable[[bytes], None]) -> int:
        """Read to the end, or until it is too long; return how much it was."""
        assert self._process is not None  # noqa: S101 - for the type checker
        assert self._process.stdout is not None  # noqa: S101 - same
        descriptor = self._process.stdout.fileno()
        os.set_blocking(descriptor, False)
        loop, ready, size = asyncio.get_running_loop(), asyncio.Event(), 0
        loop.add_reader(descriptor, ready.set)
        try:
            while size <= self._most_bytes:
                await ready.wait()
                ready.clear()
                try:
                    part = os.read(descriptor, _CHUNK)
                except BlockingIOError:  # the loop tells of readiness once more than there is
                    continue
                if not part:
                    break
                size += len(part)
                take(part)
        finally:
            loop.remove_reader(descriptor)
        return size

    def kill(self) -> None:
        """End the command, and what it started and left with its output open."""
        self.killed = True
        if self._process is None:
            return
        if self._process.stdout is not None:
            self._process.stdout.close()
        if not self._ended:  # not reaped, so the number is still its own
            self._ended = True
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def gone(self) -> bool:
        """Tell whether nothing is left of it; reaps it."""
        return self._process is None or self._process.poll() is not None
