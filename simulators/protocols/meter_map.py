"""What stands in the registers of two meters. Pure.

PZEM-004T v3 (Peacefair, user manual V1.0): ten input registers from 0x0000: V/10; mA, W/10 and Wh as 32 bits
with the low word first; Hz/10; power factor in hundredths; alarm. Nothing has a sign: a transformer put
on backwards cannot be seen.

SDM120-Modbus (Eastron, protocol V2): input registers in pairs, IEEE 754, the high word first; sums in kWh.
Power and power factor are negative against the direction of the arrow on the transformer, and energy is
counted apart as import and export.

Both live on the line that they measure: without it they are silent.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simulators.protocols.sources import MeterReading

LEAST_V: Final = 80.0  # below, neither works
_HIGHEST: Final = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Energy:
    """Counted in each direction, Wh."""

    imported: float = 0.0
    exported: float = 0.0


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of meter: how a reading stands in its input registers, which others it has, its usual speed."""

    name: str
    inputs: Callable[[MeterReading, Energy], Mapping[int, int]]
    holding: Callable[[int], Mapping[int, int]]
    baud: int


def _pzem(reading: MeterReading, energy: Energy) -> dict[int, int]:
    words = [
        round(10 * reading.voltage),
        *_low_first(1000 * reading.current),
        *_low_first(10 * abs(reading.power)),
        *_low_first(energy.imported + energy.exported),
        round(10 * reading.frequency),
        round(100 * abs(reading.power_factor)),
        0,
    ]
    return dict(enumerate(words))


def _low_first(value: float) -> tuple[int, int]:
    whole = min(max(round(value), 0), _HIGHEST)
    return whole & 0xFFFF, whole >> 16


def _pzem_holding(unit: int) -> dict[int, int]:
    return {1: 23_000, 2: unit}  # alarm threshold (W), address


def _sdm120(reading: MeterReading, energy: Energy) -> dict[int, int]:
    apparent = reading.voltage * reading.current
    reactive = math.sqrt(max(0.0, apparent**2 - reading.power**2))
    angle = math.degrees(math.acos(max(-1.0, min(1.0, reading.power_factor))))
    floats = {
        0: reading.voltage,
        6: reading.current,
        12: reading.power,
        18: apparent,
        24: reactive,
        30: reading.power_factor,
        36: angle,
        70: reading.frequency,
        72: energy.imported / 1000.0,
        74: energy.exported / 1000.0,
        76: 0.0,
        78: 0.0,
        342: (energy.imported + energy.exported) / 1000.0,
        344: 0.0,
    }
    return {at + place: word for at, value in floats.items() for place, word in enumerate(_float(value))}


def _float(value: float) -> tuple[int, int]:
    high, low = struct.unpack(">HH", struct.pack(">f", value))
    return high, low


def _sdm120_holding(unit: int) -> dict[int, int]:
    # address and speed (0: 2400 baud) are floats; parity and stop bits (0: none, one)
    floats = {18: 0.0, 20: float(unit), 28: 0.0}
    return {at + place: word for at, value in floats.items() for place, word in enumerate(_float(value))}


PZEM: Final = Kind("pzem", _pzem, _pzem_holding, 9600)
SDM120: Final = Kind("sdm120", _sdm120, _sdm120_holding, 2400)
KINDS: Final = {kind.name: kind for kind in (PZEM, SDM120)}


def read(words: Mapping[int, int], address: int, count: int) -> list[int] | None:
    """Return registers; None when the range begins or ends where there are none.

    Gaps within the range read as 0, so that a block of several values can be read at once.
    """
    last = address + count - 1
    if address not in words or last not in words:
        return None
    return [words.get(at, 0) for at in range(address, last + 1)]
