"""Instruments in a shell: what is said at the start and what is typed then.

A line is ``name=value``, ``whose:name=value`` where several have that knob, ``show``, ``help`` or ``quit``.
The end of the input ends nothing: an instrument can run as a service.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import threading
from typing import TYPE_CHECKING, Final

from simulators.protocols.knobs import KnobError, assignment

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from simulators.protocols.knobs import Instrument, Knob

HELP: Final = "name=value, whose:name=value, show, help, quit"
TICK_S: Final = 1.0


class Shell:
    """``instruments`` by name; ``apply`` lets what was turned hold, ``tick`` is called every second."""

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        apply: Callable[[], Awaitable[None]],
        tick: Callable[[], None] | None = None,
    ) -> None:
        self._instruments = instruments
        self._apply = apply
        self._tick = tick
        self._stop = asyncio.Event()

    async def say(self, line: str) -> str:
        """Do one line; return what to print. KnobError when it is none."""
        word = line.strip()
        if word in {"quit", "exit"}:
            self._stop.set()
            return ""
        if word in {"help", "?"}:
            return HELP
        if word in {"show", ""}:
            return "\n".join(self._shown()) if word else ""
        self.turn(word)
        await self._apply()
        return ""

    def turn(self, text: str) -> None:
        """Turn what ``name=value`` means, everywhere that it means something."""
        name, value = assignment(text)
        whose, colon, knob = name.rpartition(":")
        if colon and whose not in self._instruments:
            raise KnobError(f"no {whose!r}; there are {', '.join(self._instruments)}")
        meant = [self._instruments[whose]] if colon else list(self._instruments.values())
        having = [one for one in meant if knob in {each.name for each in one.knobs()}]
        failures = [error for one in having or meant if (error := _turned(one, knob, value)) is not None]
        if len(failures) == len(having or meant) or (having and failures):
            raise failures[0]

    async def begin(self, turned: Iterable[str]) -> None:
        """Turn what was asked for at the start."""
        for text in turned:
            self.turn(text)
        await self._apply()

    async def run(self) -> None:
        """Do what is typed until a signal or ``quit``."""
        loop = asyncio.get_running_loop()
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(each, self._stop.set)
        lines: asyncio.Queue[str] = asyncio.Queue()
        # a thread that nobody waits for: a read of a terminal cannot be cancelled
        threading.Thread(target=_read, args=(loop, lines), daemon=True).start()
        typed = asyncio.create_task(self._do(lines))
        with contextlib.suppress(asyncio.CancelledError):
            while not self._stop.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), TICK_S)
                if self._tick is not None:
                    self._tick()
        typed.cancel()
        await asyncio.gather(typed, return_exceptions=True)

    async def _do(self, lines: asyncio.Queue[str]) -> None:
        while True:
            try:
                said = await self.say(await lines.get())
            except (KnobError, OSError) as error:
                said = str(error)
            if said:
                print(said, flush=True)  # noqa: T201 - what a person asked for

    def _shown(self) -> list[str]:
        several = len(self._instruments) > 1
        return [
            f"{f'{whose}:' if several and whose else ''}{knob.name}={one.value(knob.name)}{_unit(knob)}"
            for whose, one in self._instruments.items()
            for knob in one.knobs()
        ]


def table(knobs: Iterable[Knob]) -> str:
    """Return knobs as lines for ``--help``."""
    return "\n".join(
        f"  {knob.name}={knob.start}{_unit(knob)}  {knob.meaning}{_range(knob)}" for knob in knobs
    )


def _unit(knob: Knob) -> str:
    return f" {knob.unit}" if knob.unit else ""


def _range(knob: Knob) -> str:
    if knob.choices:
        return f" ({', '.join(knob.choices)})"
    if knob.low is None or knob.high is None:
        return ""
    return f" ({knob.low:.10g} to {knob.high:.10g})"


def _turned(one: Instrument, knob: str, value: str) -> KnobError | None:
    try:
        one.turn(knob, value)
    except KnobError as error:
        return error
    return None


def _read(loop: asyncio.AbstractEventLoop, lines: asyncio.Queue[str]) -> None:
    with contextlib.suppress(RuntimeError, ValueError, OSError):  # the loop or the input is closed
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line)
