"""The composition root: a bench from its options, started and stopped in order, called from any thread."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from simulators import ports
from simulators.bench import workdir as folders
from simulators.bench.centre import Centre
from simulators.bench.failure import BenchError
from simulators.bench.pace import QUICK, Pace
from simulators.bench.runner import Runner
from simulators.bench.sequence import SEQUENCE
from simulators.bench.stand import Setup, Stand
from simulators.clock import now_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from simulators.demo.webhook import Message

HEARD_S: Final = 60.0
VIRTUAL: Final = "virtual-router"
SITE: Final = "bench"
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_ANSWER_S: Final = 15.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Paper:
    """What only people know, for the certificate."""

    technician: str = ""
    serial: str = ""
    firmware: str = ""

    def with_entries(self, given: Mapping[str, object]) -> Paper:
        """Return it with what was entered; ``BenchError`` for what has no place on it."""
        known = {"technician", "serial", "firmware"}
        if not set(given) <= known or not all(isinstance(value, str) for value in given.values()):
            raise BenchError(f"the certificate takes texts for {', '.join(sorted(known))}")
        texts = {name: " ".join(str(value).split())[:80] for name, value in given.items()}
        return replace(self, **texts)


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. ``folder`` None: a temporary one. ``device`` None: the virtual facility's."""

    folder: Path | None = None
    device: str | None = None
    real_ups: bool = False
    real_meter: bool = False
    listen: str = "127.0.0.1"
    hosts: tuple[str, ...] = ("localhost",)
    line_port: int = 0
    upsd_port: int = 0
    meter_port: int = 0
    pace: Pace = QUICK
    broken: frozenset[str] = frozenset()
    hands: bool = True
    paper: Paper = field(default_factory=Paper)


class Bench:
    """Everything while ``async with`` lasts. ``key`` opens the page to who is not on this machine."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.pace = options.pace
        self.paper = options.paper
        self.key = secrets.token_urlsafe(9)
        self.issued: Path | None = None  # what a real device has to carry to report here
        self._stack = AsyncExitStack()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.centre: Centre
        self.stand: Stand
        self.runner: Runner

    async def __aenter__(self) -> Self:
        """Start centre, facility and device."""
        self._loop = asyncio.get_running_loop()
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """Stop everything in reverse order."""
        await self.runner.stop()
        await self._stack.aclose()

    async def heard(self) -> None:
        """Return when the device is heard, or after a while without."""
        until_ms = now_ms() + 1000 * HEARD_S
        while self.stand.seen.arrival_ms is None and now_ms() < until_ms:
            self.centre.check()
            if "signature" in self.options.broken:
                return
            await asyncio.sleep(0.2)

    def messages(self) -> list[Message]:
        """Return the messages that went out, newest first."""
        return self.centre.webhook.all()[::-1]

    def call(self, work: Callable[[], T]) -> T:
        """Do something in the bench's own thread, from another; its exception comes out here."""

        async def run() -> T:
            return work()

        return self.wait(run())

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Let a coroutine run in the bench's own thread, from another."""
        if self._loop is None:
            raise RuntimeError("the bench does not run")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_ANSWER_S)

    async def _start(self) -> None:
        options = self.options
        if options.folder is None:
            held = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="vigia-bench-"))
            folder = folders.prepare(Path(held))
        else:
            folder = folders.prepare(options.folder)
        chosen = folders.Ports(*ports.free(3))
        setup = self._setup()
        folders.issue(folder, options.hosts, chosen, {setup.device: setup.site})
        if setup.real_device:
            self.issued = folder.pki / "devices" / setup.device
            upsd_port = None if setup.real_ups else options.upsd_port
            folders.adapt(self.issued, options.hosts[0], options.line_port, upsd_port)
        self.centre = await self._stack.enter_async_context(Centre(folder, chosen, self.pace, [setup.site]))
        self.stand = await self._stack.enter_async_context(Stand(setup, self.centre, self.pace))
        self.runner = Runner(SEQUENCE, self.stand, self.pace, now_ms, hands=options.hands)

    def _setup(self) -> Setup:
        options = self.options
        if options.device is None:
            return Setup(VIRTUAL, SITE, broken=options.broken)
        return Setup(
            options.device,
            SITE,
            real_device=True,
            real_ups=options.real_ups,
            real_meter=options.real_meter,
            listen=options.listen,
            line_port=options.line_port,
            upsd_port=options.upsd_port,
            meter_port=options.meter_port,
        )
