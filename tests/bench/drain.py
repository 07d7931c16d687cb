"""The collector's ingest as `vigia-collector ingest` runs it, measured from inside: a process of its own.

Ends when ``--frames`` messages were acknowledged after ``GO`` was read from standard input (at once when the
messages wait in the queue). The last line it prints is a JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collector import config as configuration
from collector.build import run_ingest
from collector.metrics import prepare
from collector.pipeline import Pipeline
from tests.bench.proc import peak_rss_mb
from tests.bench.say import say

if TYPE_CHECKING:
    from collector.ingest.batch import Batch, Stage


class Probe:
    """Wraps the pipeline's one place where a stage is run."""

    def __init__(self, frames: int, *, detail: bool) -> None:
        self.frames = frames
        self.stages: dict[str, float] = {}
        self.waited: dict[str, float] = {}
        self.done = 0
        self.batches = 0
        self.outcomes: dict[str, int] = {}
        self.acked: list[tuple[str, int, float]] = []
        self.first_ms: int | None = None
        self.finished = threading.Event()
        self.at = (0.0, 0.0)
        self._detail = detail
        self._step = Pipeline._step
        self._lock = threading.Lock()

    def install(self) -> None:
        """Measure every stage of every batch from now on."""
        probe = self

        def measured(self: Pipeline, step: Stage, batch: Batch) -> None:
            began, began_cpu = time.monotonic(), time.thread_time()
            probe._step(self, step, batch)
            spent = time.thread_time() - began_cpu
            waited = time.monotonic() - began - spent
            probe.waited[step.name] = probe.waited.get(step.name, 0.0) + waited
            probe.stages[step.name] = probe.stages.get(step.name, 0.0) + spent
            if step.name == "broker_acks":
                probe.count(batch)

        Pipeline._step = measured  # type: ignore[method-assign]  # to measure what runs, not a copy of it

    def count(self, batch: Batch) -> None:
        """Take what was acknowledged."""
        now = time.monotonic()
        self.batches += 1
        if self.first_ms is None:
            self.first_ms = batch.items[0].received.arrival_ms
        for item in batch.items:
            verdict = item.verdict
            name = " ".join(filter(None, (verdict.outcome, verdict.reason))) if verdict else "open"
            self.outcomes[name] = self.outcomes.get(name, 0) + 1
            if self._detail and item.frame is not None:
                self.acked.append((item.frame.device, item.frame.seq or 0, now))
        self.done += len(batch.items)
        if self.done >= self.frames and not self.finished.is_set():
            self.at = (time.time() * 1000, time.process_time())
            self.finished.set()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--detail", type=Path, help="write device, seq and time of each acknowledgement")
    arguments = parser.parse_args()
    config = configuration.load(arguments.config)
    prepare(config.metrics.dir, wipe=True)
    probe = Probe(arguments.frames, detail=arguments.detail is not None)
    probe.install()
    stop = threading.Event()
    failure: list[BaseException] = []

    def run() -> None:
        try:
            run_ingest(config, stop)
        except BaseException as error:
            failure.append(error)
            probe.finished.set()
            raise

    service = threading.Thread(target=run)
    began_cpu = time.process_time()
    service.start()
    probe.finished.wait()
    stop.set()
    service.join(60)
    if failure:
        sys.exit(1)
    say(json.dumps(_report(probe, began_cpu)))
    if arguments.detail is not None:
        lines = (f"{device} {seq} {at!r}\n" for device, seq, at in probe.acked)
        arguments.detail.write_text("".join(lines))


def _report(probe: Probe, began_cpu: float) -> dict[str, Any]:
    ended_ms, ended_cpu = probe.at
    return {
        "frames": probe.done,
        "batches": probe.batches,
        "outcomes": probe.outcomes,
        "first_ms": probe.first_ms or 0,
        "ended_ms": ended_ms,
        "wall_s": (ended_ms - (probe.first_ms or 0)) / 1000,
        "cpu_s": ended_cpu - began_cpu,
        "stages_cpu_s": probe.stages,
        "stages_waited_s": probe.waited,
        "rss_mb": peak_rss_mb(os.getpid()),
    }


if __name__ == "__main__":
    main()
