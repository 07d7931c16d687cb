"""Which verdicts are right for an outage that an event makes: the event's kind, and how far it reaches.

The first verdict names the outage in the tables of the evaluation; any of them is right.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from collector.model import Cause
from simulators.scenario import checks
from simulators.scenario.kinds import Scope
from simulators.world.happenings import covers

if TYPE_CHECKING:
    from simulators.scenario.model import EventPart, Scenario


class Reach(StrEnum):
    """How far an event reaches."""

    MANY = "many"  # two premises or more
    ONE = "one"  # a circuit, a provider or a circle, but one premises only
    SITE = "site"  # said of one site or device
    CENTRE = "centre"


Right = tuple[Cause, ...]
_SUPPLY: Final[dict[Reach, Right]] = {
    Reach.MANY: (Cause.MAINS_AREA,),
    Reach.ONE: (Cause.MAINS_SITE, Cause.MAINS_AREA),
    Reach.SITE: (Cause.MAINS_SITE,),
}
_LINE: Final[dict[Reach, Right]] = {
    Reach.MANY: (Cause.BACKHAUL_PROVIDER,),
    Reach.ONE: (Cause.BACKHAUL_PROVIDER, Cause.BACKHAUL_SITE),
    # beyond the modem, at one site: the last mile; a call and a visit are both right
    Reach.SITE: (Cause.BACKHAUL_SITE, Cause.BACKHAUL_PROVIDER),
}
_WIRING: Final[dict[Reach, Right]] = {Reach.SITE: (Cause.MAINS_SITE,)}
_LINK: Final[dict[Reach, Right]] = {Reach.SITE: (Cause.BACKHAUL_SITE,)}
_DEVICE: Final[dict[Reach, Right]] = {Reach.SITE: (Cause.DEVICE,)}
_CENTRE: Final[dict[Reach, Right]] = {Reach.CENTRE: (Cause.COLLECTOR,)}

# kinds that are not here make no outage
RIGHT: Final[dict[str, dict[Reach, Right]]] = {
    "mains_off": _SUPPLY,
    "mains_flapping": _SUPPLY,
    "sag": _SUPPLY,
    "swell": _SUPPLY,
    "undervoltage": _SUPPLY,
    "overvoltage": _SUPPLY,
    "breaker_trip": _WIRING,
    "bad_connection": _WIRING,
    "open_neutral": _WIRING,
    "overload": _DEVICE,
    "ups_unplugged": {Reach.SITE: (Cause.DEVICE, Cause.MAINS_SITE)},
    "ups_self_test": _DEVICE,
    "backhaul_down": _LINE,
    "backhaul_degraded": _LINE,
    "modem_off": _LINK,
    "wan_carrier_lost": _LINK,
    "device_hang": _DEVICE,
    "device_reboot": _DEVICE,
    "agent_crash": _DEVICE,
    "device_removed": {Reach.SITE: (Cause.REMOVED,)},
    "upgrade": {Reach.SITE: (Cause.PLANNED, Cause.DEVICE)},
    "broker_down": _CENTRE,
    "collector_down": _CENTRE,
    "store_down": _CENTRE,
    "centre_uplink_down": _CENTRE,
}
POWER: Final = frozenset(
    {"mains_off", "mains_flapping", "sag", "swell", "undervoltage", "overvoltage", "breaker_trip",
     "bad_connection", "open_neutral"}
)  # fmt: skip
# what a device that nothing else vouches for tells afterwards is a restart, whichever of these it was
RESTARTING: Final = POWER | {"device_reboot"}


def reach(event: EventPart, scenario: Scenario) -> Reach:
    """Say how far an event reaches in a scenario."""
    scope = checks.scope_of(event.scope)
    if scope is Scope.CENTRE:
        return Reach.CENTRE
    if scope in {Scope.SITE, Scope.DEVICE}:
        return Reach.SITE
    premises = {site.building for site in scenario.site if covers(event.scope, site)}
    return Reach.MANY if len(premises) > 1 else Reach.ONE


def right(event: EventPart, scenario: Scenario) -> Right:
    """Return the verdicts that are right for what an event makes."""
    return RIGHT[event.kind][reach(event, scenario)]
