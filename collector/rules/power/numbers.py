"""Numbers of a row: what is one, how old it is, and the median of a few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from collector.rules.catalogue import Thresholds

_NUMBERS: Final = (int, float)


def number(value: Any) -> float | None:
    """Return a field as a number, None when it is none."""
    if type(value) is float:  # nearly all
        return value
    return float(value) if isinstance(value, _NUMBERS) else None


def fresh(fields: Mapping[str, Any], name: str, age: str, limits: Thresholds) -> float | None:
    """Return a number that is not known to be stale, None otherwise; ``age`` is the field of its age (ms)."""
    age_ms = number(fields.get(age))
    if age_ms is not None and age_ms > limits["value_stale_ms"]:
        return None
    return number(fields.get(name))


def median(values: Sequence[float]) -> float:
    """Return the middle one, of an even number the lower of the two. At least one is needed."""
    return sorted(values)[(len(values) - 1) // 2]
