"""What the demonstration is made of: which facility has what, and its shortened times."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from simulators.plans import DevicePlan, Timing
from simulators.sample import SampleSite, sites
from simulators.world.facility import FacilityPlan
from simulators.world.mains import Supply
from simulators.world.ups import UpsModel
from simulators.world.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence

UPS_ID = "ups"

# sample equipment, invented like everything in simulators/sample
UPS_SITES = frozenset(
    {
        "alcaldia",
        "biblioteca-san-patricio",
        "casa-adulto-mayor-ahuehuete",
        "casa-cultura-jaime-sabines",
        "centro-cultural-san-angel",
        "centro-deportivo-plateros",
        "clinica-ah-dzac",
        "dir-proteccion-civil",
        "mercado-santa-fe",
        "teatro-juventud",
    }
)
PI_SITES = frozenset(
    {
        "alcaldia",
        "casa-cultura-jaime-sabines",
        "centro-cultural-san-angel",
        "dir-proteccion-civil",
        "teatro-juventud",
    }
)


# collector/rules/catalogue.py explains each; minutes become seconds so that the story can be watched
_THRESHOLDS: dict[str, float] = {
    "power_clear_ms": 2_000,
    "replace_battery_raise_ms": 2_000,
    "replace_battery_clear_ms": 3_000,
    "silence_intervals": 4,
    "story_ms": 4_000,
    "story_quiet_ms": 2_000,
}


@dataclass(frozen=True, slots=True)
class Pace:
    """Shortened times of the demonstration."""

    timing: Timing = field(
        default_factory=lambda: Timing(
            sample_s=1, watch_s=1, frame_s=2, keepalive_s=5, resend_s=10, reconnect_s=3
        )
    )
    hold_off_ms: int = 3_000
    recovery_hold_ms: int = 3_000
    ups_values_ms: int = 2_000
    thresholds: dict[str, float] = field(default_factory=_THRESHOLDS.copy)


def devices(chosen: Sequence[SampleSite] | None = None) -> list[DevicePlan]:
    """Return a router for every facility, on the UPS where there is one, and a Pi at a few."""
    plans = []
    for site in sites() if chosen is None else chosen:
        ups = site.id in UPS_SITES
        feed = f"ups:{UPS_ID}" if ups else "mains"
        router = DevicePlan(f"{site.id}-router", site.id, "router", feed, feed, UPS_ID if ups else None)
        plans.append(router)
        if site.id in PI_SITES:
            plans.append(replace(router, name=f"{site.id}-pi", kind="pi", ups_id=None))
    return plans


def world(pace: Pace, *, seed: int, start_ms: int) -> World:
    """Return the world of the 40 facilities."""
    model = UpsModel(values_ms=pace.ups_values_ms)
    plans = [
        FacilityPlan(
            site=site.id,
            kind=site.kind,
            circuit=site.circuit,
            provider=site.provider,
            supply=Supply(nominal_v=site.nominal_v),
            ups=model if site.id in UPS_SITES else None,
        )
        for site in sites()
    ]
    return World(plans, seed=seed, start_ms=start_ms)
