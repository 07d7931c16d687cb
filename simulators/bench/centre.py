"""The bench's own centre: broker, collector and store as they are in service, on this machine."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self

from simulators.bench import workdir as folders
from simulators.bench.tap import Tap
from simulators.bench.witness import Witness
from simulators.demo.api import Api
from simulators.demo.centre import Centre as Collector
from simulators.demo.webhook import Webhook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.bench.pace import Pace
    from simulators.bench.workdir import Ports
    from simulators.demo.workdir import Workdir


class Centre:
    """Runs while ``async with`` lasts. ``sites`` are the facilities that it knows."""

    def __init__(self, workdir: Workdir, ports: Ports, pace: Pace, sites: Sequence[str]) -> None:
        self.workdir = workdir
        self.ports = ports
        self.webhook = Webhook()
        self._pace = pace
        self._sites = sites
        self._stack = AsyncExitStack()
        self._collector = Collector(workdir)
        self._tap = Tap(workdir.pki, ports.collector)
        self._witness: Witness | None = None

    async def __aenter__(self) -> Self:
        """Start everything; when this returns, devices are heard."""
        try:
            self._stack.enter_context(self.webhook)
            folders.configure(self.workdir, self.ports, self._pace, self.webhook.url, self._sites)
            await self._stack.enter_async_context(self._collector)
            await self._collector.wait_ready(Api(self.ports.web))
            await asyncio.to_thread(self._stack.enter_context, self._tap)
            self._witness = Witness(self.workdir.config, self._tap)
            self._stack.callback(self._witness.close)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """Stop everything, in reverse order."""
        await self._stack.aclose()

    @property
    def witness(self) -> Witness:
        """What was seen by it."""
        if self._witness is None:
            raise RuntimeError("the centre does not run")
        return self._witness

    def check(self) -> None:
        """Raise ``DemoError`` with the log's end when the collector has ended."""
        self._collector.check()
