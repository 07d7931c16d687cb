"""The instruments: journal, disks, slow lines."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

import pytest

from simulators.chaos import journal
from simulators.chaos.disk import Disk
from simulators.chaos.link import SlowLink

# the first write beyond a limit is cut short, the next one fails
GROW = """
import sys
with open(sys.argv[1], "ab", buffering=0) as file:
    sys.stdin.read(1)
    for _ in range(2):
        file.write(bytes(1 << 20))
"""


def test_a_journal_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "journal"
    notes = journal.Journal(path)
    notes.note("boot", "aa", "kernel", 1, 0, {})
    for seq in range(2):
        notes.note("sealing", "aa", seq, "data", f"digest{seq}", [seq], 5)
    notes.note("kept", "aa", 0)
    notes.note("outcome", "aa", 0, "stored")
    notes.note("flash", [["aa", 1]])
    notes.note("torn", 7)
    notes.note("boot", "bb", "other", 2, 1, {"torn_bytes": 7})
    notes.note("drained")

    account = journal.read(path, "dev")
    assert account.sealed["aa", 0] == journal.Sealed("data", "digest0", (0,), 5, kept=True)
    assert account.sealed["aa", 1].kept is False
    assert account.outcomes == {("aa", 0): {"stored"}}
    assert account.on_flash == {("aa", 1)}
    assert [(boot.incarnation, boot.torn) for boot in account.boots] == [("aa", 0), ("bb", 7)]
    assert (account.drained, account.twice) == (1, [])


def test_a_frame_sealed_anew_under_the_same_name_is_noticed(tmp_path):
    notes = journal.Journal(tmp_path / "journal")
    for digest in ("one", "other"):
        notes.note("sealing", "aa", 0, "data", digest, [], 5)
    assert journal.read(tmp_path / "journal", "dev").twice == [("aa", 0)]


def test_a_full_disk_takes_nothing_more_until_it_is_freed(tmp_path, monkeypatch):
    monkeypatch.setattr("simulators.chaos.disk.shutil.which", lambda _name: None)  # as without root
    disk = Disk(tmp_path / "disk", size_mib=1)
    disk.open()
    assert disk.kind == "limit"
    ends = [_grow(disk, full=full) for full in (True, False)]
    disk.close()
    assert ["File too large" in said for said in ends] == [True, False]


def _grow(disk: Disk, *, full: bool) -> str:
    """Let a process write a MiB to the disk, and return what it says."""
    command = [sys.executable, "-c", GROW, str(disk.folder / f"file{full}")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        disk.fill(process.pid)
        if not full:
            disk.free()
        return process.communicate("x", timeout=60)[1]


@pytest.mark.parametrize("delay_s", [0.0, 0.15])
def test_a_slow_line_delays_both_ways(delay_s):
    async def echo(reader, writer):
        writer.write(await reader.readexactly(4))
        await writer.drain()
        writer.close()

    async def main() -> tuple[bytes, float]:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        link = SlowLink("127.0.0.1", server.sockets[0].getsockname()[1])
        link.delay_s = delay_s
        await link.open()
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        started = time.monotonic()
        writer.write(b"ping")
        answer = await reader.readexactly(4)
        took_s = time.monotonic() - started
        writer.close()
        await link.close()
        server.close()
        return answer, took_s

    answer, took_s = asyncio.run(main())
    assert answer == b"ping"
    assert took_s >= 2 * delay_s
