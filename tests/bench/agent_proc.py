"""What the kernel says of a running agent: processor time with its children's, memory, wakeups, bytes."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
OWN, CHILDREN = (11, 12), (13, 14)  # utime stime, cutime cstime, from the field after the name (proc(5))
HEADERS = 52  # IPv4, TCP and its timestamps, of every segment


def cpu_s(pid: int, which: tuple[int, ...]) -> float:
    """Return processor time in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(fields[index]) for index in which) / TICKS


def _number(text: str, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)
    return int(found[1]) if found else 0


def rss_kb(pid: int) -> int:
    """Return resident memory."""
    return _number(Path(f"/proc/{pid}/status").read_text(), "VmRSS")


def private_dirty_kb(pid: int) -> int:
    """Return the memory that nothing else could use, were this process not there."""
    return _number(Path(f"/proc/{pid}/smaps_rollup").read_text(), "Private_Dirty")


def wakeups(pid: int) -> int:
    """Return how often any thread has waited and was woken."""
    tasks = Path(f"/proc/{pid}/task").glob("*/status")
    return sum(_number(task.read_text(), "voluntary_ctxt_switches") for task in tasks)


def written(pid: int) -> int:
    """Return bytes that the process has sent to block devices (none for tmpfs)."""
    return _number(Path(f"/proc/{pid}/io").read_text(), "write_bytes")


@dataclass(frozen=True)
class Wire:
    """One connection, both ways, with the headers of IP and TCP; ``who`` changes when it is another one."""

    who: str
    octets: int


def wire(port: int) -> Wire:
    """Ask the kernel of the one connection to a port of loopback. Raises ValueError when there is not one."""
    query = ["ss", "-tinHO", "state", "established", f"( dport = :{port} )"]
    lines = subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines()
    if len(lines) != 1:
        raise ValueError(f"{len(lines)} connections to port {port}: {lines}")
    said = dict(re.findall(r"\b(bytes_sent|bytes_received|segs_out|segs_in):(\d+)", lines[0]))
    segments = int(said["segs_out"]) + int(said["segs_in"])
    octets = int(said.get("bytes_sent", 0)) + int(said.get("bytes_received", 0)) + HEADERS * segments
    return Wire(lines[0].split()[2], octets)


@dataclass
class Folder:
    """What changes in a folder, looked at now and then: bytes of every file that is new or was written to.

    A file that came and went between two looks still changes the folder's own time, which counts as one byte.
    """

    path: Path
    octets: int = 0
    _seen: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def look(self) -> None:
        """Compare with the look before; the first one only remembers."""
        now = {}
        for path in [self.path, *sorted(self.path.rglob("*"))]:
            try:
                found = path.stat()
            except OSError:
                continue
            now[str(path)] = (found.st_ino, found.st_mtime_ns, 1 if path.is_dir() else found.st_size)
        if self._seen:
            self.octets += sum(max(1, now[name][2]) for name in now if now[name] != self._seen.get(name))
        self._seen = now
