"""As fast as the real agent and the real collector can go."""

from __future__ import annotations

from dataclasses import replace

from simulators.bench.pace import QUICK
from simulators.plans import Timing

THRESHOLDS: dict[str, float] = {
    "power_clear_ms": 300,
    "battery_low_clear_ms": 300,
    "contact_lost_raise_ms": 300,
    "contact_lost_clear_ms": 300,
    "death_grace_ms": 300,
    "silence_intervals": 5,
    "story_ms": 1_500,
    "story_quiet_ms": 700,
}
FAST = replace(
    QUICK,
    timing=Timing(sample_s=0.5, watch_s=0.3, frame_s=1, keepalive_s=2, resend_s=5, reconnect_s=0.3),
    see_s=12.0,
    cut_s=3.0,
    keep_s=1.5,
    off_s=0.7,
    look_s=1.5,
    boot_s=0.7,
    stale_ms=1_000,
    values_s=0.5,
    return_ms=500,
    hold_off_ms=500,
    thresholds=THRESHOLDS,
)
