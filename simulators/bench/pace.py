"""How fast things go on a bench: with a simulated device times are shortened, a real one keeps its own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from simulators.plans import Timing


def _shortened() -> dict[str, float]:
    # collector/rules/catalogue.py explains each
    return {
        "power_clear_ms": 1_000,
        "battery_low_clear_ms": 1_000,
        "contact_lost_raise_ms": 1_000,
        "contact_lost_clear_ms": 1_000,
        "death_grace_ms": 500,
        "silence_intervals": 4,
        "story_ms": 2_000,
        "story_quiet_ms": 1_000,
    }


@dataclass(frozen=True, slots=True)
class Pace:
    """Times of a bench, in seconds where the name says nothing else.

    ``see_s`` is the limit for what has to show by itself, ``hands_s`` for what a person has to do first,
    ``cut_s`` how long the link is cut, ``keep_s`` how long a device on battery without a link needs until
    its spool is in flash, ``off_s`` how long a simulated plug stays out, ``look_s`` over what a meter is
    averaged.
    """

    timing: Timing
    see_s: float
    hands_s: float
    cut_s: float
    keep_s: float
    off_s: float
    look_s: float
    boot_s: float = 2.0
    stale_ms: int = 3_000
    values_s: float = 1.0
    return_ms: int = 3_000  # for so long the line has to be good before the UPS goes back to it
    hold_off_ms: int = 2_000
    thresholds: dict[str, float] = field(default_factory=_shortened)
    shortened: bool = True

    def with_cut(self, seconds: float | None) -> Pace:
        """Return the same with the link cut for so long; None: as it is."""
        return self if seconds is None else replace(self, cut_s=seconds)


QUICK = Pace(
    timing=Timing(sample_s=1, watch_s=0.5, frame_s=2, keepalive_s=3, resend_s=8, reconnect_s=0.5),
    see_s=25.0,
    hands_s=120.0,
    cut_s=30.0,
    keep_s=3.0,
    off_s=1.5,
    look_s=3.0,
)
# a device as it leaves for its site: the agent's own intervals, the rules' own thresholds
REAL = Pace(
    timing=Timing(),
    see_s=120.0,
    hands_s=300.0,
    cut_s=600.0,
    keep_s=40.0,
    off_s=10.0,
    look_s=30.0,
    boot_s=50.0,
    stale_ms=15_000,
    values_s=5.0,
    hold_off_ms=10_000,
    thresholds={},
    shortened=False,
)
