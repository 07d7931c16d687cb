"""The machine by psutil: it knows how kernels and platforms differ in memory, times and sensors."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import psutil

from agent.readers import host_parts
from agent.readers.host import DISKS, Host, memory, sensor_name

if TYPE_CHECKING:
    from agent.readers.port import Fields, Reader
    from agent.timing import Clock

# What thermometers of machines can say; a sensor that is not connected says -273 or 255.
LOW_C, HIGH_C = -60.0, 200.0


class PsutilHost(Host):
    """As Host, of the machine that it runs on."""

    def _system(self) -> "Fields":
        fields: Fields = {}
        fields.update(zip(("load1", "load5", "load15"), psutil.getloadavg(), strict=True))
        fields["uptime"] = self._clock.uptime_ms() // 1000
        fields["n_cpus"] = psutil.cpu_count() or 1
        return fields

    def _memory(self) -> "Fields":
        now = psutil.virtual_memory()
        return dict(memory(1, now.total, now.available, now.free, now.buffers, now.cached))

    def _processor_ticks(self) -> tuple[int, int, int] | None:
        times = psutil.cpu_times()
        # guest times are already within user and nice (proc(5))
        total = sum(times[:8])
        busy = total - times.idle - times.iowait
        return int(busy * 1000), int(total * 1000), psutil.cpu_count() or 1

    def _temperatures(self) -> list[tuple[str, float]]:
        found: dict[str, float] = {}
        for name, value in self._sensors():
            if LOW_C < value < HIGH_C:
                found.setdefault(name, float(value))
        return sorted(found.items())

    @staticmethod
    def _sensors() -> Iterator[tuple[str, float]]:
        for chip, entries in psutil.sensors_temperatures().items():
            for number, entry in enumerate(entries, 1):
                # one unlabelled sensor of a chip bears the chip's name alone, as a thermal zone does
                label = entry.label or (str(number) if len(entries) > 1 else "")
                yield sensor_name(chip, label), entry.current


def make_host(options: dict[str, Any], clock: "Clock", sample_ms: int, _watch_ms: int) -> "Reader":
    """Build the reader of the machine; option ``disks``: paths of file systems."""
    disks = tuple(options.get("disks") or DISKS)
    return PsutilHost(clock, sample_ms, disks=disks, parts=host_parts(clock))
