"""More of what happens anyway and is nobody's business: shorter than an outage, or within what is normal.

They are scattered over quiet sets only, so that an ordinary seed gives the scenarios it always gave.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.generate import habits

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.generate.draft import Draft, Row


def more(draft: Draft, per_site_day: float) -> None:
    """Scatter them."""
    end_s = draft.head["duration_s"]
    count = round(per_site_day * len(draft.sites) * end_s / 86_400)
    for _ in range(count):
        there = habits.site(draft)
        draft.rng.choice(KINDS)(draft, there, draft.rng.uniform(habits.LEAD_S, end_s - 600.0))


def _blinks(draft: Draft, _there: Row, at_s: float) -> None:
    """Let the supply of a site blink whose UPS carries it."""
    there = _carried(draft)
    if there:
        draft.add("mains_off", at_s, draft.rng.uniform(0.5, 25), {"site": there["id"]})


def _blinks_twice(draft: Draft, _there: Row, at_s: float) -> None:
    """Let it blink again half a minute later, as a recloser does."""
    there = _carried(draft)
    for later_s in (0.0, draft.rng.uniform(25, 60)):
        if there:
            draft.add("mains_off", at_s + later_s, draft.rng.uniform(0.5, 8), {"site": there["id"]})


def _carried(draft: Draft) -> Row | None:
    """Draw a site whose way out stays up without mains; a spent battery carries nothing."""
    found = [site for site in draft.sites if _holds(site)]
    return draft.rng.choice(found) if found else None


def _holds(site: Row) -> bool:
    feeds = {part["kind"]: part["feed"].partition(":")[0] for part in site["device"]}
    batteries = {ups["battery"] for ups in site.get("ups", ())}
    return feeds["router"] == feeds["modem"] == "ups" and "dead" not in batteries


def _dip(draft: Draft, there: Row, at_s: float) -> None:
    """Let a motor start near by."""
    pu = draft.rng.choice((0.6, 0.75, 0.85))
    draft.add("sag", at_s, draft.rng.uniform(0.5, 10), {"circuit": there["circuit"]}, pu=pu)


def _low_but_normal(draft: Draft, there: Row, at_s: float) -> None:
    """Let the voltage be low, as the utility may deliver it."""
    pu = draft.rng.uniform(0.955, 0.98)
    draft.add(
        "undervoltage", at_s, draft.rng.uniform(600, 3600), {"circuit": there["circuit"]}, pu=round(pu, 3)
    )


def _high_but_normal(draft: Draft, there: Row, at_s: float) -> None:
    """Let the voltage be high, as at night."""
    pu = draft.rng.uniform(1.02, 1.045)
    draft.add(
        "overvoltage", at_s, draft.rng.uniform(600, 3600), {"circuit": there["circuit"]}, pu=round(pu, 3)
    )


def _line_blinks(draft: Draft, there: Row, at_s: float) -> None:
    """Let the way out of a site be gone for less than somebody waits."""
    draft.add("backhaul_down", at_s, draft.rng.uniform(3, 45), {"site": there["id"]})


def _provider_blinks(draft: Draft, there: Row, at_s: float) -> None:
    """Let a provider restart a router."""
    draft.add("backhaul_down", at_s, draft.rng.uniform(3, 40), {"provider": there["provider"]})


def _lossy(draft: Draft, there: Row, at_s: float) -> None:
    """Let a line lose some packets for a while."""
    more_ = {"loss": draft.rng.choice((0.02, 0.05)), "latency_ms": draft.rng.choice((80, 150))}
    draft.add("backhaul_degraded", at_s, draft.rng.uniform(120, 1200), {"site": there["id"]}, **more_)


def _modem_blinks(draft: Draft, there: Row, at_s: float) -> None:
    """Let somebody touch the cable between router and modem."""
    routers = [part["id"] for part in there["device"] if part["kind"] == "router"]
    draft.add("wan_carrier_lost", at_s, draft.rng.uniform(2, 30), {"device": routers[0]})


def _stutters(draft: Draft, there: Row, at_s: float) -> None:
    """Let a device stand still for a moment, as with a slow flash."""
    agents = [part["id"] for part in there["device"] if part["kind"] in {"router", "pi"}]
    draft.add("device_hang", at_s, draft.rng.uniform(5, 40), {"device": draft.rng.choice(agents)})


def _centre_blinks(draft: Draft, _there: Row, at_s: float) -> None:
    """Let the centre restart, or its way out be gone for a moment."""
    kind = draft.rng.choice(("collector_down", "store_down", "broker_down", "centre_uplink_down"))
    draft.add(kind, at_s, draft.rng.uniform(3, 40), {})


KINDS: Final[tuple[Callable[[Draft, Row, float], None], ...]] = (
    _blinks, _blinks_twice, _dip, _low_but_normal, _high_but_normal, _line_blinks, _provider_blinks,
    _lossy, _modem_blinks, _stutters, _centre_blinks,
)  # fmt: skip
