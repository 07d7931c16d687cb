"""Load, memory and temperature of a small machine, and what it knows of its last start."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simulators.instruments.base import Fields, Instrument, Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.instruments.base import Intervals
    from simulators.scenario.model import DevicePart
    from simulators.world.place import Place


class HostReader(Instrument):
    """``system``, ``mem`` and ``temp``; of a Raspberry Pi ``restart`` as well, by its reset register."""

    name = "host"

    def __init__(
        self,
        place: Place,
        part: DevicePart,
        intervals: Intervals,
        now_ms: Callable[[], int],
        uptime_ms: Callable[[], int],
    ) -> None:
        super().__init__(place, part, intervals, now_ms)
        self._uptime_ms = uptime_ms

    def rows(self, now: int) -> list[Row]:
        """Return the rows."""
        uptime_s = self._uptime_ms() // 1000
        there = self.place.supply.clients(now)
        load = 0.05 + there / 120.0
        # a load average follows with its own time constant after a start
        load5, load15 = (load * (1.0 - math.exp(-(uptime_s + 60) / tau)) for tau in (300.0, 900.0))
        used, total = 58_000_000 + 90_000 * there, 128_000_000
        memory: Fields = {
            "total": total,
            "available": total - used,
            "free": total - used - 9_000_000,
            "used_percent": round(100.0 * used / total, 1),
        }
        loads: Fields = {"load1": round(load, 2), "load5": round(load5, 2), "load15": round(load15, 2)}
        rows: list[Row] = [
            ("system", None, loads | {"uptime": uptime_s, "n_cpus": 1}),
            ("mem", None, memory),
            ("temp", "cpu", {"temp": round(41.0 + 14.0 * min(1.0, load), 1)}),
        ]
        if self.part.kind == "pi":
            rows.append(("restart", None, {"cold": int(self.place.machines[self.part.id].cold)}))
        return rows
