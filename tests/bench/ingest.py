"""`make bench-ingest`: how fast the production ingest drains a queue into InfluxDB, and what it costs.

N signed frames wait in the ingest's persistent sessions of a real Mosquitto; `tests/bench/drain.py` is the
collector's own ingest with nothing switched off. With ``--telegraf`` the same points go as unsigned line
protocol through Telegraf into the same InfluxDB, in interleaved pairs. The last line is a JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from agent.wire import topics
from tests.bench import stored
from tests.bench.load import FIELDS, FRAME_MS, POINTS, SAMPLES_MS, Fleet, Message
from tests.bench.rig import Rig
from tests.bench.say import say
from tests.bench.telegraf import TOPIC, Ran, Telegraf

AGE_MS = 20 * 60_000  # of the oldest frame that waits: an ingest that was away for a while


@dataclass(slots=True)
class Results:
    """Runs of the ingest and of Telegraf."""

    ours: list[dict[str, Any]] = field(default_factory=list)
    theirs: list[Ran] = field(default_factory=list)
    p99_ms: float | None = None


class Bench:
    """One fleet, one set of servers."""

    def __init__(self, folder: Path, *, devices: int, cores: int, workers: int = 1) -> None:
        self.workers = workers
        self.fleet = Fleet(devices)
        self.rig = Rig(folder, cores)
        self.influx = None
        self.feeder: Any = None

    def start(self) -> None:
        """Start the servers, let the ingest make its sessions and hear every device once."""
        self.rig.start()
        self.feeder = self.rig.feeder()
        config = self.rig.configure(self.rig.bucket())
        self.fleet.enrol(f"sqlite:///{self.rig.folder / 'vigia.db'}")
        process = self.spawn(config, 2 * len(self.fleet.devices))
        self.wait_online()
        first = [*self.fleet.births(), *self.fleet.data(1, self.now_ms() - AGE_MS - FRAME_MS)]
        self.feeder.feed((message.topic, message.frame) for message in first)
        self.result(process)

    def stop(self) -> None:
        """Stop everything."""
        if self.feeder is not None:
            self.feeder.close()
        self.rig.stop()

    def wait_online(self) -> None:
        """Return when the ingest serves every shard that has a device."""
        shards = {topics.shard_of(device.site) for device in self.fleet.devices}
        self.feeder.wait_online(shards)

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def spawn(self, config: Path, frames: int, *more: str) -> subprocess.Popen[bytes]:
        """Start the ingest on the servers' cores; it ends after so many messages."""
        command = [sys.executable, "-m", "tests.bench.drain", str(config), "--frames", str(frames), *more]
        # an installed program has its bytecode; here the first process, which is not measured, leaves it
        wanted = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(self.rig.folder / "bytecode")}
        log = (self.rig.folder / "ingest.log").open("ab")
        with self.rig.on_cores(), log:
            return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=os.environ | wanted)

    def result(self, process: subprocess.Popen[bytes]) -> dict[str, Any]:
        """Wait for its end and return what it says."""
        try:
            out, _ = process.communicate(timeout=600)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        if process.returncode:
            raise RuntimeError((self.rig.folder / "ingest.log").read_text()[-3000:])
        found: dict[str, Any] = json.loads(out.decode().splitlines()[-1])
        return found

    def backlog(self, frames: int) -> list[Message]:
        """Seal what will wait."""
        each = -(-frames // len(self.fleet.devices))
        return list(self.fleet.data(each, self.now_ms() - each * FRAME_MS))[:frames]

    def drain(self, messages: list[Message]) -> tuple[dict[str, Any], stored.Series]:
        """Queue frames, let the ingest take them, and return how it went and what is stored."""
        influx = self.rig.bucket()
        self.feeder.feed((message.topic, message.frame) for message in messages)
        waiting = Counter(topics.parse(message.topic)[0] for message in messages)
        before = self.rig.servers_cpu_s()
        processes = [
            self.spawn(self.rig.configure(influx, shards), sum(waiting[shard] for shard in shards))
            for shards in self.shares(sorted(waiting))
        ]
        found = together([self.result(process) for process in processes])
        found["servers_cpu_s"] = self.rig.servers_cpu_s() - before
        return found, self.series(influx)

    def shares(self, shards: list[str]) -> list[str]:
        """Divide shards among the workers."""
        shares = ["".join(shards[number :: self.workers]) for number in range(self.workers)]
        return [share for share in shares if share]

    def drain_lines(self, telegraf: Telegraf, messages: list[Message]) -> tuple[Ran, stored.Series]:
        """Let Telegraf do the same."""
        influx = self.rig.bucket()
        self.feeder.feed((f"{TOPIC}/{message.device}", message.lines) for message in messages)
        ran = telegraf.drain(influx)
        return ran, self.series(influx)

    def series(self, influx: Any) -> stored.Series:
        return stored.series(self.rig.influx.url, self.rig.influx.token, influx)

    def live(self, rate: float, seconds: float) -> float:
        """Publish at a steady rate; return the 99th percentile from publishing to stored and acked, in ms."""
        size = len(self.fleet.devices)
        each = max(1, round(rate * seconds / size))
        messages = list(self.fleet.data(each, self.now_ms() - each * FRAME_MS))
        detail = self.rig.folder / "detail.txt"
        config = self.rig.configure(self.rig.bucket())
        process = self.spawn(config, len(messages), "--detail", str(detail))
        self.wait_online()
        sent: dict[tuple[str, int], float] = {}
        began = time.monotonic()
        for number, message in enumerate(messages):
            pause = began + number / rate - time.monotonic()
            if pause > 0:
                time.sleep(pause)
            sent[message.device, message.seq] = time.monotonic()
            self.feeder.publish(message.topic, message.frame)
        self.result(process)
        return percentile([at - sent[key] for key, at in read_detail(detail) if key in sent], 0.99) * 1000


def together(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Add up what the workers say."""
    whole = dict(parts[0])
    for part in parts[1:]:
        for name in ("frames", "batches", "cpu_s", "rss_mb"):
            whole[name] += part[name]
        for name in ("outcomes", "stages_cpu_s", "stages_waited_s"):
            whole[name] = dict(Counter(whole[name]) + Counter(part[name]))
        whole["first_ms"] = min(whole["first_ms"], part["first_ms"])
        whole["ended_ms"] = max(whole["ended_ms"], part["ended_ms"])
    return whole | {"wall_s": (whole["ended_ms"] - whole["first_ms"]) / 1000}


def read_detail(path: Path) -> list[tuple[tuple[str, int], float]]:
    """Return (device, seq) and time of every acknowledgement."""
    rows = (line.split() for line in path.read_text().splitlines())
    return [((device, int(seq)), float(at)) for device, seq, at in rows]


def percentile(values: list[float], share: float) -> float:
    """Return the value that a share of all are not above."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def measure(bench: Bench, arguments: argparse.Namespace) -> Results:
    """Run the pairs and the half rate."""
    results = Results()
    telegraf = Telegraf(arguments.telegraf, bench.rig) if arguments.telegraf else None
    if telegraf is not None:
        influx = bench.rig.bucket()
        say(telegraf.config(influx))
        telegraf.subscribe(influx)
    for pair in range(arguments.pairs):
        messages = bench.backlog(arguments.frames)
        found, mine = bench.drain(messages)
        check(found, mine, messages)
        results.ours.append(found)
        say(f"ingest   {describe(found)}")
        if telegraf is not None:
            ran, others = bench.drain_lines(telegraf, messages)
            if others != mine:
                raise RuntimeError(f"pair {pair}: {stored.values(mine)} and {stored.values(others)} values")
            results.theirs.append(ran)
            rate = len(messages) / ran.wall_s
            say(f"telegraf {rate:7.0f} frames/s {ran.cpu_s:6.2f} CPU s {ran.rss_mb:6.0f} MB")
    rate = median(found["frames"] / found["wall_s"] for found in results.ours)
    results.p99_ms = bench.live(rate / 2, arguments.live_s) if arguments.live_s else None
    return results


def check(found: dict[str, Any], series: stored.Series, messages: list[Message]) -> None:
    """Everything that was queued is stored, once."""
    if found["outcomes"] != {"stored": len(messages)}:
        raise RuntimeError(f"outcomes: {found['outcomes']}")
    sent = len(messages) * len(SAMPLES_MS) * FIELDS
    if stored.values(series) != sent:
        raise RuntimeError(f"{stored.values(series)} values stored, {sent} sent")


def describe(found: dict[str, Any]) -> str:
    rate = found["frames"] / found["wall_s"]
    ours = f"{rate:7.0f} frames/s {found['cpu_s']:6.2f} CPU s {found['rss_mb']:6.0f} MB"
    return f"{ours}, broker and database {found['servers_cpu_s']:.2f} CPU s"


def stages(results: Results) -> dict[str, float]:
    """Return the median CPU seconds per 10,000 frames of every stage; what is not in a stage is the rest."""
    names = results.ours[0]["stages_cpu_s"]
    each = [
        {name: found["stages_cpu_s"][name] / found["frames"] * 10_000 for name in names}
        | {"network, ticks": (found["cpu_s"] - sum(found["stages_cpu_s"].values())) / found["frames"] * 1e4}
        for found in results.ours
    ]
    return {name: median(run[name] for run in each) for name in each[0]}


def summary(results: Results) -> dict[str, float | None]:
    """Return the medians, under the names of the last line."""
    ours, theirs = results.ours, results.theirs
    frames_per_s = median(found["frames"] / found["wall_s"] for found in ours)
    cpu = median(found["cpu_s"] / found["frames"] * 10_000 for found in ours)
    without = median(
        (found["cpu_s"] - found["stages_cpu_s"]["verify"]) / found["frames"] * 10_000 for found in ours
    )
    rss = median(found["rss_mb"] for found in ours)
    ratios: dict[str, float | None] = dict.fromkeys(
        ("ratio_frames", "ratio_cpu", "ratio_cpu_without_verify", "ratio_rss")
    )
    if theirs:
        frames = ours[0]["frames"]
        their_cpu = median(ran.cpu_s for ran in theirs) / frames * 10_000
        ratios["ratio_frames"] = frames_per_s / median(frames / ran.wall_s for ran in theirs)
        ratios["ratio_cpu"] = cpu / their_cpu
        ratios["ratio_cpu_without_verify"] = without / their_cpu
        ratios["ratio_rss"] = rss / median(ran.rss_mb for ran in theirs)
    figures = {
        "frames_per_s": frames_per_s, "points_per_s": frames_per_s * POINTS, "cpu_s_per_10k": cpu,
        "cpu_s_per_10k_without_verify": without, "rss_mb": rss, "p99_ms_at_half_rate": results.p99_ms,
    }  # fmt: skip
    return {name: value if value is None else round(value, 3) for name, value in (figures | ratios).items()}


def parse(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.bench.ingest", description=__doc__)
    parser.add_argument("--frames", type=int, default=30_000)
    parser.add_argument("--devices", type=int, default=1_000, help="each with a key of its own")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--cores", type=int, default=2, help="for broker, database and ingest together")
    parser.add_argument("--workers", type=int, default=1, help="processes that share the shards")
    parser.add_argument("--live-s", type=float, default=10.0, help="seconds at half the rate")
    parser.add_argument("--telegraf", type=Path, help="a Telegraf to compare with")
    return parser.parse_args(words)


def run(folder: Path, arguments: argparse.Namespace) -> Results:
    """Measure in a folder."""
    bench = Bench(folder, devices=arguments.devices, cores=arguments.cores, workers=arguments.workers)
    try:
        bench.start()
        return measure(bench, arguments)
    finally:
        bench.stop()


def main() -> None:
    arguments = parse()
    with tempfile.TemporaryDirectory(prefix="vigia-bench-") as folder:
        results = run(Path(folder), arguments)
    say("CPU seconds per 10,000 frames:")
    for name, spent in stages(results).items():
        say(f"  {name:16} {spent:6.3f}")
    say(json.dumps(summary(results)))


if __name__ == "__main__":
    main()
