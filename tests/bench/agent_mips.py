"""Instructions of one report on a big-endian MIPS, counted by qemu-user, and what they are to a router.

qemu's user mode has no counter. With ``-d in_asm,exec,nochain`` it writes the instructions of each block that
it translates, and a line whenever a block runs, some 3 million instructions a second (a line per instruction,
``-singlestep``, is 4 times slower). The difference of two reports and of one is a report without the start.
Commands that readers run are not counted.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers import programs
from tools import agent_bytecode

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.agent_world import World

TURNS = Path(__file__).with_name("agent_turns.py")
START = Path(__file__).with_name("agent_turns_start.py")
REPORT_S = 30
HERTZ = 580e6
CYCLES = 1.5  # per instruction of a 24Kc, single issue, caches of 32 KiB: an assumption, not a measurement
HEAP = "1M"  # this build cannot mount the image of the bytecode, which is on the heap then
LIMIT_S = 1200
# a block begins with "IN:", its instructions with their address; "Trace 0: host [base/address/..." runs it
COUNT = """
/^IN:/ { count = 0; next }
/^0x/ { if (!count) { name = substr($1, 3); sub(/:$/, "", name) } size[name] = ++count; next }
/^Trace/ { split($0, part, "/"); total += size[part[2]] }
END { printf "%.0f\\n", total }
"""


def instructions(world: World, bytecode: Path, reports: int) -> int:
    """Return how many instructions so many reports take, with the start."""
    emulator = programs.packaged("qemu-mips-static", "qemu-user-static")
    log = world.ram / f"instructions-{reports}"
    os.mkfifo(log)
    command = [
        emulator, "-d", "in_asm,exec,nochain", "-D", str(log),
        programs.built("micropython-mips", "servers"), "-X", f"heapsize={HEAP}",
        str(START), str(bytecode), str(world.config), str(reports),
    ]  # fmt: skip
    with subprocess.Popen(["awk", COUNT, str(log)], stdout=subprocess.PIPE, text=True) as counter:
        try:
            subprocess.run(command, env=world.environment, check=True, timeout=LIMIT_S)
        except BaseException:
            counter.kill()
            raise
        return int(counter.communicate()[0])


def measure(world: World, bytecode: Path, say: Callable[[str], None]) -> float | None:
    """Return the estimate of a 24Kc's processor time in percent, None when counting took too long."""
    agent_bytecode.make(bytecode, beside=[TURNS])
    try:
        once, twice = (instructions(world, bytecode, reports) for reports in (1, 2))
    except subprocess.TimeoutExpired:
        say(f"MIPS: not counted within {LIMIT_S} s")
        return None
    report = twice - once
    percent = round(100 * report * CYCLES / HERTZ / REPORT_S, 2)
    say(f"MIPS: {report:,} instructions a report, {once - report:,} to start; at {CYCLES} cycles {percent} %")
    return percent
