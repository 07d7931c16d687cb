"""The registers of two meters of the mains. Pure.

PZEM-004T v3 (Peacefair, user manual V1.0): ten input registers from 0: V/10; mA, W/10 and Wh as 32 bits with
the low word first; Hz/10; power factor in hundredths. Nothing has a sign.

SDM120-Modbus (Eastron, protocol V2): pairs of input registers, IEEE 754, the high word first; sums in kWh. At
most 40 are asked for at once, for some take its limit of 40 parameters for as many registers. Power is
negative against the arrow on the current transformer, and what is counted then goes to export: the energy of
a meter is the sum of both.
"""

import struct

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable

    Values = dict[str, float]
    Registers = list[int]

# field -> least and greatest value that can be; as the register's
BOUNDS = {
    "voltage": (0.0, 1000.0),
    "current": (0.0, 10_000.0),
    "power": (-1e6, 1e6),
    "frequency": (0.0, 100.0),
    "power_factor": (-1.0, 1.0),
    "energy": (0.0, 1e12),
}


def parse_pzem(words: "Registers") -> "Values":
    """Take ten registers from 0."""
    return {
        "voltage": words[0] / 10,
        "current": (words[1] | words[2] << 16) / 1000,
        "power": (words[3] | words[4] << 16) / 10,
        "energy": float(words[5] | words[6] << 16),
        "frequency": words[7] / 10,
        "power_factor": words[8] / 100,
    }


def parse_sdm120(words: "Registers") -> "Values":
    """Take the registers 0 to 31 and 70 to 75."""

    def real(at: int) -> float:
        (value,) = struct.unpack(">f", struct.pack(">HH", words[at], words[at + 1]))
        return float(value)

    return {
        "voltage": real(0),
        "current": real(6),
        "power": real(12),
        "energy": 1000 * (real(34) + real(36)),
        "frequency": real(32),
        "power_factor": real(30),
    }


def sane(values: "Values") -> "tuple[Values, int]":
    """Return the values that can be, to a thousandth, and how many cannot (NaN among them)."""
    good = {}
    for name, value in values.items():
        low, high = BOUNDS[name]
        if low <= value <= high:
            good[name] = round(value, 3)
    return good, len(values) - len(good)


# kind -> blocks of registers (first, how many), usual speed, what they say, whether power has a sign
KINDS: "dict[str, tuple[tuple[tuple[int, int], ...], int, Callable[[Registers], Values], bool]]" = {
    "pzem004t": (((0, 10),), 9600, parse_pzem, False),
    "sdm120": (((0, 32), (70, 6)), 2400, parse_sdm120, True),
}
