"""Doors and tamper contacts on GPIO lines: measurement ``tamper``, the instance is the input's name.

An opening is told at once, however short it was; its end at the next reading. An input whose chip or line is
not there is ``unread``: each alone.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from agent.cpython.gpio import KERNEL, Input
from agent.cpython.readers.gpio_spec import parse_input
from agent.timing import wait_for_event

if TYPE_CHECKING:
    from agent.cpython.gpio import Kernel
    from agent.readers.port import Fields, Reader, Row
    from agent.timing import Clock


class Tamper:
    """Reads the inputs."""

    name = "tamper"
    watched = ("open", "unread")

    def __init__(
        self,
        inputs: dict[str, str],
        clock: Clock,
        interval_ms: int,
        watch_ms: int,
        kernel: Kernel = KERNEL,
    ) -> None:
        """Take the inputs of the configuration, name -> text."""
        self.interval_ms = interval_ms
        self.watch_ms = watch_ms
        self._clock = clock
        self._turned = asyncio.Event()
        specs = [parse_input(name, inputs[name]) for name in sorted(inputs)]
        self._inputs = [Input(spec, self._turned, kernel) for spec in specs]

    async def read(self) -> list[Row]:
        """Return a row for each input."""
        self._turned.clear()
        return [("tamper", each.spec.name, self._fields(each)) for each in self._inputs]

    async def wait_turn(self, limit_ms: int) -> None:
        """Return when an input turned, or after the limit."""
        await wait_for_event(self._clock, self._turned, limit_ms)

    async def close(self) -> None:
        """Give the lines back."""
        for each in self._inputs:
            each.close()

    def _fields(self, each: Input) -> Fields:
        found = each.read()
        return {"unread": 1} if found is None else {"unread": 0, "open": int(found)}


def make_tamper(options: dict[str, Any], clock: Clock, sample_ms: int, watch_ms: int) -> Reader:
    """Build the reader; option ``inputs``."""
    return Tamper(options["inputs"], clock, sample_ms, watch_ms)
