"""Facilities on feeders: who is near whom, who hangs on what, what carries what."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random

    from simulators.generate.draft import Draft, Row

LAT: Final = 19.36
LON: Final = -99.20
METRE: Final = 1.0 / 111_195.0  # degrees of latitude
KINDS: Final = ("library", "community-center", "market", "park", "clinic", "administration", "theater")

# how facilities are built, and how often: (weight, name)
BUILDS: Final = (
    (40, "carried"),  # UPS for modem and router
    (20, "modem-on-mains"),  # UPS for the router alone
    (15, "two-on-mains"),  # no UPS, router and Pi
    (15, "lone"),  # no UPS, a router
    (10, "large"),  # UPS, switch, access point over the cable, and a Pi on the mains
)
BATTERIES: Final = ((60, "new"), (30, "aged"), (10, "dead"))


def settle(draft: Draft, sites: int) -> None:
    """Build a town of so many facilities."""
    rng = draft.rng
    draft.providers = ["cable", "fibre", "radio"]
    number = 0
    while number < sites:
        circuit = f"feeder-{len(draft.circuits) + 1}"
        draft.circuits.append(circuit)
        centre = _away(rng, LAT, LON, 4000.0)
        for _ in range(min(sites - number, rng.choice((1, 2, 2, 3, 3, 4, 5)))):
            number += 1
            draft.sites.append(_site(rng, f"s{number:02d}", circuit, _away(rng, *centre, 350.0)))
    _share_premises(draft)


def _site(rng: Random, name: str, circuit: str, where: tuple[float, float]) -> Row:
    service = rng.choice(("1f2h", "1f2h", "2f3h", "2f3h", "3f4h"))
    legs = int(service[0])
    site: Row = {
        "id": name,
        "lat": where[0],
        "lon": where[1],
        "circuit": circuit,
        "provider": rng.choices(("cable", "fibre", "radio"), (5, 4, 2))[0],
        "service": service,
        "kind": rng.choice(KINDS),
    }
    build = pick(rng, BUILDS)
    leg = rng.randint(1, legs)
    if build in {"carried", "modem-on-mains", "large"}:
        site["ups"] = [{"id": "rack", "leg": leg, "battery": pick(rng, BATTERIES)}]
    site["device"] = _devices(name, build, f"mains:{leg}", f"mains:{rng.randint(1, legs)}")
    if rng.random() < 0.25:  # noqa: PLR2004 - a quarter has meters
        site["meter"] = [{"leg": one} for one in range(1, legs + 1)]
    return site


def _devices(name: str, build: str, mains: str, other: str) -> list[Row]:
    ups = "ups:rack"
    modem_feed = ups if build in {"carried", "large"} else mains
    router_feed = mains if build in {"two-on-mains", "lone"} else ups
    modem: Row = {"id": f"{name}-modem", "kind": "modem", "feed": modem_feed}
    router: Row = {"id": f"{name}-router", "kind": "router", "feed": router_feed, "uplink": f"{name}-modem"}
    found = [modem, router]
    if build == "large":
        switch = f"{name}-switch"
        found.append({"id": switch, "kind": "switch", "feed": ups, "uplink": f"{name}-router"})
        found.append({"id": f"{name}-ap", "kind": "ap", "feed": f"poe:{switch}", "uplink": switch})
        found.append({"id": f"{name}-pi", "kind": "pi", "feed": other, "uplink": switch})
    if build == "two-on-mains":
        found.append({"id": f"{name}-pi", "kind": "pi", "feed": other, "uplink": f"{name}-router"})
    return found


def _share_premises(draft: Draft) -> None:
    """Let now and then two facilities of one feeder stand in one building."""
    for circuit in draft.circuits:
        there = draft.of_circuit(circuit)
        if len(there) > 2 and draft.rng.random() < 0.2:  # noqa: PLR2004 - some
            for site in there[:2]:
                site["premises"] = f"house-{circuit}"
            there[1]["lat"], there[1]["lon"] = there[0]["lat"], there[0]["lon"]


def pick(rng: Random, table: tuple[tuple[float, str], ...]) -> str:
    """Draw a name by its weight."""
    return rng.choices([name for _, name in table], [weight for weight, _ in table])[0]


def _away(rng: Random, lat: float, lon: float, metres: float) -> tuple[float, float]:
    """Return a point at most so far away."""
    far, turn = metres * math.sqrt(rng.random()), rng.uniform(0.0, 2.0 * math.pi)
    north, east = far * math.cos(turn), far * math.sin(turn)
    return round(lat + north * METRE, 5), round(lon + east * METRE / math.cos(math.radians(lat)), 5)
