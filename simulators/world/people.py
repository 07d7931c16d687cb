"""Who uses the free Wi-Fi: clients by hour, kind of facility and day of the week."""

from __future__ import annotations

import math

from simulators.world import calendar, noise

_OFFICE = (
    0,
    0,
    0,
    0,
    0,
    0,
    0.05,
    0.2,
    0.6,
    0.9,
    1,
    1,
    0.95,
    0.85,
    0.8,
    0.85,
    0.8,
    0.6,
    0.3,
    0.1,
    0.05,
    0,
    0,
    0,
)
_PUBLIC = (
    0.02, 0.01, 0, 0, 0, 0.02, 0.1, 0.25, 0.4, 0.55, 0.7, 0.8,
    0.85, 0.9, 0.95, 1, 1, 1, 0.95, 0.8, 0.5, 0.25, 0.1, 0.05,
)  # fmt: skip
_MARKET = (0, 0, 0, 0, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 1, 1, 1, 1, 0.95, 0.8, 0.6, 0.4, 0.2, 0.05, 0, 0, 0, 0)

# kind: (hourly share, clients at the peak, share on weekends)
_HABITS: dict[str, tuple[tuple[float, ...], int, float]] = {
    "administration": (_OFFICE, 45, 0.05),
    "victim-support": (_OFFICE, 10, 0.1),
    "clinic": (_OFFICE, 20, 0.4),
    "market": (_MARKET, 60, 1.2),
    "park": (_PUBLIC, 30, 1.6),
    "theater": (_PUBLIC, 35, 1.5),
    "library": (_OFFICE, 25, 0.3),
}
_DEFAULT = (_PUBLIC, 25, 0.7)
_STAY_MS = 300_000


def clients(seed: int, site: str, kind: str, t_ms: int) -> int:
    """Devices connected to the Wi-Fi of a facility at a time."""
    habit, peak, weekend = _HABITS.get(kind, _DEFAULT)
    share = calendar.profile(habit, t_ms) * (weekend if calendar.weekday(t_ms) >= calendar.SATURDAY else 1.0)
    spread = 1.0 + 0.3 * noise.wave(seed, f"{site}/people", t_ms, _STAY_MS)
    return max(0, round(peak * share * spread))


def clients_today(seed: int, site: str, kind: str, t_ms: int) -> int:
    """Distinct devices since local midnight: those of every half hour are new."""
    half_ms = calendar.HOUR_MS // 2
    midnight_ms = t_ms - int(calendar.hour(t_ms) * calendar.HOUR_MS)
    return sum(clients(seed, site, kind, at_ms) for at_ms in range(midnight_ms, t_ms + 1, half_ms))


def kbit_per_client(seed: int, site: str, t_ms: int) -> float:
    """Mean download of one client (kbit/s), log-uniform between 40 and 900."""
    return 40.0 * math.exp(math.log(22.5) * (0.5 + 0.5 * noise.wave(seed, f"{site}/use", t_ms, 20_000)))
