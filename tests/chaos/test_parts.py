"""The instruments: journal, disks, slow lines."""

from __future__ import annotations

import subprocess
import sys

from simulators.chaos import journal
from simulators.chaos.disk import Disk

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
