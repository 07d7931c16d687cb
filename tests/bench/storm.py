"""`make bench-storm`: a region comes back; its backlog arrives while other devices go on speaking.

Every returning device follows the agent's own rules: it comes back at random within ``--spread-s``, sends a
burst of its backlog and then frame after frame at the agent's rate. Measured is how long a live frame takes
from publishing to stored and acknowledged. The last line is a JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.outbox import BACKLOG_BURST, BACKLOG_EVERY_MS
from tests.bench.ingest import Bench, percentile, read_detail
from tests.bench.load import FRAME_MS, BenchDevice, Message, sample, seal
from tests.bench.say import say

if TYPE_CHECKING:
    from tests.bench.rig import Feeder

LIVE_DEVICES = 200
LIVE_PER_S = 100.0
LEAD_S = 2.0  # of live frames before the storm


@dataclass(frozen=True, slots=True)
class Storm:
    """What came of it; ``arrived_s``: until the devices had sent all, ``settled_s``: until all was stored."""

    backlog: int
    devices: int
    live_frames: int
    live_p50_ms: float
    live_p99_ms: float
    live_max_ms: float
    arrived_s: float
    settled_s: float
    stored: int
    batches: int
    cpu_s_per_10k: float
    rss_mb: float


Plan = list[tuple[float, Message]]


def backlog(devices: list[BenchDevice], frames: int, spread_s: float, now_ms: int) -> Plan:
    """Seal the backlog; seconds after the storm's begin, by the agent's rules."""
    dice = random.Random(2)  # noqa: S311 - the same storm every time
    plan: Plan = []
    each = frames // len(devices)
    for device in devices:
        back = dice.uniform(0, spread_s)
        for number in range(each):
            at = back + max(0, number - BACKLOG_BURST + 1) * BACKLOG_EVERY_MS / 1000
            wall_ms = now_ms - (each - number) * FRAME_MS
            plan.append((at, seal(device, "data", wall_ms, tables=sample(device.random))))
    return sorted(plan, key=lambda entry: entry[0])


def live(devices: list[BenchDevice], frames: int, now_ms: int) -> Plan:
    """Seal live frames at a steady rate."""
    plan = []
    for number in range(frames):
        at, device = number / LIVE_PER_S, devices[number % len(devices)]
        plan.append((at, seal(device, "data", now_ms + round(at * 1000), tables=sample(device.random))))
    return plan


def send(feeder: Feeder, plan: Plan, sent: dict[tuple[str, int], float]) -> None:
    """Publish as planned; note when."""
    began = time.monotonic()
    for at, message in plan:
        pause = began + at - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        sent[message.device, message.seq] = time.monotonic()
        feeder.publish(message.topic, message.frame)


def run(folder: Path, arguments: argparse.Namespace) -> Storm:
    """Measure in a folder."""
    bench = Bench(folder, devices=arguments.devices + LIVE_DEVICES, cores=arguments.cores)
    try:
        bench.start()
        return measure(bench, arguments)
    finally:
        bench.stop()


def measure(bench: Bench, arguments: argparse.Namespace) -> Storm:
    """Let the storm come and go."""
    devices = bench.fleet.devices
    back = backlog(devices[LIVE_DEVICES:], arguments.backlog, arguments.spread_s, bench.now_ms())
    frames = round((LEAD_S + back[-1][0] + arguments.after_s) * LIVE_PER_S)
    spoken = live(devices[:LIVE_DEVICES], frames, bench.now_ms())
    detail = bench.rig.folder / "detail.txt"
    config = bench.rig.configure(bench.rig.bucket())
    process = bench.spawn(config, len(back) + len(spoken), "--detail", str(detail))
    bench.wait_online()
    other = bench.rig.feeder(1)
    sent: dict[tuple[str, int], float] = {}
    stormed: dict[tuple[str, int], float] = {}
    thread = threading.Thread(target=send, args=(other, spoken, sent))
    thread.start()
    time.sleep(LEAD_S)
    send(bench.feeder, back, stormed)
    thread.join()
    found = bench.result(process)
    other.close()
    acked = dict(read_detail(detail))
    delays = [(acked[key] - at) * 1000 for key, at in sent.items()]
    began = min(stormed.values())
    return Storm(
        backlog=len(back),
        devices=arguments.devices,
        live_frames=len(spoken),
        live_p50_ms=round(percentile(delays, 0.5), 1),
        live_p99_ms=round(percentile(delays, 0.99), 1),
        live_max_ms=round(max(delays), 1),
        arrived_s=round(max(stormed.values()) - began, 1),
        settled_s=round(max(acked[key] for key in stormed) - began, 1),
        stored=found["outcomes"].get("stored", 0),
        batches=found["batches"],
        cpu_s_per_10k=round(found["cpu_s"] / found["frames"] * 10_000, 2),
        rss_mb=round(found["rss_mb"], 1),
    )


def parse(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.bench.storm", description=__doc__)
    parser.add_argument("--backlog", type=int, default=40_000)
    parser.add_argument("--devices", type=int, default=1_000)
    parser.add_argument("--spread-s", type=float, default=30.0, help="devices return at random within")
    parser.add_argument("--after-s", type=float, default=5.0, help="seconds of live frames after the storm")
    parser.add_argument("--cores", type=int, default=2, help="for broker, database and ingest together")
    return parser.parse_args(words)


def main() -> None:
    arguments = parse()
    with tempfile.TemporaryDirectory(prefix="vigia-storm-") as folder:
        say(json.dumps(asdict(run(Path(folder), arguments))))


if __name__ == "__main__":
    main()
