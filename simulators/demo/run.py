"""One demonstration from start to end: folder, collector, devices, story, stop in reverse order."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from simulators import ports
from simulators.clock import now_ms
from simulators.demo import layout, verdict, workdir
from simulators.demo.api import Api
from simulators.demo.board import Board
from simulators.demo.centre import Centre
from simulators.demo.failure import DemoError
from simulators.demo.layout import Pace
from simulators.demo.story import Outcome, Story
from simulators.demo.webhook import Webhook
from simulators.fleet import Fleet
from simulators.plans import Bench

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from simulators.demo.speaker import Speaker
    from simulators.demo.workdir import Ports, Workdir
    from simulators.world.world import World

DASHBOARD_PORT = 8080
CHECK_S = 110.0  # a check ends within 120 s, stopping included
REPORT_S = 30.0
COMPLETE_S = 20.0
_USER = "demo"
_SEED = 40


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. ``influxd`` None: the embedded store. ``port`` None: 8080, or a free one."""

    check: bool = False
    influxd: Path | None = None
    folder: Path | None = None
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """What runs once everything is up."""

    centre: Centre
    api: Api
    fleet: Fleet
    world: World
    webhook: Webhook


@dataclass(slots=True)
class Proof:
    """What a check found."""

    devices: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Demo:
    """Plays once; ``run`` returns whether all went well."""

    def __init__(self, options: Options, speaker: Speaker) -> None:
        self._options = options
        self._speaker = speaker
        self._pace = Pace()
        self._plans = layout.devices()
        self._names = [plan.name for plan in self._plans]

    async def run(self) -> bool:
        """Set up, play, stop; with ``check`` judge and say the figures last."""
        folder = self._options.folder or Path(tempfile.mkdtemp(prefix="vigia-demo-"))
        keep = self._options.folder is not None
        try:
            place = workdir.prepare(folder)
            fine = await self._check(place) if self._options.check else await self._show(place)
            keep = keep or not fine
        except DemoError:
            keep = True
            raise
        finally:
            if not keep:
                shutil.rmtree(folder, ignore_errors=True)
        return fine

    async def _show(self, place: Workdir) -> bool:
        """Play the story for people, then go on until cancelled."""
        async with AsyncExitStack() as stack:
            stage = await self._build(stack, place)
            board = await stack.enter_async_context(_followed(Board(stage.api, self._speaker)))
            await self._reported(stage)
            await Story(stage.world, board, stage.webhook, self._speaker, look_s=6.0).play()
            self._speaker.say(
                "La historia terminó; el tablero sigue. Ctrl-C para salir",
                "the story is over; Ctrl-C to stop",
            )
            while True:
                await asyncio.sleep(1.0)
                stage.centre.check()

    async def _check(self, place: Workdir) -> bool:
        """Play the story, stop everything, judge what came of it."""
        proof = Proof()
        try:
            async with asyncio.timeout(CHECK_S), AsyncExitStack() as stack:
                await self._prove(await self._build(stack, place), stack, proof)
        except DemoError as error:
            proof.problems.append(str(error))
        except TimeoutError:
            proof.problems.append(f"not over after {CHECK_S:g} s")
        for problem in proof.problems:
            self._speaker.plain(f"  x {problem}")
        if proof.problems:
            self._speaker.plain(f"  collector's log: {place.log}; devices' logs: {place.devices / 'log'}/")
        figures = verdict.figures(proof.devices, proof.outcomes, proof.problems, self._speaker.seconds)
        self._speaker.plain(figures.line())
        return figures.ok

    async def _prove(self, stage: Stage, stack: AsyncExitStack, proof: Proof) -> None:
        """Fill in the proof."""
        board = await stack.enter_async_context(_followed(Board(stage.api, self._speaker)))
        proof.problems += await self._reported(stage)
        proof.devices = len(self._names) - len(proof.problems)
        if not proof.problems:
            proof.outcomes = await Story(stage.world, board, stage.webhook, self._speaker).play()
            proof.problems += [line for outcome in proof.outcomes for line in verdict.trouble(outcome)]
            proof.problems += await self._silent(stage, COMPLETE_S, complete=True)
        proof.problems += verdict.unexpected(await stage.api.incidents(), proof.outcomes)
        proof.problems += [f"{name}: agent failed: {why}" for name, why in stage.fleet.failed().items()]

    async def _build(self, stack: AsyncExitStack, place: Workdir) -> Stage:
        """Start everything; the stack stops it in reverse order."""
        pace, chosen = self._pace, self._choose_ports()
        self._speaker.announce(pace)
        webhook = stack.enter_context(Webhook())
        workdir.enrol(place, chosen, layout.places())
        workdir.configure(place, chosen, pace, webhook.url, self._options.influxd)
        centre = await stack.enter_async_context(Centre(place))
        await centre.wait_ready(Api(chosen.web))
        password = secrets.token_urlsafe(9)
        token, _ = await asyncio.gather(
            centre.add_token("demo", "viewer"), centre.add_user(_USER, password, "crew")
        )
        self._speaker.welcome(chosen.web, _USER, password)
        world = layout.world(pace, seed=_SEED, start_ms=now_ms())
        bench = Bench(place.pki, place.devices, "127.0.0.1", chosen.device, pace.timing)
        fleet = await stack.enter_async_context(Fleet(self._plans, world, bench))
        return Stage(centre, Api(chosen.web, token), fleet, world, webhook)

    async def _reported(self, stage: Stage) -> list[str]:
        """Wait until every device reported; return those that did not."""
        lacking = await self._silent(stage, REPORT_S, complete=False)
        if not lacking:
            count = len(self._names)
            self._speaker.say(f"Los {count} equipos de 40 sedes reportan", f"all {count} devices report")
        return lacking

    async def _silent(self, stage: Stage, limit_s: float, *, complete: bool) -> list[str]:
        """Wait for every device; return what is lacking at the end of the limit."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + limit_s
        while True:
            lacking = verdict.silent(await stage.api.devices(), self._names, complete=complete)
            if not lacking or loop.time() > deadline:
                return lacking
            stage.centre.check()
            await asyncio.sleep(0.3)

    def _choose_ports(self) -> Ports:
        """Free ports, and the dashboard's usual one when nobody has it."""
        device, collector, influx, spare = ports.free(4)
        wanted = self._options.port or DASHBOARD_PORT
        if self._options.check and self._options.port is None:
            wanted = spare  # nobody opens the dashboard of a check; this keeps two of them apart
        if ports.is_free(wanted):
            return workdir.Ports(device, collector, wanted, influx)
        if self._options.port is not None:
            raise DemoError(f"port {wanted} is taken; choose another with --port")
        self._speaker.say(
            f"El puerto {wanted} está ocupado: uso {spare}", f"port {wanted} is taken: using {spare}"
        )
        return workdir.Ports(device, collector, spare, influx)


@contextlib.asynccontextmanager
async def _followed(board: Board) -> AsyncIterator[Board]:
    """Follow the incidents meanwhile."""
    task = asyncio.create_task(board.follow())
    try:
        yield board
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
