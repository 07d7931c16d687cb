"""Waiting in an event loop for what must come, and not for ever."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WAIT_S = 40.0


async def until(found: Callable[[], bool], what: str) -> None:
    """Return when something is so; it has to be within ``WAIT_S``."""
    deadline = time.monotonic() + WAIT_S
    while not found():
        assert time.monotonic() < deadline, f"never: {what}"
        await asyncio.sleep(0.02)
