"""Instructions of the whole agent on a big-endian MIPS, counted by qemu-user, and what they are to a router.

The agent runs as on a router, in real time, with every reader, TLS and the loop; qemu's plugin in
instructions.c adds the size of each translated block to a counter in a file whenever the block runs, at full
speed. Commands that readers run, and what the kernel does for system calls, are not counted.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.agent_world import World
from tests.bench.say import say as tell
from tests.servers import programs
from tools import agent_bytecode

if TYPE_CHECKING:
    from collections.abc import Callable

PLUGIN = Path(__file__).with_name("instructions.c")
UNPACK = Path(__file__).parents[2] / "tools" / "unpack-qemu.sh"
REPORT_S = 30
REPORTS = 4
HERTZ = 580e6
CYCLES = 1.5  # per instruction of a 24Kc, single issue, caches of 32 KiB: an assumption, not a measurement
HEAP = "1M"  # this build cannot mount the image of the bytecode, which is on the heap then
NUMBER = 9  # of the world: its DNS server has an address of its own


class Counter:
    """The file that the plugin counts into."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "instructions"
        self._file.write_bytes(bytes(8))
        self._plugin = folder / "instructions.so"
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", self._plugin, PLUGIN], check=True)

    def emulator(self, machine: str) -> list[str]:
        """Return the command that runs another machine's program and counts."""
        subprocess.run([UNPACK], check=True)
        qemu = programs.CACHE / "qemu" / "usr"
        libraries = next((qemu / "lib").glob("*-linux-gnu"))
        return [
            "/usr/bin/env", f"LD_LIBRARY_PATH={libraries}",
            str(qemu / "bin" / f"qemu-{machine}"), "-plugin", f"{self._plugin},path={self._file}",
        ]  # fmt: skip

    def now(self) -> int:
        """Return how many instructions have run."""
        return int.from_bytes(self._file.read_bytes(), "little")


def measure(folder: Path, bytecode: Path, settle_s: float, say: Callable[[str], None]) -> float:
    """Return the estimate of a 24Kc's processor time in percent."""
    folder.mkdir()
    counter = Counter(folder)
    start = [*counter.emulator("mips"), programs.built("micropython-mips", "servers")]
    command = [*start, "-X", f"heapsize={HEAP}", str(bytecode / "vigia-agent.py")]
    with World("mips", folder / "world", command, NUMBER) as world:
        started = counter.now()
        time.sleep(settle_s)
        before, began = counter.now(), time.monotonic()
        time.sleep(REPORTS * REPORT_S)
        per_s = (counter.now() - before) / (time.monotonic() - began)
        world.look()
        failures = world.failures()
    percent = round(100 * per_s * CYCLES / HERTZ, 2)
    say(
        f"MIPS: {per_s * REPORT_S:,.0f} instructions a report, {started:,} to the first frame; "
        f"at {CYCLES} cycles each {percent} % of {HERTZ / 1e6:.0f} MHz; failures {failures}"
    )
    return percent


def main() -> None:
    """Count alone."""
    folder = Path(tempfile.mkdtemp(prefix="vigia-bench-mips-", dir="/var/tmp"))
    try:
        agent_bytecode.make(folder / "bytecode")
        measure(folder / "mips", folder / "bytecode", 35.0, tell)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
