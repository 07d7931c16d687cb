"""What the demonstration is made of: which facility has what, and its shortened times."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulators.plans import DevicePlan, Timing
from simulators.sample import SampleSite, sites
from simulators.scenario.model import Constants, DevicePart, SitePart, UpsPart
from simulators.world.world import World

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
    "power_clear_ms": 7_000,  # longer than a UPS waits before it goes back to the line, its status told
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
    # a restart would take longer than the story; no chance in it
    constants: Constants = field(
        default_factory=lambda: Constants(ups_values_s=2.0, boot_s=2.0, modem_boot_s=2.0, usb_drops=0.0)
    )
    thresholds: dict[str, float] = field(default_factory=_THRESHOLDS.copy)


def places() -> list[SitePart]:
    """Return the 40 facilities: router and modem in each, on a UPS or the mains, a Pi at a few."""
    return [_place(site) for site in sites()]


def devices() -> list[DevicePlan]:
    """Return everything that has an agent."""
    return [DevicePlan(part.id, site.id) for site in places() for part in site.device if part.has_agent]


def world(pace: Pace, *, seed: int, start_ms: int) -> World:
    """Return the world of the 40 facilities."""
    return World(places(), seed=seed, start_ms=start_ms, constants=pace.constants)


def _place(site: SampleSite) -> SitePart:
    feed = f"ups:{UPS_ID}" if site.id in UPS_SITES else "mains:1"
    router, modem = f"{site.id}-router", f"{site.id}-modem"
    parts = [
        DevicePart(id=modem, kind="modem", feed=feed),
        DevicePart(id=router, kind="router", feed=feed, uplink=modem),
    ]
    if site.id in PI_SITES:
        parts.append(DevicePart(id=f"{site.id}-pi", kind="pi", feed=feed, uplink=router))
    return SitePart(
        id=site.id,
        kind=site.kind,
        circuit=site.circuit,
        provider=site.provider,
        nominal_v=site.nominal_v,
        ups=(UpsPart(id=UPS_ID),) if site.id in UPS_SITES else (),
        device=tuple(parts),
    )
