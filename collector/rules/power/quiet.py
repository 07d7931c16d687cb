"""Whether a sample of a UPS can change anything at all. Most cannot, and are not evaluated further.

Asked for every sample of every UPS, so it is plain and flat: each subject's own limit stands here once more.
``tests/rules`` hold it to the subjects: whatever they show of a sample that is quiet is not yes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from collector.rules.power.numbers import number

if TYPE_CHECKING:
    from collector.rules.board import Board, Memory

HOUR_MS: Final = 3_600_000
_HERTZ_LOW: Final = 1.0  # below, it is no frequency: there is no voltage
_PENDING: Final = frozenset({"charge_from", "regulated", "volt_ms"})  # something is being timed


def is_quiet(board: Board, subject: str, ups: Memory, fields: dict[str, Any], at_ms: int) -> bool:
    """Say that no finding can change anything: none shows yes, and nothing of this UPS is but clear."""
    get = fields.get
    if ups.get("line") != "ol" or ups.get("rb") or ups.get("cal") or not _PENDING.isdisjoint(ups):
        return False
    if get("over") or get("trim") or get("boost") or get("wiring_fault") or not _is_sound(board, ups, at_ms):
        return False
    if not _is_nominal(board, get("input_frequency")) or not _is_cool(board, get("internal_temp")):
        return False
    if "transfers" in ups and len(ups["transfers"]) >= board.thresholds["transfers_count"]:
        return False
    conditions = board.memory["conditions"]
    return not conditions or all(key.partition("|")[2] != subject for key in conditions)


def _is_sound(board: Board, ups: Memory, at_ms: int) -> bool:
    """Say whether voltage, charge, load and runtime are as they should be, and this hour's was looked at."""
    limits, volts, charge = board.thresholds, ups["input_v"], ups["charge"]
    load, runtime_s = ups["load"], ups["runtime_s"]
    if volts is not None:
        pu = volts / board.site.nominal_v
        if not limits["undervoltage_below_pu"] <= pu <= limits["overvoltage_above_pu"]:
            return False
    if charge is not None and charge < limits["battery_charged_percent"]:
        return False
    if load is not None and load > limits["overload_percent"]:
        return False
    return runtime_s is None or (
        runtime_s >= limits["runtime_low_s"] and ups.get("aged_h") == at_ms // HOUR_MS
    )


def _is_nominal(board: Board, hertz: Any) -> bool:
    found = number(hertz)
    if found is None or found < _HERTZ_LOW:
        return True
    return abs(found - board.thresholds["nominal_hz"]) < board.thresholds["frequency_off_hz"]


def _is_cool(board: Board, celsius: Any) -> bool:
    found = number(celsius)
    return found is None or found < board.thresholds["ups_hot_above_c"]
