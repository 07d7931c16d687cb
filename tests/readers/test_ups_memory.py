"""A long list of variables fits a small heap: it is read line by line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.servers.ports import free_port

pytestmark = pytest.mark.server
ROOT = Path(__file__).parents[2]
VARIABLES = 150

PROGRAM = """
import asyncio, gc, sys
from agent.readers import ups_sane
from agent.readers.ups import Ups
from agent.readers.upsd_client import UpsdClient
from tests.cases.still import Clock

async def answer(reader, writer):
    while await reader.readline():
        writer.write(b"BEGIN LIST VAR sai\\n")
        for n in range(int(sys.argv[2])):
            writer.write(b'VAR sai outlet.%d.desc "Toma de corriente numero %d de la regleta"\\n' % (n, n))
            await writer.drain()
        writer.write(b'VAR sai ups.status "OL"\\nEND LIST VAR sai\\n')
        await writer.drain()

async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", int(sys.argv[1]))
    reader = Ups(Clock(), 1, 2000, UpsdClient("127.0.0.1", int(sys.argv[1])), ["sai"])
    await reader.read()
    gc.collect()
    base, worst, taken, original = gc.mem_alloc(), 0, 0, ups_sane.Heard.take

    def take(self, name, text):
        nonlocal worst, taken
        original(self, name, text)
        gc.collect()
        worst, taken = max(worst, gc.mem_alloc() - base), taken + 1

    ups_sane.Heard.take = take
    rows = await reader.read()
    print(taken, rows[0][2]["ol"], worst)

asyncio.run(main())
"""


def test_what_a_long_list_takes_at_once(micropython_bin: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [micropython_bin, "-X", "heapsize=256k", str(program), str(free_port()), str(VARIABLES)],
        env={"MICROPYPATH": f"{ROOT}:.frozen"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    taken, on_line, worst = (int(word) for word in done.stdout.split())
    assert (taken, on_line) == (VARIABLES + 1, 1)
    assert worst < 20_000
