"""Whether a notification of a condition was justified when it went out.

Conditions that are outages (``outage``, ``supply_lost``) are matched against outages and are not here. For
each other condition of the catalogue there is one row: what had to be so, then and there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.scenario import checks
from simulators.scenario.kinds import KINDS
from simulators.truth.spans import touching
from simulators.truth.walk import read_by
from simulators.world.happenings import covers

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.scenario.model import EventPart, Scenario
    from simulators.truth.outages import SiteTruth
    from simulators.truth.spans import Spans

LATE_MS: Final = 180_000  # hold-off, detection and a slow link lie between a fact and its message
# of what is counted over a day and told in working hours
LATER_MS: Final = {"repeated_transfers": 86_400_000}
SHORT_MS: Final = 30_000  # a shorter time off the line is a flicker: nobody is to be told

NORMAL: Final = 0.06  # a supply that is off by less is as the utility may deliver it
SUSTAINED: Final = frozenset({"undervoltage", "overvoltage"})  # conditions of more than a moment

VOLTAGE: Final = ("sag", "swell", "undervoltage", "overvoltage", "bad_connection", "open_neutral")
INTERRUPTED: Final = ("mains_off", "mains_flapping", "breaker_trip")

# condition -> events that justify it while they hold, and LATE_MS after
EVENTS: Final[dict[str, tuple[str, ...]]] = {
    "ups_contact_lost": ("ups_contact_lost",),
    "ups_self_test": ("ups_self_test",),
    "tamper": ("tamper_open", "device_removed"),
    "overload": ("overload",),
    "undervoltage": (*INTERRUPTED, "sag", "undervoltage", "bad_connection", "open_neutral", "ups_unplugged"),
    "overvoltage": ("swell", "overvoltage", "open_neutral"),
    "voltage_hazard": ("swell", "overvoltage", "open_neutral"),
    "open_neutral": ("open_neutral",),
    "bad_connection": ("bad_connection", "open_neutral"),
    "circuit_dead": ("breaker_trip",),
    "frequency": ("frequency",),
    "repeated_transfers": (*INTERRUPTED, *VOLTAGE),
    "regulating": VOLTAGE,
    "clock_wrong": ("clock_wrong", "clock_reset"),
    "radio_silent": ("radio_silent",),
    "cable_damaged": ("cable_damaged",),
    "backhaul_degraded": ("backhaul_degraded",),
    "restarts": ("device_reboot", "upgrade"),
    "runtime_low": ("overload",),  # or a spent battery
    "battery_not_charging": (),  # a simulated charger never fails
    "ups_hot": (),  # nor is any simulated UPS too hot
    "wiring_fault": (),
    "board_undervoltage": (),
    "security": (),  # nobody attacks in a scenario
}


def justified(scenario: Scenario, truth: SiteTruth, condition: str, subject: str, at_s: float) -> bool:
    """Tell whether a notification at ``at_s`` was right. KeyError for a condition without a row."""
    if condition in PHYSICS and PHYSICS[condition](truth, subject, truth.zero_ms + round(at_s * 1000)):
        return True
    kinds = EVENTS[condition] if condition not in PHYSICS else EVENTS.get(condition, ())
    for event in scenario.event:
        if event.kind in kinds and covers(event.scope, truth.site):
            begins_s, ends_s = checks.interval(event, scenario)
            lasted_s = ends_s - begins_s
            late_s = LATER_MS.get(condition, LATE_MS) / 1000.0
            if begins_s <= at_s <= ends_s + late_s and _bad_enough(condition, event, lasted_s):
                return True
    return condition == "ups_contact_lost" and _usb_dropped(truth, subject, at_s)


def _bad_enough(condition: str, event: EventPart, lasted_s: float) -> bool:
    """Tell of a voltage whether it left what the utility may deliver, and for more than a blink."""
    if condition not in SUSTAINED:
        return True
    moves = event.kind in {"sag", "swell", "undervoltage", "overvoltage"}
    return lasted_s >= SHORT_MS / 1000.0 and (not moves or abs(_pu(event) - 1.0) >= NORMAL)


def _pu(event: EventPart) -> float:
    default = KINDS[event.kind].parameters["pu"].default
    return event.parameters.get("pu", default if default is not None else 1.0)


def known() -> set[str]:
    """Return the conditions that have a row."""
    return set(EVENTS) | set(PHYSICS)


def _off_line(truth: SiteTruth, subject: str, at_ms: int) -> bool:
    """``device/ups``: the UPS was off the line, and for longer than a flicker."""
    spans = [span for span in truth.walk.off_line(subject.partition("/")[2]) if _long(span, SHORT_MS)]
    return _lately(spans, at_ms)


def _low(truth: SiteTruth, subject: str, at_ms: int) -> bool:
    """Take a battery that is used: how low is low is the UPS's own matter."""
    return _off_line(truth, subject, at_ms)


def _spent(truth: SiteTruth, subject: str, _at_ms: int) -> bool:
    name = subject.partition("/")[2]
    return any(ups.id == name and ups.battery != "new" for ups in truth.site.ups)


def _silent(truth: SiteTruth, subject: str, at_ms: int) -> bool:
    spans = [span for span in truth.walk.device_silent(subject) if _long(span, 60_000)]
    return _lately(spans, at_ms)


def _usb_dropped(truth: SiteTruth, subject: str, at_s: float) -> bool:
    """Tell whether a UPS lost contact as it left the line: USB does."""
    at_ms = truth.zero_ms + round(at_s * 1000)
    device, _, name = subject.partition("/")
    parts = [part for part in truth.site.device if part.id == device]
    reads = any((ups := read_by(truth.site, part)) and ups.id == name for part in parts)
    return reads and _lately(truth.walk.off_line(name), at_ms)


PHYSICS: Final[dict[str, Callable[[SiteTruth, str, int], bool]]] = {
    "on_battery": _off_line,
    "battery_low": _low,
    "battery_replace": _spent,
    "battery_aged": _spent,
    "runtime_low": _spent,
    "device_silent": _silent,
}


def _long(span: tuple[int, int], least_ms: int) -> bool:
    return span[1] - span[0] >= least_ms


def _lately(spans: Spans, at_ms: int) -> bool:
    return bool(touching([(start, end + LATE_MS) for start, end in spans], (at_ms, at_ms + 1)))
