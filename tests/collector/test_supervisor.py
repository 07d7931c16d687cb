from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

from collector.clock import SystemClock
from collector.log import Reporter
from collector.metrics import Metrics
from collector.supervisor import Part, Supervisor
from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

# a part that says it lives and stays
STAY = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(600)"


class Bench:
    def __init__(self, tmp_path: Path, **options: float) -> None:
        self.tmp_path = tmp_path
        self.counters = CollectorRegistry()
        metrics = Metrics(self.counters)
        self.supervisor = Supervisor(Reporter("run", metrics), metrics, SystemClock(), **options)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.supervisor.run, args=(self.stop,))

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        self.thread.start()
        try:
            yield
        finally:
            self.end()

    def end(self) -> None:
        self.stop.set()
        if self.thread.is_alive():
            self.thread.join()
        self.supervisor.stop()

    def part(self, name: str) -> Part:
        return Part(name, [sys.executable, "-c", STAY, str(self.tmp_path / name)])

    def pids(self, name: str) -> list[int]:
        path = self.tmp_path / name
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def restarts(self, name: str) -> float:
        return self.counters.get_sample_value("vigia_process_restarts_total", {"part": name}) or 0.0


@pytest.fixture
def bench(tmp_path: Path):
    bench = Bench(tmp_path)
    yield bench
    bench.end()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_part_that_is_killed_comes_back_and_the_others_stay(bench: Bench) -> None:
    bench.supervisor.start(bench.part("one"))
    bench.supervisor.start(bench.part("two"))
    bench.thread.start()
    until(lambda: bench.pids("one") and bench.pids("two"), "both parts")
    os.kill(bench.pids("one")[0], signal.SIGKILL)
    until(lambda: len(bench.pids("one")) == 2, "the killed part again")
    assert (bench.restarts("one"), bench.restarts("two"), len(bench.pids("two"))) == (1, 0, 1)


def test_stopping_leaves_no_process_behind(bench: Bench) -> None:
    bench.supervisor.start(bench.part("one"))
    until(lambda: bench.pids("one"), "the part")
    bench.supervisor.stop()
    assert not alive(bench.pids("one")[0])


def test_a_part_that_says_that_only_a_new_start_helps_gets_one(tmp_path: Path) -> None:
    bench = Bench(tmp_path, stable_s=0.5)
    trouble = tmp_path / "trouble"
    part = bench.part("one")
    part.failing = lambda: "has failed writes" if trouble.exists() else None
    part.before = lambda: trouble.unlink(missing_ok=True)
    with bench.running():
        bench.supervisor.start(part)
        bench.supervisor.start(bench.part("two"))
        until(lambda: bench.pids("one") and bench.pids("two"), "both parts")
        trouble.touch()
        until(lambda: len(bench.pids("one")) == 2, "the failing part again")
        until(lambda: part.asked_mono > part.started_mono, "the new one to be asked")
        assert (bench.restarts("one"), bench.restarts("two"), len(bench.pids("one"))) == (1, 0, 2)
        assert not alive(bench.pids("one")[0])


def test_what_a_part_needs_is_done_before_every_start(bench: Bench) -> None:
    done = []

    def before() -> None:
        done.append(len(bench.pids("one")))
        if len(done) == 2:
            raise OSError(28, "No space left on device", "log")  # tried again later

    part = bench.part("one")
    part.before = before
    bench.supervisor.start(part)
    bench.thread.start()
    until(lambda: bench.pids("one"), "the part")
    os.kill(bench.pids("one")[0], signal.SIGKILL)
    until(lambda: len(bench.pids("one")) == 2, "the part again")
    assert done == [0, 1, 1]


def test_a_program_that_is_not_there_is_a_problem_not_a_crash(bench: Bench) -> None:
    bench.supervisor.start(Part("missing", ["/nowhere/influxd"]))
    labels = {"part": "run", "reason": "part_not_started"}
    assert bench.counters.get_sample_value("vigia_problems_total", labels) == 1
    bench.thread.start()
    bench.supervisor.start(bench.part("other"))
    until(lambda: bench.pids("other"), "another part")


def test_parts_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    script = f"""
import sys, threading
from prometheus_client import CollectorRegistry
from collector.clock import SystemClock
from collector.log import Reporter
from collector.metrics import Metrics
from collector.supervisor import Part, Supervisor
metrics = Metrics(CollectorRegistry())
supervisor = Supervisor(Reporter("run", metrics), metrics, SystemClock())
supervisor.start(Part("one", [sys.executable, "-c", {STAY!r}, {str(tmp_path / "one")!r}]))
supervisor.run(threading.Event())
"""
    with subprocess.Popen([sys.executable, "-c", script]) as process:
        path = tmp_path / "one"
        until(lambda: path.exists() and path.read_text().strip(), "the part")
        process.kill()
    pid = int(path.read_text())
    until(lambda: not alive(pid), "the part to end with its supervisor")
