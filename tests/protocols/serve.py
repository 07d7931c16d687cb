"""An asyncio server in a thread of its own, for tests that start real programs and wait for them."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from contextlib import AbstractAsyncContextManager

LIMIT_S = 30


class Running:
    """Calls into the server's thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(LIMIT_S)

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        async def work() -> Any:
            return function(*arguments)

        return self.do(work())


@contextlib.contextmanager
def running(*servers: AbstractAsyncContextManager[Any]) -> Iterator[Running]:
    """Run servers until the end of the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    it = Running(loop)
    try:
        with contextlib.ExitStack() as stack:
            for server in servers:
                it.do(_start(server))
                stack.callback(_stop, it, server)
            yield it
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(LIMIT_S)
        loop.close()


def _stop(it: Running, server: AbstractAsyncContextManager[Any]) -> None:
    it.do(_end(server))


async def _start(server: AbstractAsyncContextManager[Any]) -> None:
    await server.__aenter__()


async def _end(server: AbstractAsyncContextManager[Any]) -> None:
    await server.__aexit__(None, None, None)
