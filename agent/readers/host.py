"""The machine itself: load, memory, processor, file systems, temperatures, from /proc and sysfs.

``parse_*`` are pure functions of text. A source that is missing leaves its fields out; only a machine where
nothing at all can be read is an error. Names are Telegraf's (``system``, ``mem``, ``disk``, ``cpu``,
``temp``).
"""

import os

from agent.errors import ReaderError
from agent.readers.files import listing, read_text

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Protocol

    from agent.readers.port import Fields, Row
    from agent.timing import Clock

    class Part(Protocol):
        """What has rows of its own to add to the machine's."""

        async def rows(self) -> list[Row]:
            """Return rows; never raises."""


# OpenWrt keeps what is written on /overlay; / is its read-only image. Elsewhere /overlay does not exist.
DISKS = ("/", "/overlay")
_AFTER_PROCESSORS = b"intr"  # of /proc/stat: of that line, many kilobytes, nothing is wanted


def parse_loadavg(text: str) -> dict[str, float]:
    """``/proc/loadavg``: mean number of runnable tasks over 1, 5 and 15 minutes."""
    words = text.split()
    try:
        return {"load1": float(words[0]), "load5": float(words[1]), "load15": float(words[2])}
    except (IndexError, ValueError):
        return {}


def parse_uptime(text: str) -> dict[str, int]:
    """``/proc/uptime``: seconds since the kernel started."""
    try:
        return {"uptime": int(float(text.split(" ", 1)[0]))}
    except (IndexError, ValueError):
        return {}


def parse_meminfo(text: str) -> dict[str, float]:
    """``/proc/meminfo`` in bytes; before Linux 3.14 (no MemAvailable) the caches count as available."""
    kib = {}
    for line in text.split("\n"):
        name, _, rest = line.partition(":")
        words = rest.split()
        if words and words[0].isdigit():
            kib[name] = int(words[0])
    if not kib.get("MemTotal"):
        return {}
    free, buffered, cached = kib.get("MemFree", 0), kib.get("Buffers", 0), kib.get("Cached", 0)
    available = kib.get("MemAvailable", free + buffered + cached)
    return memory(1024, kib["MemTotal"], available, free, buffered, cached)


def memory(unit: int, total: int, available: int, free: int, buffered: int, cached: int) -> dict[str, float]:
    """Return the fields of ``mem``, in bytes and percent, from numbers counted in ``unit`` bytes."""
    return {
        "total": total * unit,
        "available": available * unit,
        "free": free * unit,
        "buffered": buffered * unit,
        "cached": cached * unit,
        "used_percent": round(100.0 * (total - available) / total, 2),
    }


def parse_stat(text: str) -> tuple[int, int, int] | None:
    """``/proc/stat``: ticks busy, ticks in all since the start, number of processors (proc(5))."""
    busy = total = processors = 0
    for line in text.split("\n"):
        if line.startswith("cpu "):
            # user nice system idle iowait irq softirq steal; guest times are already within user
            ticks = [int(word) for word in line.split()[1:9] if word.isdigit()]
            total = sum(ticks)
            busy = total - sum(ticks[3:5])
        elif line.startswith("cpu"):
            processors += 1
    return (busy, total, processors) if total else None


def parse_statvfs(stats: tuple[int, ...]) -> dict[str, float]:
    """``statvfs``: bytes in all, free to ordinary users, used in percent as df counts it."""
    size, blocks, free, available = stats[1] or stats[0], stats[2], stats[3], stats[4]
    used = blocks - free
    if used + available <= 0:
        return {}
    return {
        "total": blocks * size,
        "free": available * size,
        "used_percent": round(100.0 * used / (used + available), 2),
    }


def sensor_name(chip: str, label: str = "") -> str:
    """Return one name for a sensor: lower case, words joined by underscores, at most 40 characters."""
    text = (chip + " " + label).lower()
    return "_".join("".join(c if c.isalpha() or c.isdigit() else " " for c in text).split())[:40]


def parse_millidegrees(text: str | None) -> float | None:
    """Return degrees Celsius from a thousandth of them; what no machine survives is a broken sensor."""
    try:
        degrees = int(text or "") / 1000.0
    except ValueError:
        return None
    return degrees if -60.0 < degrees < 200.0 else None  # noqa: PLR2004 (bounds of any semiconductor)


def usage(before: tuple[int, int, int] | None, now: tuple[int, int, int] | None) -> dict[str, float]:
    """Return the busy share of the time between two readings of /proc/stat, in percent."""
    if before is None or now is None or now[1] <= before[1]:
        return {}
    percent = 100.0 * (now[0] - before[0]) / (now[1] - before[1])
    return {"usage_percent": round(min(100.0, max(0.0, percent)), 2)}  # idle and iowait can run backwards


class Host:
    """Reads one machine, and ``parts`` after it.

    ``root`` is "/", or a folder with copies of proc and sys, ending in a slash.
    """

    name = "host"
    watch_ms = 0

    def __init__(
        self,
        clock: "Clock",
        interval_ms: int,
        root: str = "/",
        disks: tuple[str, ...] = DISKS,
        parts: "tuple[Part, ...]" = (),
    ) -> None:
        self.interval_ms = interval_ms
        self._clock = clock
        self._parts = parts
        self._root = root
        self._disks = disks
        self._ticks: tuple[int, int, int] | None = None

    async def read(self) -> "list[Row]":
        """Return one row for each subject that can be read now."""
        before, self._ticks = self._ticks, self._processor_ticks()
        rows: "list[Row]" = [
            ("system", None, self._system()),
            ("mem", None, self._memory()),
            ("cpu", None, dict(usage(before, self._ticks))),
        ]
        rows += [("disk", path, fields) for path, fields in self._file_systems()]
        rows += [("temp", sensor, {"temp": value}) for sensor, value in self._temperatures()]
        rows = [row for row in rows if row[2]]
        if not rows:
            raise ReaderError("nothing_readable", "neither /proc nor sysfs could be read")
        for part in self._parts:
            rows += await part.rows()
        return rows

    def _text(self, path: str, until: bytes = b"") -> str:
        return read_text(self._root + path, until) or ""

    def _system(self) -> "Fields":
        fields: "Fields" = {}
        fields.update(parse_loadavg(self._text("proc/loadavg")))
        fields.update(parse_uptime(self._text("proc/uptime")))
        if self._ticks and self._ticks[2]:
            fields["n_cpus"] = self._ticks[2]
        return fields

    def _memory(self) -> "Fields":
        return dict(parse_meminfo(self._text("proc/meminfo")))

    def _processor_ticks(self) -> tuple[int, int, int] | None:
        return parse_stat(self._text("proc/stat", _AFTER_PROCESSORS))

    def _file_systems(self) -> "list[tuple[str, Fields]]":
        rows: "list[tuple[str, Fields]]" = []
        for path in self._disks:
            try:
                rows.append((path, dict(parse_statvfs(os.statvfs(path)))))
            except OSError:
                continue
        return rows

    def _temperatures(self) -> list[tuple[str, float]]:
        found: dict[str, float] = {}
        for name, text in self._zones() + self._chips():
            value = parse_millidegrees(text)
            if name and value is not None and name not in found:
                found[name] = value
        return sorted(found.items())

    def _zones(self) -> list[tuple[str, str | None]]:
        folder = self._root + "sys/class/thermal/"
        zones = [folder + zone for zone in listing(folder) if zone.startswith("thermal_zone")]
        return [(sensor_name(read_text(zone + "/type") or ""), read_text(zone + "/temp")) for zone in zones]

    def _chips(self) -> list[tuple[str, str | None]]:
        readings = []
        for chip in listing(self._root + "sys/class/hwmon"):
            folder = self._root + "sys/class/hwmon/" + chip + "/"
            temps = [file[:-6] for file in listing(folder) if file[:4] == "temp" and file[-6:] == "_input"]
            for temp in temps:
                # the only sensor of a chip bears the chip's name alone, as its thermal zone does
                label = read_text(folder + temp + "_label") or (temp[4:] if len(temps) > 1 else "")
                name = sensor_name(read_text(folder + "name") or chip, label)
                readings.append((name, read_text(folder + temp + "_input")))
        return readings
