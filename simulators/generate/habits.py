"""How often things happen and for how long: incidents by weight, nuisances by rate.

Weights are relative: of a hundred incidents of facilities like these some forty are the utility's, thirty
the way out, the rest machines, people and the centre. Durations are log-normal: median and spread.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from collector.model import Cause

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.generate.draft import Draft, Row

LEAD_S: Final = 600.0


def lasts(draft: Draft, median_s: float, spread: float = 0.8, least_s: float = 120.0) -> float:
    """Draw a duration."""
    return min(10_800.0, max(least_s, median_s * math.exp(draft.rng.gauss(0.0, spread))))


def site(draft: Draft) -> Row:
    """Draw a site."""
    return draft.rng.choice(draft.sites)


def device(draft: Draft, kinds: tuple[str, ...] = ("router", "pi")) -> str:
    """Draw a device of one of these kinds."""
    names = [part["id"] for one in draft.sites for part in one["device"] if part["kind"] in kinds]
    return str(draft.rng.choice(names))


def with_ups(draft: Draft) -> Row | None:
    """Draw a site that has a UPS."""
    found = [one for one in draft.sites if one.get("ups")]
    return draft.rng.choice(found) if found else None


# --- incidents ------------------------------------------------------------------------------------


def _feeder(draft: Draft, at_s: float) -> None:
    draft.add("mains_off", at_s, lasts(draft, 2400), {"circuit": draft.rng.choice(draft.circuits)})


def _house(draft: Draft, at_s: float) -> None:
    draft.add("mains_off", at_s, lasts(draft, 2400), {"site": site(draft)["id"]})


def _breaker(draft: Draft, at_s: float) -> None:
    draft.add("breaker_trip", at_s, lasts(draft, 3000), {"site": site(draft)["id"]}, leg=0)


def _flapping(draft: Draft, at_s: float) -> None:
    scope = {"circuit": draft.rng.choice(draft.circuits)}
    period_s, duty = draft.rng.choice((40, 120, 400)), draft.rng.choice((0.4, 0.7))
    draft.add("mains_flapping", at_s, lasts(draft, 900, 0.5), scope, period_s=period_s, duty=duty)


def _voltage(draft: Draft, at_s: float) -> None:
    kind, pu = draft.rng.choice((("sag", 0.7), ("sag", 0.3), ("undervoltage", 0.86), ("overvoltage", 1.1),
                                 ("swell", 1.18)))  # fmt: skip
    draft.add(kind, at_s, lasts(draft, 300), {"circuit": draft.rng.choice(draft.circuits)}, pu=pu)


def _provider(draft: Draft, at_s: float) -> None:
    draft.add("backhaul_down", at_s, lasts(draft, 2400), {"provider": draft.rng.choice(draft.providers)})


def _line(draft: Draft, at_s: float) -> None:
    draft.add("backhaul_down", at_s, lasts(draft, 2400), {"site": site(draft)["id"]})


def _slow_line(draft: Draft, at_s: float) -> None:
    more = {"loss": draft.rng.choice((0.1, 0.3, 0.5)), "latency_ms": 500}
    draft.add("backhaul_degraded", at_s, lasts(draft, 2400), {"site": site(draft)["id"]}, **more)


def _modem(draft: Draft, at_s: float) -> None:
    draft.add("modem_off", at_s, lasts(draft, 1800), {"site": site(draft)["id"]})


def _cable(draft: Draft, at_s: float) -> None:
    draft.add("wan_carrier_lost", at_s, lasts(draft, 1800), {"device": device(draft, ("router",))})


def _hang(draft: Draft, at_s: float) -> None:
    draft.add("device_hang", at_s, lasts(draft, 1500), {"device": device(draft)})


def _reboot(draft: Draft, at_s: float) -> None:
    draft.add("device_reboot", at_s, lasts(draft, 400, 0.4), {"device": device(draft, ("router",))})


def _crash(draft: Draft, at_s: float) -> None:
    draft.add("agent_crash", at_s, lasts(draft, 500, 0.5), {"device": device(draft)})


def _theft(draft: Draft, at_s: float) -> None:
    name, for_s = device(draft), lasts(draft, 5400, 0.4)
    if draft.add("device_removed", at_s, for_s, {"device": name}) and draft.rng.random() < 0.7:  # noqa: PLR2004
        draft.add("tamper_open", at_s - 60, for_s + 300, {"device": name})


def _planned(draft: Draft, at_s: float) -> None:
    scope = {"circuit": draft.rng.choice(draft.circuits)}
    for_s = lasts(draft, 3600, 0.3, 1200)
    if draft.add("mains_off", at_s + 300, for_s - 600, scope, planned=True):
        draft.add("planned_work", at_s, for_s, scope)


def _plug(draft: Draft, at_s: float) -> None:
    there = with_ups(draft)
    if there:
        draft.add("ups_unplugged", at_s, lasts(draft, 2400), {"site": there["id"]})


def _contact(draft: Draft, at_s: float) -> None:
    there = with_ups(draft)
    if there:
        draft.add("ups_contact_lost", at_s, lasts(draft, 1800), {"site": there["id"]})


def _wiring(draft: Draft, at_s: float) -> None:
    there = site(draft)
    if there["service"] == "1f2h":
        draft.add("bad_connection", at_s, lasts(draft, 3600), {"site": there["id"]}, leg=1, ohm=1.2)
    else:
        draft.add("open_neutral", at_s, lasts(draft, 900), {"site": there["id"]})


def _centre(draft: Draft, at_s: float) -> None:
    kind = draft.rng.choice(
        ("centre_uplink_down", "centre_uplink_down", "broker_down", "collector_down", "store_down")
    )
    draft.add(kind, at_s, lasts(draft, 900, 0.5), {})


# weight, what happens, and which verdict it is meant for: None where it makes no outage, or seldom
INCIDENTS: Final[tuple[tuple[float, Callable[[Draft, float], None], Cause | None], ...]] = (
    (24, _feeder, Cause.MAINS_AREA), (8, _house, Cause.MAINS_SITE), (6, _breaker, Cause.MAINS_SITE),
    (2, _flapping, Cause.MAINS_AREA), (5, _voltage, None), (8, _provider, Cause.BACKHAUL_PROVIDER),
    (12, _line, Cause.BACKHAUL_SITE), (3, _slow_line, None), (7, _modem, Cause.BACKHAUL_SITE),
    (4, _cable, Cause.BACKHAUL_SITE), (8, _hang, Cause.DEVICE), (6, _reboot, Cause.DEVICE),
    (3, _crash, Cause.DEVICE), (5, _theft, Cause.REMOVED), (5, _planned, Cause.PLANNED),
    (4, _plug, Cause.DEVICE), (2, _contact, None), (2, _wiring, None), (3, _centre, Cause.COLLECTOR),
)  # fmt: skip


def incident(draft: Draft, at_s: float, aim: Cause | None = None) -> None:
    """Let one thing happen: anything, or one of those that are meant for a verdict, by the same weights."""
    rows = [row for row in INCIDENTS if aim in {None, row[2]}]
    draft.rng.choices([happens for _, happens, _ in rows], [weight for weight, _, _ in rows])[0](draft, at_s)


# --- nuisances: nobody is to be told ----------------------------------------------------------------


def nuisances(draft: Draft, per_site_day: float = 1.0) -> None:
    """Scatter what happens anyway over all sites."""
    hours = draft.head["duration_s"] / 3600.0
    for there in draft.sites:
        if draft.rng.random() < 0.3:  # noqa: PLR2004 - some close
            draft.add("closed_building", 0, None, {"site": there["id"]})
        expected = per_site_day * hours / 24.0
        count = int(expected) + (draft.rng.random() < expected % 1.0)
        for _ in range(count):
            _nuisance(draft, there, draft.rng.uniform(LEAD_S, draft.head["duration_s"] - 600.0))


def _nuisance(draft: Draft, there: Row, at_s: float) -> None:
    rng, scope = draft.rng, {"site": there["id"]}
    agents = [part["id"] for part in there["device"] if part["kind"] in {"router", "pi"}]
    one = {"device": rng.choice(agents)}
    kind = rng.choice(("test", "reboot", "upgrade", "flicker", "clock", "crash"))
    if kind == "test" and there.get("ups"):
        draft.add("ups_self_test", at_s, rng.choice((8, 12, 20)), scope)
    elif kind == "reboot":
        draft.add("device_reboot", at_s, rng.uniform(30, 55), one)
    elif kind == "upgrade":
        draft.add("upgrade", at_s, rng.uniform(120, 240), one)
    elif kind == "flicker" and there.get("ups"):
        draft.add("mains_off", at_s, rng.uniform(0.5, 25), scope)
    elif kind == "clock":
        draft.add("clock_reset", at_s, 600, one)
    else:
        draft.add("agent_crash", at_s, 10, one)
