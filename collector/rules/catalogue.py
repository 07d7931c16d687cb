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
    Threshold("undervoltage_below_pu", 0.9, "pu", "CFE's tolerance of 10 % (Reglamento LSPEE, article 18)"),
    Threshold("undervoltage_clear_pu", 0.92, "pu", "2 % above: noise of the mains is about 1 %"),
    Threshold("overvoltage_above_pu", 1.1, "pu", "CFE's tolerance of 10 % (Reglamento LSPEE, article 18)"),
    Threshold("overvoltage_clear_pu", 1.08, "pu", "2 % below: noise of the mains is about 1 %"),
    Threshold("voltage_raise_ms", 60_000, "ms", "IEEE 1159: sustained is longer than a minute"),
    Threshold("voltage_clear_ms", 60_000, "ms", "as long as it took"),
    Threshold(
        "hazard_above_pu", 1.15, "pu", "a lost neutral begins there; supplies and varistors burn above"
    ),
    Threshold("hazard_clear_pu", 1.1, "pu", "back within the supply's tolerance"),
    Threshold("hazard_clear_ms", 60_000, "ms", "a loose neutral makes contact for seconds"),
    Threshold("hazard_apart_ms", 3_000, "ms", "two readings: one alone may be a transient or an error"),
    Threshold("voltage_beyond_pu", 2.2, "pu", "a lost neutral gives 1.73 at most: more is a wrong reading"),
    Threshold(
        "reading_gap_ms", 120_000, "ms", "readings further apart show nothing of the time between them"
    ),
    Threshold(
        "value_stale_ms", 120_000, "ms", "NUT's slow drivers refresh within 30 s; twice missed is stale"
    ),
    Threshold("nominal_hz", 60, "Hz", "the frequency of Mexico's supply"),
    Threshold(
        "frequency_off_hz", 1, "Hz", "the supply's tolerance of 0.8 %, and 0.5 Hz of a cheap UPS's error"
    ),
    Threshold("frequency_clear_hz", 0.7, "Hz", "nearer than it was raised"),
    Threshold(
        "transfers_count", 5, "transfers", "so many in a day are no accident: loose contact or bad supply"
    ),
    Threshold("transfers_window_ms", 86_400_000, "ms", "a day"),
    Threshold(
        "regulating_share", 0.25, "of a day", "six hours of a day below or above what the UPS passes on"
    ),
    Threshold("regulating_clear_share", 0.1, "of a day", "less than half of what raised it"),
    Threshold("overload_percent", 100, "%", "above what the UPS is built for it drops the load on battery"),
    Threshold("overload_clear_percent", 95, "%", "5 % below"),
    Threshold("overload_raise_ms", 30_000, "ms", "longer than motors and printers take to start"),
    Threshold("overload_clear_ms", 60_000, "ms", "two refreshes of a slow driver"),
    Threshold("runtime_low_s", 300, "s", "shorter than a crew's call to the building takes"),
    Threshold("runtime_clear_s", 420, "s", "40 % more: the estimate follows the load"),
    Threshold("runtime_raise_ms", 300_000, "ms", "a load that is only switched on for a moment"),
    Threshold("battery_charged_percent", 90, "%", "chargers slow down above; the last tenth says little"),
    Threshold(
        "battery_aged_share", 0.6, "of its runtime", "IEEE 1188 replaces at 80 % of capacity; runtimes vary"
    ),
    Threshold(
        "battery_weak_share", 0.8, "of its runtime", "IEEE 1188: 80 %, where outages outlast it as well"
    ),
    Threshold("battery_outages", 5, "outages", "a median of fewer says nothing of a site"),
    Threshold("charge_stalled_ms", 10_800_000, "ms", "UPSes recharge in 4 to 8 h; 3 h without 1 % is none"),
    Threshold("charge_rise_percent", 1, "%", "the step of most UPSes"),
    Threshold("ups_hot_above_c", 55, "Cel", "published dumps of healthy UPSes show up to 50"),
    Threshold("ups_hot_clear_c", 50, "Cel", "5 below"),
    Threshold("ups_hot_raise_ms", 300_000, "ms", "heat is slow; a single reading may be wrong"),
    Threshold("wiring_raise_ms", 60_000, "ms", "a UPS may say so while it is plugged in"),
    Threshold("wiring_clear_ms", 600_000, "ms", "a repaired socket is reported steadily"),
    Threshold("board_low_raise_ms", 30_000, "ms", "a dip when a radio starts is shorter"),
    Threshold("board_low_clear_ms", 600_000, "ms", "a weak adapter dips again under load"),
    Threshold("restarts_count", 3, "restarts", "one may be an update, two a coincidence"),
    Threshold("restarts_window_ms", 86_400_000, "ms", "a day"),
    Threshold(
        "restarts_boot_ms", 300_000, "ms", "who starts that soon after the mains are back fell with them"
    ),
    Threshold("restarts_charge_percent", 20, "%", "an emptier battery drops the load before it tells"),
    Threshold("mains_fed_after_ms", 20_000, "ms", "what hangs on the mains and speaks so late has mains"),
    Threshold("meter_together_ms", 15_000, "ms", "meters of one device are read within one sample (10 s)"),
    Threshold("meter_silent_ms", 90_000, "ms", "meters live on what they measure; frames come 30 s apart"),
    Threshold("meter_with_ups_ms", 45_000, "ms", "a frame and a half: two silent in one are no chance"),
    Threshold("meter_forget_ms", 604_800_000, "ms", "a week: a meter that was taken away"),
    Threshold("meter_live_pu", 0.5, "pu", "IEEE 1159: 0.5 pu and less is no usable supply"),
    Threshold("circuit_clear_ms", 10_000, "ms", "one full sample with voltage"),
    Threshold("resistance_step_a", 1, "A", "smaller steps drown in the noise of the mains"),
    Threshold("resistance_steps", 7, "steps", "five of seven have to show it: the mains are noisy"),
    Threshold("resistance_raise_ms", 60_000, "ms", "and the next step has to agree"),
    Threshold("resistance_history", 24, "steps", "before, there is no history to compare with"),
    Threshold(
        "resistance_high_ohm", 0.6, "ohm", "sound connections of houses have 0.1 to 0.4 (IEC 60725: 0.4)"
    ),
    Threshold("resistance_rise", 3, "times", "of the connection's own history: a clamp that corrodes"),
    Threshold("resistance_floor_ohm", 0.4, "ohm", "IEC 60725: below, three times little is still little"),
    Threshold("neutral_high_pu", 1.06, "pu", "a sound leg is not above in the night's highest hour"),
    Threshold("neutral_low_pu", 0.94, "pu", "and the other leg not below"),
    Threshold("neutral_apart_pu", 0.2, "pu", "load of one leg alone moves sound legs by 2 % at most"),
    Threshold("neutral_clear_pu", 0.1, "pu", "half of what raised it"),
    Threshold("neutral_raise_ms", 5_000, "ms", "two samples"),
    Threshold("neutral_clear_ms", 60_000, "ms", "a loose neutral makes contact for seconds"),
    Threshold("tamper_clear_ms", 600_000, "ms", "closed for ten minutes: whoever it was is gone"),
    Threshold("clock_off_ms", 60_000, "ms", "the ingest believes a clock that is nearer"),
    Threshold("clock_clear_ms", 600_000, "ms", "right for ten minutes: it was set"),
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
    Threshold("woke_unheard_ms", 300_000, "ms", "a modem that got its supply back with it is ready by then"),
    Threshold("modem_boot_ms", 300_000, "ms", "cable modems are back within two to five minutes"),
    Threshold("ran_on_ms", 75_000, "ms", "two and a half frames: what fed it outlasted its way out"),
    Threshold("self_test_ms", 30_000, "ms", "self-tests of small UPSes last 10 to 20 s"),
    Threshold("security_quiet_ms", 86_400_000, "ms", "a day: a copied card comes on whenever it is used"),
    Threshold("neighbours_dark_count", 2, "premises", "this one and another, within minutes: no coincidence"),
    Threshold("neighbours_dark_share", 0.3, "of premises", "k of n, as in last-gasp practice of utilities"),
    Threshold(
        "neighbours_radius_m", 1_000, "m", "an urban low-voltage network and the feeder's next section"
    ),
    Threshold(
        "region_dark_share", 0.5, "of premises", "half of a district at once is more than its own streets"
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
    Threshold("area_link_m", 5_000, "m", "what falls in one storm, neighbour by neighbour"),
    Threshold("area_partner_ms", 3_600_000, "ms", "two that fell an hour apart do not found an area"),
    Threshold("area_back_share", 0.5, "of sites", "an area is on its way back when half of its sites are"),
    Threshold("area_return_ms", 7_200_000, "ms", "the spread of those who came, two hours at most"),
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
    """How grave a condition is and who is told, after ``hold_off_ms`` at most (None: as configured).

    ``hold_offs``: how many of the configured ones are waited.
    """

    name: str
    severity: Severity
    route: Route
    hours: Hours = Hours.ANY
    hold_off_ms: int | None = None
    hold_offs: int = 1


_CONDITIONS: Final = (
    Condition("supply_lost", Severity.CRITICAL, Route.CREW),
    Condition("on_battery", Severity.WARNING, Route.CREW),
    # a spent battery is low the moment a flicker begins: half a minute of it, and the time to clear
    Condition("battery_low", Severity.CRITICAL, Route.CREW, hold_off_ms=45_000),
    Condition("battery_replace", Severity.WARNING, Route.MAINTENANCE, Hours.WORKING),
    Condition("ups_contact_lost", Severity.WARNING, Route.MAINTENANCE, Hours.WORKING),
    Condition("ups_self_test", Severity.INFO, Route.NOBODY),
    Condition("battery_aged", Severity.WARNING, Route.MAINTENANCE, Hours.WORKING),
    Condition("battery_not_charging", Severity.WARNING, Route.MAINTENANCE, Hours.WORKING),
    Condition("runtime_low", Severity.WARNING, Route.MAINTENANCE, Hours.WORKING),
    Condition("overload", Severity.WARNING, Route.MAINTENANCE, Hours.WORKING),
    Condition("ups_hot", Severity.WARNING, Route.MAINTENANCE, Hours.WORKING),
    Condition("wiring_fault", Severity.WARNING, Route.MAINTENANCE, Hours.WORKING),
    Condition("undervoltage", Severity.WARNING, Route.MAINTENANCE, Hours.WORKING),
    Condition("overvoltage", Severity.WARNING, Route.MAINTENANCE),  # it wears out whatever is plugged in
    Condition("voltage_hazard", Severity.HAZARD, Route.CREW, hold_off_ms=0),
    Condition("frequency", Severity.INFO, Route.DISPATCHER),  # the whole grid's: one message per site is none
    Condition("repeated_transfers", Severity.WARNING, Route.MAINTENANCE, Hours.WORKING),
    Condition("regulating", Severity.WARNING, Route.MAINTENANCE, Hours.WORKING),
    Condition("bad_connection", Severity.WARNING, Route.MAINTENANCE),  # it heats up with every load
    Condition("open_neutral", Severity.CRITICAL, Route.CREW, hold_off_ms=0),
    Condition("circuit_dead", Severity.WARNING, Route.CREW),
    Condition("board_undervoltage", Severity.WARNING, Route.MAINTENANCE, Hours.WORKING),
    Condition("restarts", Severity.WARNING, Route.MAINTENANCE, Hours.WORKING),
    Condition("clock_wrong", Severity.WARNING, Route.MAINTENANCE, Hours.WORKING),
    # no crew alone to where somebody opens the box: the dispatcher calls the building
    Condition("tamper", Severity.CRITICAL, Route.DISPATCHER, hold_off_ms=0),
    Condition("outage", Severity.CRITICAL, Route.CREW),
    Condition("area", Severity.CRITICAL, Route.DISPATCHER),  # many outages of one cause: see alerts/storm
    # the site speaks; what two blinks started twice is back within two minutes and a half
    Condition("device_silent", Severity.WARNING, Route.CREW, hold_offs=2),
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
