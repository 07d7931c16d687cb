"""Every number and every condition of the rules, with unit and source.

Thresholds can be set for all, per kind of facility and per site, by name; a later layer wins. A condition
says how grave it is, who is told, at what hours, and how long it must last before a person is told.
"""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from collector.model import Cause, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

Thresholds = dict[str, float]


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number that may differ per site; ``source`` says where the default comes from."""

    name: str
    default: float
    unit: str
    source: str


THRESHOLDS: Final = (
    Threshold("supply_lost_below_pu", 0.1, "pu", "IEEE 1159: an interruption is below 0.1 pu"),
    Threshold("supply_back_above_pu", 0.5, "pu", "IEEE 1159: 0.5 pu and less is no usable supply"),
    Threshold("input_refresh_grace_ms", 5_000, "ms", "drivers refresh status and input one poll (2 s) apart"),
    Threshold(
        "input_blind_after_ms", 60_000, "ms", "a UPS on line that reads no input that long cannot measure"
    ),
    Threshold("power_clear_ms", 10_000, "ms", "one full sample after the line came back"),
    Threshold("battery_low_clear_ms", 10_000, "ms", "one full sample without the flag"),
    Threshold(
        "replace_battery_raise_ms", 60_000, "ms", "RB flashes at self-tests and on some drivers (NUT #3623)"
    ),
    Threshold("replace_battery_clear_ms", 600_000, "ms", "a new battery is reported steadily"),
    Threshold("contact_lost_raise_ms", 15_000, "ms", "upsmon's DEADTIME"),
    Threshold("contact_lost_clear_ms", 10_000, "ms", "one full sample with contact"),
    Threshold(
        "clock_step_ms", 300_000, "ms", "a sample that much older is a corrected clock, not a late sample"
    ),
    Threshold("silence_intervals", 2.5, "frame intervals", "two lost frames and half an interval of delay"),
    Threshold("default_frame_ms", 30_000, "ms", "the agent's default interval, when none was announced"),
    Threshold("death_grace_ms", 5_000, "ms", "a takeover sends the old will just before the new birth"),
    Threshold("story_ms", 20_000, "ms", "time in which a device that came back tells what happened"),
    Threshold("story_quiet_ms", 5_000, "ms", "its backlog is over when nothing came for that long"),
    Threshold("story_limit_ms", 300_000, "ms", "a longer backlog is not waited for"),
    Threshold(
        "power_fresh_ms", 120_000, "ms", "a UPS on line this long before silence says nothing any more"
    ),
    Threshold("planned_stop_ms", 900_000, "ms", "who stops a device in order starts it again within 15 min"),
    Threshold("silent_together_ms", 90_000, "ms", "devices that fall silent within one detection time"),
    Threshold("story_others_ms", 120_000, "ms", "machines of one site boot within two minutes of each other"),
    Threshold("box_opened_ms", 900_000, "ms", "who opens a box to take the device needs no longer"),
    Threshold("battery_use_ms", 300_000, "ms", "in five minutes even a small load takes some per cent"),
    Threshold("battery_used_percent", 8.0, "%", "more than a charge's reading wavers"),
    Threshold("ran_on_ms", 150_000, "ms", "two detection times: what fed it outlasted its way out"),
    Threshold("self_test_ms", 30_000, "ms", "self-tests of small UPSes last 10 to 20 s"),
    Threshold("security_quiet_ms", 86_400_000, "ms", "a day: a copied card comes on whenever it is used"),
    Threshold("neighbours_dark_count", 2, "premises", "this one and another, within minutes: no coincidence"),
    Threshold("neighbours_dark_share", 0.3, "of premises", "k of n, as in last-gasp practice of utilities"),
    Threshold(
        "neighbours_radius_m", 1_000, "m", "an urban low-voltage network and the feeder's next section"
    ),
    Threshold(
        "neighbours_together_ms", 180_000, "ms", "two detection times: silence is noticed up to 75 s late"
    ),
    Threshold("neighbours_fine_after_ms", 40_000, "ms", "a frame of 30 s after the fall has come in by then"),
    Threshold(
        "provider_dark_share", 0.5, "of premises", "a provider that fails takes most of its sites along"
    ),
    Threshold("cofailure_times", 3, "falls", "fewer say nothing (arXiv 1912.03357 drops rare pairs)"),
    Threshold("cofailure_share", 0.5, "of falls", "a pair that mostly falls together hangs on one thing"),
    Threshold("left_behind_ms", 900_000, "ms", "breakers are switched and machines booted in 15 min"),
    Threshold("window_slack_ms", 60_000, "ms", "a silence is dated by the last frame before it"),
    Threshold("window_overrun_ms", 300_000, "ms", "machines boot after the work has ended"),
    Threshold("deaf_slack_ms", 60_000, "ms", "a frame interval and a delivery before the probe failed"),
)
DEFAULTS: Final[Thresholds] = {threshold.name: threshold.default for threshold in THRESHOLDS}


class UnknownThresholdError(Exception):
    """A name that is not in the catalogue, or a value that is no number; says which one was meant."""


def resolve(*layers: Mapping[str, float]) -> Thresholds:
    """Lay overrides over the defaults; the last layer wins. ``UnknownThresholdError`` for other names."""
    found = dict(DEFAULTS)
    for layer in layers:
        for name, value in layer.items():
            _check(name, value)
            found[name] = value
    return found


def _check(name: str, value: float) -> None:
    if name not in DEFAULTS:
        near = difflib.get_close_matches(name, DEFAULTS, n=1, cutoff=0.4)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise UnknownThresholdError(f"unknown threshold '{name}'{hint}")
    if not math.isfinite(value) or value < 0:
        raise UnknownThresholdError(f"threshold '{name}' must be a number of 0 or more")


class Route(StrEnum):
    """Who is told. NOBODY: recorded and shown, never sent."""

    CREW = "crew"
    DISPATCHER = "dispatcher"
    MAINTENANCE = "maintenance"
    NOBODY = "nobody"


class Hours(StrEnum):
    """When a message may go out: at any hour, or in the configured working hours."""

    ANY = "any"
    WORKING = "working"


@dataclass(frozen=True, slots=True)
class Condition:
    """How grave a condition is and who is told, after ``hold_off_ms`` at most (None: as configured)."""

    name: str
    severity: Severity
    route: Route
    hours: Hours = Hours.ANY
    hold_off_ms: int | None = None


_CONDITIONS: Final = (
    Condition("supply_lost", Severity.CRITICAL, Route.CREW),
    Condition("on_battery", Severity.WARNING, Route.CREW),
    # half a minute: a spent battery is low the moment a flicker begins
    Condition("battery_low", Severity.CRITICAL, Route.CREW, hold_off_ms=30_000),
    Condition("battery_replace", Severity.WARNING, Route.MAINTENANCE, Hours.WORKING),
    Condition("ups_contact_lost", Severity.WARNING, Route.MAINTENANCE, Hours.WORKING),
    Condition("ups_self_test", Severity.INFO, Route.NOBODY),
    Condition("outage", Severity.CRITICAL, Route.CREW),
    Condition("area", Severity.CRITICAL, Route.DISPATCHER),  # many outages of one cause: see alerts/storm
    Condition("device_silent", Severity.WARNING, Route.CREW),
    Condition("security", Severity.WARNING, Route.DISPATCHER),  # keys are revoked at the centre
)
CONDITIONS: Final = {condition.name: condition for condition in _CONDITIONS}

# Where the cause decides who can do something about it.
CAUSE_ROUTES: Final = {
    Cause.MAINS_AREA: Route.DISPATCHER,  # the utility repairs it; a crew would find nothing to do
    Cause.BACKHAUL_PROVIDER: Route.DISPATCHER,  # a call to the provider, not a visit
    Cause.COLLECTOR: Route.DISPATCHER,  # our own centre
    Cause.PLANNED: Route.NOBODY,
}


def route(condition: str, cause: Cause | None) -> Route:
    """Say who is told of a condition with this cause."""
    if cause in CAUSE_ROUTES:
        return CAUSE_ROUTES[cause]
    return CONDITIONS[condition].route


SEVERITY_ORDER: Final = (Severity.INFO, Severity.WARNING, Severity.CRITICAL, Severity.HAZARD)


def rank(severity: str) -> int:
    """Order severities: info 0, warning 1, critical 2, hazard 3. ValueError for anything else."""
    return SEVERITY_ORDER.index(Severity(severity))
