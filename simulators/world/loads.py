"""What is switched on in a building: watts at nominal voltage, by leg, a pure function of seed and time.

A standing load (refrigerators, pumps, standby), what people use by the hour, and appliances that go on and
off every few minutes, so that current changes enough for a meter to learn the resistance of a connection.
"""

from __future__ import annotations

from simulators.world import noise

_STANDING_W = 180.0
_PER_CLIENT_W = 25.0  # people with a phone on the Wi-Fi, and the light, fans and machines of their hour
_APPLIANCE_W = 900.0
_APPLIANCE_MS = 420_000
_ON_SHARE = 0.35


def watts(seed: int, site: str, leg: int, legs: int, t_ms: int, there: int) -> float:
    """Return what is switched on at one leg (from 1) of a building with so many legs and people."""
    standing = _STANDING_W * (0.7 + 0.6 * noise.uniform(seed, site, "standing", leg))
    name = f"{site}/appliance/{leg}"
    # an appliance per leg, shifted in time; rarer in an empty building
    step = (t_ms + int(_APPLIANCE_MS * noise.uniform(seed, name))) // _APPLIANCE_MS
    on = noise.uniform(seed, name, step) < (_ON_SHARE if there else _ON_SHARE / 4.0)
    return standing + _PER_CLIENT_W * there / legs + (_APPLIANCE_W / legs if on else 0.0)
