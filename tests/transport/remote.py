"""The test's end of ``driver.py``: a transport in a process of its own, on either interpreter."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 30.0


class Failed(Exception):  # noqa: N818 - what the transport raised, as an answer
    """The command ended with a LinkError or ran out of time."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(f"{reason}: {text}")
        self.reason = reason


class Remote:
    """Start one in an ``async with`` block. ``told`` has what its callbacks said, in order."""

    def __init__(
        self, command: list[str], kind: str, folder: Path, port: int, *, name: str, keepalive_s: int = 20
    ) -> None:
        self._command = [*command, "tests/transport/driver.py", kind]
        self._rest = ["localhost", str(port), name, str(keepalive_s), str(folder)]
        self._answers: asyncio.Queue[list[Any]] = asyncio.Queue()
        self._news = asyncio.Event()
        self.told: list[list[Any]] = []

    async def __aenter__(self) -> Self:
        accepted: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._server = await asyncio.start_server(
            lambda reader, writer: accepted.set_result((reader, writer)), "127.0.0.1", 0
        )
        port = self._server.sockets[0].getsockname()[1]
        self.process = subprocess.Popen([*self._command, str(port), *self._rest], cwd=ROOT)  # noqa: ASYNC220 - ends in aexit
        self._reader, self._writer = await asyncio.wait_for(accepted, LIMIT_S)
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self._writer.close()
        self._listening.cancel()
        self._server.close()
        self.process.kill()
        self.process.wait()

    async def _listen(self) -> None:
        while line := await self._reader.readline():
            item = json.loads(line)
            if item[0] in {"done", "failed"}:
                self._answers.put_nowait(item)
            else:
                self.told.append(item)
                self._news.set()

    async def ask(self, *command: Any) -> Any:
        self._writer.write(json.dumps(command).encode() + b"\n")
        answer = await asyncio.wait_for(self._answers.get(), LIMIT_S)
        if answer[0] == "failed":
            raise Failed(answer[1], answer[2])
        return answer[1]

    async def connect(self, will: str = "vigia/v1/a/none/death", *, limit_ms: int = 10_000) -> None:
        await self.ask("connect", will, "will", limit_ms)

    async def hears(self, kind: str, *values: Any, limit_s: float = LIMIT_S) -> list[Any]:
        """Wait for a happening that begins so; return it."""

        def found() -> list[Any] | None:
            return next((t for t in self.told if t[: 1 + len(values)] == [kind, *values]), None)

        async with asyncio.timeout(limit_s):
            while not (item := found()):
                self._news.clear()
                await self._news.wait()
        return item

    async def loses(self, times: int) -> None:
        """Wait until that many connections were lost."""
        await self._reaches("lost", times)

    async def pubacks(self, times: int) -> None:
        """Wait until that many messages were acknowledged."""
        await self._reaches("puback", times)

    async def _reaches(self, kind: str, times: int) -> None:
        async with asyncio.timeout(LIMIT_S):
            while self.count(kind) < times:
                self._news.clear()
                await self._news.wait()

    def count(self, kind: str) -> int:
        return Counter(item[0] for item in self.told)[kind]
