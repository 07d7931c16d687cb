"""Distinct clients of a day, per access point and of the whole device, without keeping any address.

An address is hashed together with a key that is drawn anew every day and then thrown away; the hashes go
into sketches (agent.readers.hyperloglog) and are not kept either. A day ends at local midnight, which a
configured offset from UTC gives; while the clock is not synchronised, after 24 hours of uptime. Key and
sketches survive a restart of the process in a file in memory, and are never written to a disk or flash.

Phones that change their address (most, once a day or per network) are counted once for each.
"""

import hashlib

from agent.ports.files import Files
from agent.readers.files import read_text
from agent.readers.hyperloglog import HyperLogLog
from agent.wire import cbor
from agent.wire.errors import WireError

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any, Protocol

    from agent.timing import Clock

    class Keeper(Protocol):
        """Where a day survives the process."""

        def load(self) -> bytes | None:
            """Return what was saved last."""

        def save(self, data: bytes) -> None:
            """Save it; a failure costs no more than the day's count at the next restart."""


UTC_OFFSET_H = -6  # Mexico City, which has no summer time
KEY_BYTES = 16
DAY_MS = 86_400_000
HOUR_MS = 3_600_000
VERSION = 1


class Day:
    """Counts the distinct clients of access points until the day ends."""

    def __init__(self, clock: "Clock", utc_offset_h: float, keeper: "Keeper") -> None:
        """Take up the day that ``keeper`` has, when it is this kernel's and not over."""
        self._clock = clock
        self._offset_ms = int(utc_offset_h * HOUR_MS)
        self._keeper = keeper
        self._changed = False
        self._key = b""
        self._sketches: dict[str, HyperLogLog] = {}
        self._all = HyperLogLog()
        self._began_ms = 0
        self._date: int | None = None  # days since 1970, local; None until the clock has been synchronised
        if not self._restore(keeper.load()):
            self._begin(None)

    def roll(self) -> None:
        """Begin a new day when the old one is over. Call it before every reading."""
        wall_ms = self._clock.wall_ms()
        age_ms = self._clock.uptime_ms() - self._began_ms
        if wall_ms is None:
            if age_ms >= DAY_MS:
                self._begin(None)
            return
        today = self._date_of(wall_ms)
        if self._date is None and self._date_of(wall_ms - age_ms) == today:
            self._date = today  # the clock was set meanwhile, but the day is the same
            self._changed = True
        if self._date != today:
            self._begin(today)

    def see(self, access_point: str, mac: bytes) -> None:
        """Count one client of an access point."""
        hashed = hashlib.sha256(self._key + mac).digest()
        sketch = self._sketches.get(access_point)
        if sketch is None:
            sketch = self._sketches[access_point] = HyperLogLog()
        self._changed = sketch.add(hashed) or self._changed
        self._all.add(hashed)

    def count(self, access_point: str | None = None) -> int:
        """Return the day's estimate for one access point, or for the device."""
        if access_point is None:
            return self._all.count()
        sketch = self._sketches.get(access_point)
        return 0 if sketch is None else sketch.count()

    def keep(self) -> None:
        """Save what has changed."""
        if self._changed:
            self._changed = False
            self._keeper.save(cbor.encode(self._state()))

    def _begin(self, date: int | None) -> None:
        self._key = self._clock.random_bytes(KEY_BYTES)
        self._sketches = {}
        self._all = HyperLogLog()
        self._began_ms = self._clock.uptime_ms()
        self._date = date
        self._changed = True

    def _date_of(self, wall_ms: int) -> int:
        return (wall_ms + self._offset_ms) // DAY_MS

    def _state(self) -> "list[Any]":
        sketches = [[name, sketch.dump()] for name, sketch in sorted(self._sketches.items())]
        return [VERSION, self._clock.kernel_boot(), self._key, self._began_ms, self._date, sketches]

    def _restore(self, data: bytes | None) -> bool:
        """Take up a saved day; whatever is wrong with it makes it none."""
        try:
            version, boot, key, began_ms, date, sketches = cbor.decode(data or b"")
            if version != VERSION or boot != self._clock.kernel_boot() or len(key) != KEY_BYTES:
                return False
            self._sketches = {str(name): HyperLogLog(registers) for name, registers in sketches}
            self._began_ms = min(int(began_ms), self._clock.uptime_ms())
            self._date = None if date is None else int(date)
            self._key = bytes(key)
        except (WireError, ValueError, TypeError):
            self._sketches = {}
            return False
        for sketch in self._sketches.values():
            self._all.merge(sketch)
        return True


def day_of(options: "dict[str, Any]", clock: "Clock") -> Day:
    """Build it by the options ``utc_offset_h`` and ``day_file`` (absent: kept in this process only)."""
    path = options.get("day_file")
    offset_h = options.get("utc_offset_h")
    return Day(clock, UTC_OFFSET_H if offset_h is None else offset_h, RamFile(path, Files()))


class RamFile:
    """A file that is only ever written where files are memory; elsewhere nothing is kept."""

    def __init__(self, path: str | None, files: Files, mounts: str = "/proc/mounts") -> None:
        """Keep ``path`` (None: nothing)."""
        self._path = path
        self._files = files
        self._mounts = mounts

    def load(self) -> bytes | None:
        """Return the file's content, None when there is none."""
        if self._path is None:
            return None
        try:
            return self._files.read(self._path)
        except OSError:
            return None

    def save(self, data: bytes) -> None:
        """Replace the file, if its folder is memory."""
        if self._path is None:
            return
        folder = self._path[: self._path.rfind("/")] or "/"
        if not in_memory(folder, read_text(self._mounts) or ""):
            return
        try:
            self._files.make_folder(folder)
            self._files.write_new(self._path, data, sync=False)
        except OSError:
            return


def in_memory(folder: str, mounts: str) -> bool:
    """Tell by ``/proc/mounts`` whether a folder lies in a tmpfs or ramfs."""
    best, kind = "", ""
    for line in mounts.split("\n"):
        words = line.split(" ")
        if len(words) < 3:  # noqa: PLR2004 (device, place, kind)
            continue
        place = words[1].rstrip("/")
        if (folder == place or folder.startswith(place + "/")) and len(place) >= len(best):
            best, kind = place, words[2]
    return kind in ("tmpfs", "ramfs")
