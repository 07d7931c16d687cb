"""Starts the collector's parts as processes, keeps them running, stops them in reverse order.

A part that ends is started again after a wait that doubles from 0.5 s to 30 s and begins anew once the part
has lived a minute. A part of which only a new start can make anything gets one, once it has lived a minute.
Children get SIGTERM when the supervisor dies, however it dies.
"""

from __future__ import annotations

import ctypes
import signal
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from threading import Event

    from collector.clock import Clock
    from collector.log import Reporter
    from collector.metrics import Metrics

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
STABLE_S = 60.0
STOP_S = 10.0
ASK_S = 15.0
POLL_S = 0.2
_PR_SET_PDEATHSIG = 1  # prctl(2)
_libc = ctypes.CDLL(None)


def _die_with_parent() -> None:
    """Run in the child before exec: ask the kernel for SIGTERM when the parent ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Part:
    """One process: its name, command, additional environment, and what is done before every start.

    ``failing`` is asked every 15 s and says why a running process must be started again, if it must; it may
    take some seconds.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] | None = None
    before: Callable[[], None] = lambda: None
    failing: Callable[[], str | None] = lambda: None
    process: subprocess.Popen[bytes] | None = None
    started_mono: float = 0.0
    asked_mono: float = 0.0
    wait_s: float = FIRST_WAIT_S
    again_mono: float = field(default=float("-inf"))


class Supervisor:
    """Runs parts until told to stop."""

    def __init__(
        self, reporter: Reporter, metrics: Metrics, clock: Clock, stable_s: float = STABLE_S
    ) -> None:
        self._stable_s = stable_s
        self._reporter = reporter
        self._metrics = metrics
        self._clock = clock
        self._parts: list[Part] = []

    def start(self, part: Part) -> None:
        """Start a part and keep it running from now on."""
        self._spawn(part)
        self._parts.append(part)  # ``run``, in another thread perhaps, would start what it finds not running

    def run(self, stop: Event) -> None:
        """Watch over the parts until ``stop``; then stop them, last started first."""
        while not stop.wait(POLL_S):
            for part in self._parts:
                self._look_after(part)

    def stop(self) -> None:
        """Stop all parts, last started first; one that does not stop in 10 s is killed."""
        for part in reversed(self._parts):
            if part.process is not None:
                self._end(part.name, part.process)

    def _end(self, name: str, process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._reporter.problem("part_killed", f"{name} did not stop in {STOP_S:g} s")
            process.kill()
            process.wait()

    def _spawn(self, part: Part) -> None:
        part.started_mono = part.asked_mono = self._clock.mono()
        try:
            part.before()
            part.process = subprocess.Popen(
                part.command,
                env=part.environment,
                stdin=subprocess.DEVNULL,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - the hook only calls prctl, no thread was started
            )
        except OSError as error:
            part.process = None
            self._reporter.problem("part_not_started", f"{part.name}: {error.filename}: {error.strerror}")
            self._wait_before_restart(part)

    def _look_after(self, part: Part) -> None:
        now = self._clock.mono()
        if part.process is not None:
            code = part.process.poll()
            if code is None and not self._ended_as_failing(part, part.process, now):
                return
            if code is not None:
                self._reporter.problem("part_ended", f"{part.name} ended with {code}; starting it again")
            self._metrics.failures.labels(part=part.name).inc()
            part.process = None
            if now - part.started_mono > self._stable_s:
                part.wait_s = FIRST_WAIT_S
            self._wait_before_restart(part)
        elif now >= part.again_mono:
            self._spawn(part)

    def _ended_as_failing(self, part: Part, process: subprocess.Popen[bytes], now: float) -> bool:
        """Ask a part that has lived a while whether it must be started again; end it if so."""
        if now - part.started_mono <= self._stable_s or now - part.asked_mono < min(ASK_S, self._stable_s):
            return False
        part.asked_mono = now
        why = part.failing()
        if why is None:
            return False
        self._reporter.problem("part_failing", f"{part.name} {why}; starting it again")
        self._end(part.name, process)
        return True

    def _wait_before_restart(self, part: Part) -> None:
        part.again_mono = self._clock.mono() + part.wait_s
        part.wait_s = min(part.wait_s * 2, LONGEST_WAIT_S)
