"""Where the pipeline's processor time goes: its stages in one process, with state and rules, no network.

The store prepares its lines and throws them away. ``--profile`` adds the functions that cost most.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from agent.wire import topics
from collector import config as configuration
from collector.build import _let_garbage_lie
from collector.clock import SystemClock
from collector.ingest.batch import Batch
from collector.ingest.lease import Leases
from collector.judge import Judge
from collector.log import Reporter
from collector.metrics import Metrics
from collector.model import Received
from collector.pipeline import Parts, stages
from collector.registry import Registry
from collector.storage.influx import InfluxStore
from collector.storage.state import open_engine
from tests.bench.load import FRAME_MS, Fleet, Message
from tests.bench.say import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Nobody:
    """A way back that leads nowhere."""

    def acknowledge(self, messages: Sequence[Received]) -> None:
        """Forget it."""

    def publish(self, shard: str, topic: str, payload: bytes) -> bool:
        """Forget it."""
        return bool(shard and topic and payload)


class Unsent(InfluxStore):
    """Makes the lines and does not send them."""

    def _post(self, bucket: str, lines: bytes) -> None:
        """Forget them."""

    def _refuse_the_broken(self) -> None:
        """Nobody was asked to keep anything."""


class Stages:
    """The pipeline in a folder, for a fleet."""

    def __init__(self, folder: Path, fleet: Fleet, turn: int) -> None:
        config = configuration.parse({}, folder)
        fleet.enrol(config.state_url())
        self._turn = turn
        self._clock = SystemClock()
        self._numbers = count(1)
        self.spent: dict[str, float] = {}
        metrics = Metrics(CollectorRegistry())
        reporter = Reporter("ingest", metrics)
        engine = open_engine(config.state_url())
        registry = Registry(engine, config.registry, reporter, self._clock)
        leases = Leases(engine, "bench", self._clock)
        leases.acquire(topics.SHARDS)
        store = Unsent(config.store, "none", self._clock)
        judge = Judge(registry, config, metrics)
        parts = Parts(
            config.ingest, bytes(32), engine, store, registry, judge, leases, Nobody(), metrics, reporter,
            self._clock,
        )  # fmt: skip
        self._steps = stages(parts)

    def run(self, messages: Iterable[Message]) -> int:
        """Take messages through the stages in batches of 500; return how many were stored."""
        waiting: dict[str, list[Message]] = {}
        for message in messages:
            waiting.setdefault(topics.parse(message.topic)[0], []).append(message)
        order: list[Message] = []
        while any(waiting.values()):
            for shard in waiting:
                order += waiting[shard][: self._turn]
                waiting[shard] = waiting[shard][self._turn :]
        return sum(self._batch(order[at : at + 500]) for at in range(0, len(order), 500))

    def _batch(self, messages: list[Message]) -> int:
        batch = Batch.of([self._received(message) for message in messages])
        for step in self._steps:
            began = time.thread_time()
            step(batch)
            self.spent[step.name] = self.spent.get(step.name, 0.0) + time.thread_time() - began
        return sum(item.verdict is not None and item.verdict.outcome == "stored" for item in batch.items)

    def _received(self, message: Message) -> Received:
        shard = topics.parse(message.topic)[0]
        number = next(self._numbers)
        return Received(shard, message.topic, message.frame, number, 1, self._clock.now_ms())


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.bench.stages", description=__doc__)
    parser.add_argument("--devices", type=int, default=256)
    parser.add_argument("--each", type=int, default=24, help="frames of each device")
    parser.add_argument(
        "--turn", type=int, default=500, help="frames of one shard in a row; 1: as live ones come"
    )
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    fleet = Fleet(arguments.devices)
    with tempfile.TemporaryDirectory(prefix="vigia-stages-") as folder:
        pipeline = Stages(Path(folder), fleet, arguments.turn)
        start_ms = time.time_ns() // 1_000_000 - (arguments.each + 1) * FRAME_MS
        pipeline.run(fleet.births())
        pipeline.run(fleet.data(1, start_ms))
        messages = list(fleet.data(arguments.each, start_ms + FRAME_MS))
        _let_garbage_lie()
        pipeline.spent.clear()
        profile = cProfile.Profile()
        if arguments.profile:
            profile.enable()
        stored = pipeline.run(messages)
        profile.disable()
    for name, spent in pipeline.spent.items():
        say(f"{name:12} {spent / stored * 1e6:7.1f} us a frame")
    say(f"{'all':12} {sum(pipeline.spent.values()) / stored * 1e6:7.1f} us a frame")
    if arguments.profile:
        pstats.Stats(profile, stream=sys.stdout).sort_stats("tottime").print_stats(40)


if __name__ == "__main__":
    main()
