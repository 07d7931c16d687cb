"""The coincidences that mislead: each function makes one of them in the middle of a draft's time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.generate import habits
from simulators.generate.habits import lasts

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.generate.draft import Draft, Row


def _shaped(draft: Draft, feed: str, modem_feed: str) -> Row | None:
    """Draw a site whose router and modem are fed so."""
    found = []
    for site in draft.sites:
        feeds = {part["kind"]: part["feed"].partition(":")[0] for part in site["device"]}
        if (feeds["router"], feeds["modem"]) == (feed, modem_feed):
            found.append(site)
    return draft.rng.choice(found) if found else None


def mains_during_backhaul(draft: Draft, at_s: float) -> None:
    """Let mains fail while the provider is down."""
    there = habits.site(draft)
    draft.add("backhaul_down", at_s, 5400, {"provider": there["provider"]})
    draft.add("mains_off", at_s + 1200, lasts(draft, 1200, 0.3), {"circuit": there["circuit"]})


def modem_not_on_ups(draft: Draft, at_s: float) -> None:
    """Let mains fail where the UPS carries the router alone."""
    there = _shaped(draft, "ups", "mains") or habits.site(draft)
    draft.add("mains_off", at_s, lasts(draft, 1800, 0.4), {"site": there["id"]})


def ups_dies(draft: Draft, at_s: float) -> None:
    """Let a spent battery give out long before the mains return."""
    there = _shaped(draft, "ups", "ups") or habits.site(draft)
    for ups in there.get("ups", ()):
        ups["battery"] = "dead"
    draft.add("mains_off", at_s, lasts(draft, 3600, 0.3), {"site": there["id"]})


def plug_pulled(draft: Draft, at_s: float) -> None:
    """Let somebody need the socket."""
    there = habits.with_ups(draft)
    if there:
        draft.add("ups_unplugged", at_s, lasts(draft, 1800, 0.5), {"site": there["id"]})


def two_circuits(draft: Draft, at_s: float) -> None:
    """Let two feeders fail minutes apart."""
    for number, circuit in enumerate(draft.rng.sample(draft.circuits, min(2, len(draft.circuits)))):
        later_s = number * draft.rng.uniform(60, 240)
        draft.add("mains_off", at_s + later_s, lasts(draft, 2400, 0.4), {"circuit": circuit})


def reboot_beside(draft: Draft, at_s: float) -> None:
    """Let a router reboot just when its neighbours go dark."""
    circuit, other = draft.rng.choice(draft.circuits), habits.site(draft)
    draft.add("mains_off", at_s, lasts(draft, 1800, 0.4), {"circuit": circuit})
    if other["circuit"] != circuit:
        draft.add(
            "device_reboot", at_s + draft.rng.uniform(-20, 40), 240, {"device": f"{other['id']}-router"}
        )


def window_overruns(draft: Draft, at_s: float) -> None:
    """Let announced work take longer than announced."""
    scope = {"circuit": draft.rng.choice(draft.circuits)}
    draft.add("planned_work", at_s, 3600, scope)
    draft.add("mains_off", at_s + 300, 3300 + draft.rng.uniform(1200, 3600), scope, planned=True)


def blackout(draft: Draft, at_s: float) -> None:
    """Let the whole region go dark."""
    draft.add("mains_off", at_s, lasts(draft, 3600, 0.3), {"lat": 19.36, "lon": -99.2, "radius_m": 20_000.0})


def earthquake(draft: Draft, at_s: float) -> None:
    """Let everything go dark at once and return street by street; a provider goes with it."""
    for circuit in draft.circuits:
        draft.add("mains_off", at_s, lasts(draft, 2400, 0.7, 600), {"circuit": circuit})
    draft.add("backhaul_down", at_s, lasts(draft, 5400, 0.3), {"provider": "radio"})


def centre_alone(draft: Draft, at_s: float) -> None:
    """Let the centre lose its uplink; nothing else happens."""
    draft.add("centre_uplink_down", at_s, lasts(draft, 1200, 0.4), {})


AWKWARD: Final[tuple[Callable[[Draft, float], None], ...]] = (
    mains_during_backhaul, modem_not_on_ups, ups_dies, plug_pulled, two_circuits, reboot_beside,
    window_overruns, blackout, earthquake, centre_alone,
)  # fmt: skip
