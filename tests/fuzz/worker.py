"""One fuzzing process: an engine that makes inputs, the target that takes them, and a record of both.

``atheris`` guides by coverage (libFuzzer); ``plain`` mutates at random and needs nothing but Python. A
failure is kept under ``crashes`` and the fuzzing goes on; one that kills the process ends it.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import random
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fuzz.target import Target

MODULES = (
    "agent.wire.cbor", "agent.wire.cose", "agent.wire.errors", "agent.wire.fields", "agent.wire.frame",
    "agent.wire.intervals", "agent.wire.mac", "agent.wire.p256", "agent.wire.topics",
    "collector.ingest.admit", "collector.ingest.plans", "collector.ingest.tables", "collector.ingest.verify",
)  # fmt: skip
MAX_LEN = 480
HANG_S = 60
_RECORD_EVERY = 250  # executions; what a killed process made after that does not count
_KEPT = 400  # inputs that the plain engine goes on from


class Recorder:
    """Runs inputs, keeps what fails, writes the figures of the run beside it."""

    def __init__(self, target: Target, folder: Path) -> None:
        self._target = target
        self._folder = folder
        self._crashes: Counter[str] = Counter()
        self._started = time.monotonic()
        (folder / "crashes").mkdir(parents=True, exist_ok=True)

    def __call__(self, data: bytes) -> None:
        """One execution."""
        try:
            self._target.run(data)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            self._keep(data, error)
        if self._target.tally.executions % _RECORD_EVERY == 0:
            self.write()

    def _keep(self, data: bytes, error: Exception) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{type(error).__name__} {Path(frames[-1].filename).name}:{frames[-1].lineno} {error!s:.120}"
        self._crashes[place] += 1
        if self._crashes[place] == 1:
            name = hashlib.sha256(data).hexdigest()[:16]
            (self._folder / "crashes" / name).write_bytes(data)
            history = "\n".join(before.hex() for before in self._target.history(data))
            (self._folder / "crashes" / f"{name}.before").write_text(history, encoding="ascii")
            sys.stderr.write(f"CRASH {name}: {place}\n")

    def write(self) -> None:
        """Write the figures."""
        figures = vars(self._target.tally) | {
            "crashes": dict(self._crashes),
            "seconds": time.monotonic() - self._started,
        }
        stale = self._folder / "tally.tmp"
        stale.write_text(json.dumps(figures), encoding="utf-8")
        stale.replace(self._folder / "tally.json")


def plain(runs: int, seconds: float, seed: int, execute: Callable[[bytes], Any], seeds: list[bytes]) -> None:
    """Mutate at random; ``execute`` takes every input."""
    from tests.fuzz.mutate import mutated

    rng = random.Random(seed)  # noqa: S311 - chance, not secrecy
    pool = list(seeds)
    end = time.monotonic() + (seconds or float("inf"))
    for number in range(runs or sys.maxsize):
        fresh = number < len(seeds)
        data = seeds[number] if fresh else mutated(rng.choice(pool), MAX_LEN, rng.getrandbits(32))
        execute(data)
        if rng.random() < 0.05:
            pool[len(seeds) :] = [*pool[len(seeds) :], data][-_KEPT:]
        if time.monotonic() >= end:
            break


def atheris(options: argparse.Namespace) -> None:
    """Hand the process over to libFuzzer, which ends it."""
    engine = importlib.import_module("atheris")  # publishes no types

    with engine.instrument_imports(include=list(MODULES)):
        from tests.fuzz.target import Target
    from tests.fuzz.mutate import mutated

    recorder = Recorder(Target(), options.folder)

    def mutator(data: bytes, limit: int, seed: int) -> bytes:
        return mutated(data, limit, seed, engine.Mutate)

    corpus = options.folder / "corpus"
    corpus.mkdir(exist_ok=True)
    arguments = [
        sys.argv[0], f"-runs={options.runs or -1}", f"-max_total_time={int(options.seconds)}",
        f"-seed={options.seed}", f"-max_len={options.max_len}", "-len_control=0", f"-timeout={HANG_S}",
        "-rss_limit_mb=2048",
        f"-artifact_prefix={options.folder}/crashes/", "-print_final_stats=1", "-verbosity=1",
        str(corpus), str(options.seeds),
    ]  # fmt: skip
    engine.Setup(arguments, recorder, custom_mutator=mutator)
    engine.Fuzz()


def main() -> None:
    """Run one worker; ``tests.fuzz`` starts it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", choices=("atheris", "plain"), required=True)
    parser.add_argument("--runs", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--max-len", type=int, default=MAX_LEN, help="bytes of an input")
    parser.add_argument("--seeds", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.engine == "atheris":
        atheris(options)
        return
    from tests.fuzz.target import Target

    recorder = Recorder(Target(), options.folder)
    seeds = [path.read_bytes() for path in sorted(options.seeds.iterdir()) if path.is_file()]
    plain(options.runs, options.seconds, options.seed, recorder, seeds)
    recorder.write()


if __name__ == "__main__":
    main()
