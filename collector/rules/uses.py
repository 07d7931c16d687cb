"""Which thresholds decide on which condition, for people who read or change them; see docs/conditions.md."""

from __future__ import annotations

from typing import Final

_INPUT: Final = ("input_refresh_grace_ms", "input_blind_after_ms")
_READINGS: Final = ("value_stale_ms", "reading_gap_ms", "voltage_beyond_pu", "input_blind_after_ms")
_METERS: Final = ("meter_silent_ms", "meter_live_pu")
_SPEECH: Final = (
    "silence_intervals", "default_frame_ms", "death_grace_ms", "story_ms", "story_quiet_ms",
    "story_limit_ms", "power_fresh_ms", "planned_stop_ms",
)  # fmt: skip

USES: Final[dict[str, tuple[str, ...]]] = {
    "supply_lost": (
        "supply_lost_below_pu", "supply_back_above_pu", *_INPUT, "power_clear_ms", *_METERS,
        "mains_fed_after_ms", "meter_with_ups_ms",
    ),
    "on_battery": ("power_clear_ms",),
    "battery_low": ("battery_low_clear_ms",),
    "battery_replace": ("replace_battery_raise_ms", "replace_battery_clear_ms", "reading_gap_ms"),
    "battery_aged": (
        "battery_aged_share", "battery_weak_share", "battery_outages", "battery_charged_percent",
        "value_stale_ms",
    ),
    "battery_not_charging": (
        "charge_stalled_ms", "charge_rise_percent", "battery_charged_percent", "value_stale_ms",
    ),
    "runtime_low": (
        "runtime_low_s", "runtime_clear_s", "runtime_raise_ms", "battery_charged_percent", "value_stale_ms",
    ),
    "overload": (
        "overload_percent", "overload_clear_percent", "overload_raise_ms", "overload_clear_ms",
        "value_stale_ms",
    ),
    "ups_hot": ("ups_hot_above_c", "ups_hot_clear_c", "ups_hot_raise_ms", "value_stale_ms"),
    "wiring_fault": ("wiring_raise_ms", "wiring_clear_ms"),
    "undervoltage": (
        "undervoltage_below_pu", "undervoltage_clear_pu", "supply_lost_below_pu", "voltage_raise_ms",
        "voltage_clear_ms", *_READINGS,
    ),
    "overvoltage": (
        "overvoltage_above_pu", "overvoltage_clear_pu", "voltage_raise_ms", "voltage_clear_ms", *_READINGS,
    ),
    "voltage_hazard": (
        "hazard_above_pu", "hazard_apart_ms", "hazard_clear_pu", "hazard_clear_ms", *_READINGS,
    ),
    "frequency": (
        "nominal_hz", "frequency_off_hz", "frequency_clear_hz", "meter_live_pu", "voltage_raise_ms",
        "voltage_clear_ms", *_READINGS,
    ),
    "repeated_transfers": ("transfers_count", "transfers_window_ms"),
    "regulating": ("regulating_share", "regulating_clear_share", "reading_gap_ms"),
    "bad_connection": (
        "resistance_step_a", "resistance_steps", "resistance_history", "resistance_raise_ms",
        "resistance_high_ohm", "resistance_rise",
        "resistance_floor_ohm", "meter_live_pu",
    ),
    "open_neutral": (
        "neutral_apart_pu", "neutral_high_pu", "neutral_low_pu", "neutral_clear_pu", "undervoltage_clear_pu",
        "neutral_raise_ms", "neutral_clear_ms", "meter_together_ms", "meter_silent_ms", "meter_forget_ms",
    ),
    "circuit_dead": (
        *_METERS, "default_frame_ms", "supply_lost_below_pu", "undervoltage_below_pu", "overvoltage_above_pu",
        "circuit_clear_ms", "meter_forget_ms",
    ),
    "board_undervoltage": ("board_low_raise_ms", "board_low_clear_ms"),
    "restarts": (
        "restarts_count", "restarts_window_ms", "restarts_boot_ms", "restarts_charge_percent",
    ),
    "tamper": ("tamper_clear_ms",),
    "clock_wrong": ("clock_off_ms", "clock_clear_ms"),
    "ups_contact_lost": ("contact_lost_raise_ms", "contact_lost_clear_ms"),
    "ups_self_test": (),
    "outage": (
        *_SPEECH, "silent_together_ms", "neighbours_dark_count", "neighbours_dark_share", "region_dark_share",
        "woke_unheard_ms", "modem_boot_ms",
    ),
    "device_silent": _SPEECH,
    "security": ("security_quiet_ms",),
    "area": (
        "area_link_m", "area_partner_ms", "area_back_share", "area_return_ms", "left_behind_ms",
        "neighbours_radius_m",
    ),
}  # fmt: skip
