"""What the agent costs: both interpreters, every reader, TLS up, frames signed and acknowledged.

    make bench-agent                    # python -m tests.bench.agent
    make bench-agent MINUTES=2

The readers get the recorded answers of ``ubus`` and ``swconfig``, a real upsd, and servers to probe; the
broker is Mosquitto. Figures are differences between two moments, both after the first frame; memory is the
highest seen.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench import agent_mips, agent_peers
from tests.bench.agent_world import World
from tests.bench.say import say
from tests.servers import programs
from tools import agent_bytecode

DAY_S = 86_400
SETTLE_S = 35.0  # the second data frame is on its way
HEAP = "304k"  # holds every reader where a word has 64 bits; 272k does not (docs/performance.md)


def parse(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="tests.bench.agent")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--settle-s", type=float, default=SETTLE_S)
    parser.add_argument("--heap", default=HEAP, help="of MicroPython, as its -X heapsize takes it")
    parser.add_argument("--no-mips", action="store_true", help="do not count instructions")
    parser.add_argument("--no-peers", action="store_true", help="leave collectd and Telegraf out")
    return parser.parse_args(words)


def commands(folder: Path, heap: str) -> dict[str, list[str]]:
    """Return how the agent starts on each interpreter."""
    micropython = programs.built("micropython", "micropython")
    start = str(folder / "bytecode" / "vigia-agent.py")
    return {
        "micropython": [micropython, "-X", f"heapsize={heap}", start],
        "cpython": [sys.executable, "-m", "agent"],
    }


def figures(world: World, before: dict[str, float], after: dict[str, float]) -> dict[str, Any]:
    """Return what an agent cost between two moments."""
    cost = {name: after[name] - before[name] for name in before}
    took_s = cost["at_s"]
    return {
        "rss_kb": world.rss_kb,
        "private_dirty_kb": world.private_dirty_kb,
        "cpu_percent": round(100 * (cost["own_cpu_s"] + cost["children_cpu_s"]) / took_s, 3),
        "own_cpu_percent": round(100 * cost["own_cpu_s"] / took_s, 3),
        "wakeups_per_s": round(cost["wakeups"] / took_s, 2),
        "wire_bytes_per_day": round(cost["wire"] / took_s * DAY_S),
        "flash_bytes_per_day": round(cost["written"] / took_s * DAY_S),
        "frames": cost["frames"],
        "seconds": round(took_s, 1),
    }


def measure(folder: Path, options: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run the agents side by side, and the peers after them; return the figures of both."""
    starts = commands(folder, options.heap)
    with contextlib.ExitStack() as stack:
        worlds = [
            stack.enter_context(World(name, folder / name, command, number))
            for number, (name, command) in enumerate(starts.items(), 1)
        ]
        peers = [] if options.no_peers else agent_peers.start(stack, folder, worlds[0])
        _watch(worlds, options.settle_s)
        for world in worlds:
            world.rss_kb = world.private_dirty_kb = 0
        before = [world.counters() for world in worlds]
        peers_before = [peer.counters() for peer in peers]
        _watch(worlds, options.minutes * 60)
        found = {
            world.name: figures(world, start, world.counters())
            for world, start in zip(worlds, before, strict=True)
        }
        for world in worlds:
            found[world.name]["reader_failures"] = world.failures()
            found[world.name]["heap_free_least"] = min(world.told("agent", "heap_free"), default=0)
            found[world.name]["link_losses"] = world.log().count("link_lost")
        beside = {peer.name: peer.figures(start) for peer, start in zip(peers, peers_before, strict=True)}
        if not options.no_mips:
            percent = agent_mips.measure(folder / "mips", folder / "bytecode", options.settle_s, say)
            found["micropython"]["mips_24kc_cpu_percent_est"] = percent
    return found, beside


def _watch(worlds: list[World], seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for world in worlds:
            world.look()
        time.sleep(min(1.0, max(0.0, end - time.monotonic())))


def run(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Measure everything; return the last line."""
    bytecode = agent_bytecode.make(folder / "bytecode")
    found, beside = measure(folder, options)
    for name, values in found.items():
        say(f"{name}: {json.dumps(values)}")
    return summary(found, beside, bytecode)


def summary(found: dict[str, Any], beside: dict[str, Any], bytecode: int) -> dict[str, Any]:
    """Return the figures that the last line promises."""
    keys = ("rss_kb", "private_dirty_kb", "cpu_percent", "wakeups_per_s")
    last: dict[str, Any] = {name: {key: values[key] for key in keys} for name, values in found.items()}
    last["micropython"]["mips_24kc_cpu_percent_est"] = found["micropython"].get("mips_24kc_cpu_percent_est")
    last["bytecode_bytes"] = bytecode
    for key in ("wire_bytes_per_day", "flash_bytes_per_day"):
        last[key] = max(values[key] for values in found.values())
    last["peers"] = beside
    return last


def main(words: list[str]) -> None:
    """Measure in a folder of its own and print."""
    options = parse(words)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    say(f"{machine}, heapsize={options.heap}, load {os.getloadavg()[0]:.1f}")
    folder = Path(tempfile.mkdtemp(prefix="vigia-bench-agent-", dir="/var/tmp"))  # on a disk
    try:
        last = run(folder, options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    say(f"load {os.getloadavg()[0]:.1f}")
    say(json.dumps(last))


if __name__ == "__main__":
    main(sys.argv[1:])
