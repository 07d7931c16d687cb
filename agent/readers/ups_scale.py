"""Numbers of a UPS that are off by a power of ten alone, and provably so: a unit, no wrong value. Pure.

A nominal frequency is 50 or 60 Hz: where it reads 5.0, so does the frequency beside it (liebert-esp2). A
nominal voltage is within a quarter of the voltage measured, or it is when the point is moved (snmp-ups).
Where the UPS itself proves nothing, nothing is moved.
"""

from agent.readers.ups_bounds import BOUNDS

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    Numbers = dict[str, float]

# read for what they say of others; never published
AIDS = ("input.frequency.nominal", "output.frequency.nominal")
SUPPLIES_HZ = (50.0, 60.0)


def rescale(raw: "Numbers", bad: "dict[str, str]") -> None:
    """Put right, in ``raw`` and ``bad``, what is off by a power of ten alone."""
    for name, aid in (("input.frequency", AIDS[0]), ("output.frequency", AIDS[1])):
        factor = _slip(raw.get(aid, 0.0), SUPPLIES_HZ, 0.001)
        if factor is not None and within(raw.get(name, 0.0) * factor, raw[aid] * factor, 0.15):
            _move(raw, bad, name, factor)
    measured = tuple(
        [raw[name] for name in ("input.voltage", "output.voltage") if name in raw and name not in bad]
    )
    for name in ("input.voltage.nominal", "output.voltage.nominal"):
        factor = _slip(raw.get(name, 0.0), measured, 0.25)
        if factor is not None:
            _move(raw, bad, name, factor)


def _move(raw: "Numbers", bad: "dict[str, str]", name: str, factor: float) -> None:
    """Move the point of a value that cannot be as it stands and can be then."""
    low, high = BOUNDS[name]
    if name in bad and low <= raw[name] * factor <= high:
        raw[name] *= factor
        bad.pop(name)


def _slip(value: float, wanted: "tuple[float, ...]", tolerance: float) -> float | None:
    """Return the power of ten that brings ``value`` to one of ``wanted``, None when none does."""
    for factor in (0.01, 0.1, 10.0, 100.0):
        if any(within(value * factor, number, tolerance) for number in wanted):
            return factor
    return None


def within(value: float, wanted: float, tolerance: float) -> bool:
    """Tell whether two numbers differ by no more than this share of the second."""
    return wanted > 0.0 and abs(value - wanted) <= tolerance * wanted
