"""The supply at a facility's connection: 127 V nominal, a daily profile, noise.

Voltage falls where the neighbourhood's load peaks, in the evening, and rises at night. The profile and
the size of the noise are chosen to stay within what UPS dumps of 127 V countries show (125-128 V typical).
"""

from __future__ import annotations

from dataclasses import dataclass

from simulators.world import calendar, noise

# per unit of nominal, by local hour: high at night, lowest at the evening peak
_DAY_PU = (
    1.020, 1.023, 1.025, 1.025, 1.024, 1.018, 1.008, 1.000, 0.996, 0.996, 0.995, 0.994,
    0.992, 0.990, 0.990, 0.991, 0.990, 0.985, 0.976, 0.968, 0.965, 0.972, 0.990, 1.010,
)  # fmt: skip
_SLOW_MS = 120_000
_FAST_MS = 2_000


@dataclass(frozen=True, slots=True)
class Supply:
    """A connection: nominal voltage (V) and the size of slow and fast noise (per unit, peak)."""

    nominal_v: float = 127.0
    slow_pu: float = 0.008
    fast_pu: float = 0.003


def day_pu(t_ms: int) -> float:
    """Voltage in per unit that the hour of the day gives."""
    return calendar.profile(_DAY_PU, t_ms)


def noise_pu(supply: Supply, seed: int, name: str, t_ms: int) -> float:
    """Return what noise adds, in per unit."""
    slow = supply.slow_pu * noise.wave(seed, f"{name}/mains/slow", t_ms, _SLOW_MS)
    fast = supply.fast_pu * noise.wave(seed, f"{name}/mains/fast", t_ms, _FAST_MS)
    return slow + fast


def frequency(seed: int, t_ms: int) -> float:
    """Hertz of the interconnection, the same everywhere."""
    return 60.0 + 0.03 * noise.wave(seed, "grid/frequency", t_ms, 10_000)
