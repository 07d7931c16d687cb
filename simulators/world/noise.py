"""Randomness that is a function: the same seed, name and time give the same number, in any order asked."""

from __future__ import annotations

import hashlib
from functools import lru_cache

_SCALE = float(1 << 64)


@lru_cache(maxsize=1 << 16)
def uniform(seed: int, *names: object) -> float:
    """Return a number in [0, 1) that belongs to these names."""
    text = "\x1f".join(str(name) for name in (seed, *names)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") / _SCALE


def wave(seed: int, name: str, t_ms: int, period_ms: int) -> float:
    """Return smooth noise in [-1, 1]: random at every ``period_ms``, eased in between (value noise)."""
    step, rest = divmod(t_ms, period_ms)
    left, right = uniform(seed, name, step), uniform(seed, name, step + 1)
    x = rest / period_ms
    eased = x * x * (3.0 - 2.0 * x)
    return 2.0 * (left + (right - left) * eased) - 1.0
