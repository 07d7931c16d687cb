"""UPS boards with a fuel gauge of the MAX17040 family on I2C: measurement ``upsd``, as of any UPS.

The gauge knows charge and voltage of the cells and nothing of the line; where the board has a pin for that
it is configured, otherwise neither OL nor OB is told. Registers (datasheet MAX17040): 0x02 VCELL, 0x04 SOC,
whole percents in the high byte, 1/256 in the low one.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from typing import TYPE_CHECKING, Any, Final, Protocol

from agent.cpython.gpio import KERNEL, Input
from agent.cpython.readers.gpio_spec import GaugeSpec
from agent.readers.ups_state import WATCHED, UpsState
from agent.timing import wait_for_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.cpython.gpio import Kernel
    from agent.readers.port import Reader, Row
    from agent.timing import Clock

VCELL: Final = 0x02
REGISTERS: Final = 4  # bytes: VCELL and SOC
LOWEST_V, HIGHEST_V = 2.0, 9.0  # of one lithium cell that is empty, of two that are full
MOST_PERCENT: Final = 110  # the estimate overshoots while it learns
FULL_PERCENT: Final = 100
LOW_PERCENT: Final = 10
# linux/i2c-dev.h
I2C_RETRIES, I2C_TIMEOUT, I2C_SLAVE = 0x0701, 0x0702, 0x0703
TIMEOUT: Final = 2  # times 10 ms: a hung bus must not hold up the loop for the usual second


class Bus(Protocol):
    """What reads registers of one chip."""

    def read(self, register: int, count: int) -> bytes:
        """Return so many bytes from a register on. Raises OSError."""


class I2c:
    """A chip behind /dev/i2c-*."""

    def __init__(self, bus: str, address: int) -> None:
        """Open nothing yet."""
        self._path = "/dev/" + bus
        self._address = address

    def read(self, register: int, count: int) -> bytes:
        """Return so many bytes from a register on. Raises OSError."""
        file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.ioctl(file, I2C_TIMEOUT, TIMEOUT)
            fcntl.ioctl(file, I2C_RETRIES, 0)
            fcntl.ioctl(file, I2C_SLAVE, self._address)
            os.write(file, bytes([register]))
            return os.read(file, count)
        finally:
            os.close(file)


def parse_gauge(data: bytes, volts_of: Callable[[int], float]) -> tuple[float, float] | None:
    """VCELL and SOC: volts and percent; None for what no gauge with a battery says."""
    if len(data) != REGISTERS:
        return None
    volts = volts_of(int.from_bytes(data[:2], "big"))
    percent = int.from_bytes(data[2:], "big") / 256
    if not LOWEST_V <= volts <= HIGHEST_V or percent > MOST_PERCENT:
        return None
    return round(volts, 3), round(min(FULL_PERCENT, percent), 1)


class Gauge:
    """Reads the gauges."""

    name = "gauge"
    watched = WATCHED

    def __init__(
        self,
        gauges: dict[str, str],
        clock: Clock,
        interval_ms: int,
        watch_ms: int,
        chip_at: Callable[[str, int], Bus] = I2c,
        kernel: Kernel = KERNEL,
    ) -> None:
        """Take the gauges of the configuration, name -> text; ``chip_at(bus, address)`` reads a chip."""
        self.interval_ms = interval_ms
        self.watch_ms = watch_ms
        self._clock = clock
        self._turned = asyncio.Event()
        self._gauges: list[tuple[GaugeSpec, Bus, Input | None, UpsState]] = []
        for name in sorted(gauges):
            spec = GaugeSpec(name, gauges[name])
            line = Input(spec.supply, self._turned, kernel) if spec.supply else None
            self._gauges.append((spec, chip_at(spec.bus, spec.address), line, UpsState()))

    async def read(self) -> list[Row]:
        """Return a row for each gauge; one that cannot be read is a UPS without contact."""
        self._turned.clear()
        now_ms = self._clock.uptime_ms()
        rows: list[Row] = []
        for spec, chip, line, state in self._gauges:
            texts = self._texts(spec, chip, None if line is None else line.read())
            if texts:
                state.hear(texts, now_ms)
            else:
                state.lose("data_stale")
            rows.append(("upsd", spec.name, state.fields(now_ms)))
        return rows

    async def wait_turn(self, limit_ms: int) -> None:
        """Return when the supply came or went, or after the limit."""
        await wait_for_event(self._clock, self._turned, limit_ms)

    async def close(self) -> None:
        """Give the lines back."""
        for _, _, line, _ in self._gauges:
            if line is not None:
                line.close()

    def _texts(self, spec: GaugeSpec, chip: Bus, supplied: bool | None) -> dict[str, str]:  # noqa: FBT001 - a state
        try:
            found = parse_gauge(chip.read(VCELL, REGISTERS), spec.volts)
        except OSError:
            found = None
        if found is None:
            return {}
        volts, percent = found
        words = [] if supplied is None else ["OL"] if supplied else ["OB"]
        if supplied is False and percent <= LOW_PERCENT:
            words.append("LB")
        return {
            "ups.status": " ".join(words),
            "battery.charge": str(percent),
            "battery.voltage": str(volts),
            "driver.parameter.pollinterval": "1",
        }


def make_gauge(options: dict[str, Any], clock: Clock, sample_ms: int, watch_ms: int) -> Reader:
    """Build the reader; option ``gauges``."""
    return Gauge(options["gauges"], clock, sample_ms, watch_ms)
