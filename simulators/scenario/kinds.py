"""The kinds of events as one table: where each may act, what it takes, what holds when that is not given.

`docs/scenarios.md` shows this table; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Scope(StrEnum):
    """What a scope may name. CIRCLE stands for ``lat``, ``lon`` and ``radius_m`` together."""

    CIRCUIT = "circuit"
    PROVIDER = "provider"
    SITE = "site"
    DEVICE = "device"
    CIRCLE = "circle"
    CENTRE = "centre"  # the empty scope


class Join(StrEnum):
    """What becomes of several events of a kind that hold at once on one thing."""

    OR = "or"  # a fact holds when any says so
    PRODUCT = "product"  # per-unit factors multiply
    LATER = "later"  # the one that began last wins; of two that began together the one further down


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that an event takes: unit, legal range, default (None: it has to be given)."""

    unit: str
    low: float
    high: float
    default: float | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind. ``lasts_s``: how long it holds without ``for_s``; None: to the end of the scenario."""

    scopes: frozenset[Scope]
    meaning: str
    parameters: dict[str, Parameter] = field(default_factory=dict)
    join: Join = Join.OR
    lasts_s: float | None = None


SUPPLY: Final = frozenset({Scope.CIRCUIT, Scope.SITE, Scope.CIRCLE})
BUILDING: Final = frozenset({Scope.SITE})
LINE: Final = frozenset({Scope.PROVIDER, Scope.SITE, Scope.CIRCLE})
DEVICE: Final = frozenset({Scope.SITE, Scope.DEVICE})
CENTRE: Final = frozenset({Scope.CENTRE})
WINDOW: Final = frozenset(Scope) - {Scope.DEVICE}

_LEG: Final = Parameter("", 1, 3, whole=True)
_EVERY_LEG: Final = Parameter("", 0, 3, default=0, whole=True)

KINDS: Final[dict[str, Kind]] = {
    # --- the supply -----------------------------------------------------------------------------
    "mains_off": Kind(SUPPLY, "no voltage arrives at the connection"),
    "mains_flapping": Kind(
        SUPPLY,
        "the supply goes off at once, and again every `period_s`, each time for `duty` of the period",
        {"period_s": Parameter("s", 1, 86_400, 60), "duty": Parameter("/", 0.01, 0.99, 0.5)},
    ),
    "sag": Kind(SUPPLY, "voltage times `pu`", {"pu": Parameter("/", 0.01, 1, 0.7)}, Join.PRODUCT),
    "swell": Kind(SUPPLY, "voltage times `pu`", {"pu": Parameter("/", 1, 2, 1.2)}, Join.PRODUCT),
    "undervoltage": Kind(SUPPLY, "voltage times `pu`", {"pu": Parameter("/", 0.5, 1, 0.85)}, Join.PRODUCT),
    "overvoltage": Kind(SUPPLY, "voltage times `pu`", {"pu": Parameter("/", 1, 1.5, 1.12)}, Join.PRODUCT),
    "frequency": Kind(SUPPLY, "the mains run at `hz`", {"hz": Parameter("Hz", 40, 70, 58.5)}, Join.LATER),
    # --- the building's wiring ------------------------------------------------------------------
    "breaker_trip": Kind(
        BUILDING, "the breaker of `leg` is open; 0 is the main breaker", {"leg": _EVERY_LEG}, Join.OR
    ),
    "bad_connection": Kind(
        BUILDING,
        "`ohm` in series with `leg`: voltage drops with the current that flows there",
        {"leg": _LEG, "ohm": Parameter("Ohm", 0.01, 50, 1.5)},
        Join.LATER,
    ),
    "open_neutral": Kind(
        BUILDING, "the neutral is interrupted: the loads of the legs divide the voltage between them"
    ),
    # --- UPSes ----------------------------------------------------------------------------------
    "overload": Kind(
        DEVICE,
        "the UPS carries `load_pct` of what it is built for",
        {"load_pct": Parameter("%", 1, 300, 115)},
        Join.LATER,
    ),
    "ups_contact_lost": Kind(DEVICE, "the UPS and who reads it lose contact; it goes on feeding"),
    "ups_unplugged": Kind(DEVICE, "somebody pulled the plug of the UPS: its input is dead"),
    "ups_self_test": Kind(DEVICE, "the UPS tests itself: on battery with mains good", lasts_s=10),
    # --- the way out ----------------------------------------------------------------------------
    "backhaul_down": Kind(LINE, "nothing passes beyond the modem; its link stays up"),
    "backhaul_degraded": Kind(
        LINE,
        "packets are lost and late",
        {"loss": Parameter("/", 0, 1, 0.2), "latency_ms": Parameter("ms", 0, 60_000, 400)},
        Join.LATER,
    ),
    "modem_off": Kind(DEVICE, "the modem is without power, or hangs with its ports dead"),
    "wan_carrier_lost": Kind(DEVICE, "the cable between router and modem has no link"),
    # --- devices --------------------------------------------------------------------------------
    "device_hang": Kind(DEVICE, "the device stands still with its ports up, then goes on without a restart"),
    "device_reboot": Kind(DEVICE, "the device restarts by itself and is away meanwhile", lasts_s=60),
    "agent_crash": Kind(DEVICE, "the agent dies and is started anew afterwards", lasts_s=10),
    "device_removed": Kind(DEVICE, "somebody took the device away; what comes back is another unit"),
    "tamper_open": Kind(DEVICE, "the tamper contact is open"),
    "clock_reset": Kind(DEVICE, "the clock is not set, as after a boot without network", lasts_s=600),
    "clock_wrong": Kind(
        DEVICE,
        "the clock claims to be right and is off by `offset_s`",
        {"offset_s": Parameter("s", -1e8, 1e8)},
        Join.LATER,
    ),
    "radio_silent": Kind(DEVICE, "the radios send nothing; the device goes on"),
    "cable_damaged": Kind(
        DEVICE,
        "the port of the device negotiates `speed_mbps` only",
        {"speed_mbps": Parameter("Mbit/s", 10, 1000, 10, whole=True)},
        Join.LATER,
    ),
    "upgrade": Kind(
        DEVICE, "the firmware is changed: the agent says that it stops, the device restarts", lasts_s=240
    ),
    # --- people ---------------------------------------------------------------------------------
    "closed_building": Kind(BUILDING | {Scope.CIRCLE}, "nobody is in the building"),
    "planned_work": Kind(
        WINDOW,
        "a window that was announced to the centre; what happens in it is events of their own",
    ),
    # --- the centre -----------------------------------------------------------------------------
    "broker_down": Kind(CENTRE, "the broker does not run; sessions are lost if it dies without saving"),
    "collector_down": Kind(CENTRE, "the ingest does not run"),
    "store_down": Kind(CENTRE, "the store refuses writes"),
    "centre_uplink_down": Kind(CENTRE, "the centre reaches nobody outside, nobody reaches the centre"),
}
