"""What one value of a UPS can be, as data: bounds, fill values, words for "not told". Pure.

Three outcomes: a number that can be; a number that cannot be (it is *bad* and counts); a value by which the
UPS says that it does not know or that nothing is set (*untold*: it is no reading, and no fault either).
"""

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable

DAY_S = 86400

# Whole numbers are written as such: each other one is an object of its own in a router's memory.
# name -> lowest, highest value that can be. Only these are ever published or compared.
BOUNDS = {
    "ambient.temperature": (-50, 80),
    "battery.charge": (0, 100),
    "battery.runtime": (0, DAY_S),  # beyond, the sites' UPSes are not built; 60 x a value in seconds is
    "battery.runtime.low": (0, DAY_S),
    "battery.temperature": (-30, 80),  # above, a lead-acid or lithium battery is destroyed; 302: kelvins
    "battery.voltage": (0, 1000),
    "battery.voltage.nominal": (1, 1000),
    "input.bypass.frequency": (0, 100),
    "input.bypass.voltage": (0, 600),  # voltages reach 480 V (three phases); 0 V is a real reading
    "input.frequency": (40, 70),
    "input.transfer.high": (1, 600),
    "input.transfer.low": (1, 600),
    "input.voltage": (0, 600),
    "input.voltage.nominal": (1, 600),
    "output.frequency": (40, 70),
    "output.voltage": (0, 600),
    "output.voltage.nominal": (1, 600),
    "ups.delay.reboot": (-1, DAY_S),  # -1: none set
    "ups.delay.shutdown": (-1, DAY_S),
    "ups.delay.start": (-1, DAY_S),
    "ups.load": (0, 200),
    "ups.power": (0, 1000000),
    "ups.power.nominal": (1, 1000000),
    "ups.realpower": (0, 1000000),
    "ups.temperature": (-30, 100),  # power semiconductors run at up to 90
}

# last word of any other variable's name -> the same; such a variable is counted when bad, never published
KINDS = {
    "charge": (0, 100),
    "current": (-600, 600),  # -1.72 A in 16 bits without sign is 653.64 A
    "frequency": (0, 100),
    "humidity": (0, 100),
    "powerfactor": (-1, 1),
    "temperature": (-50, 120),
    "voltage": (-1000, 1000),  # between legs and to earth, of either sign in direct current
}

# No supply has no frequency: 0 says that truthfully, outside the bounds.
ZERO_IS_TRUE = ("input.frequency", "output.frequency")

# What firmware says in 12, 15, 16, 31, 32 bits for "I do not know": plain, with its point moved, and in
# minutes turned to seconds. (Plain 4095 can be watts.)
FILL_VALUES = (
    32767, 65535, 409.5, 6553.5, 655.35, 65535 * 60, 2147483647, 4294967295,
)  # fmt: skip

# name -> the values that mean "not told": no such setting, no such sensor (NUT's drivers pass them on)
UNTOLD = {
    "battery.temperature": (0,),
    "input.transfer.high": (0,),
    "input.transfer.low": (0,),
    "ups.delay.reboot": (65535,),  # -1 in 16 bits: none set
    "ups.delay.shutdown": (65535,),
    "ups.delay.start": (65535,),
    "ups.temperature": (0,),
}
UNTOLD_WORDS = ("", "?", "-", "n/a", "na", "none", "null", "unknown", "not available")

# Dates that begin with a year of four digits can be checked; other spellings are anybody's guess.
DATES = ("battery.date", "battery.mfr.date", "battery.date.maintenance", "ups.mfr.date", "device.mfr.date")
YEARS = (1985, 2060)  # the first UPSes that talked to a computer, and a year beyond all of ours

# Texts that a person typed in; net-snmp prints one with letters beyond ASCII as bytes in hex ("D0 A1 D0").
TYPED = ("device.contact", "device.description", "device.location", "ups.contact", "ups.id", "ups.location")
_FEWEST_BYTES = 3


def judge(name: str, text: str) -> "tuple[float | None, str]":
    """Return the number (None: not told, or no number) and why it cannot be (empty: it can)."""
    bounds = BOUNDS.get(name)
    if bounds is None:
        return None, _other(name, text)
    value, reason = _parsed(text)
    if value is None or value in UNTOLD.get(name, ()):
        return value, reason
    if value in FILL_VALUES:
        return value, "fill_value"
    low, high = bounds
    if low <= value <= high or (value == 0.0 and name in ZERO_IS_TRUE):  # NaN fails every comparison
        return value, ""
    return value, "out_of_bounds"


def told(name: str, value: float) -> bool:
    """Tell whether this number is a reading, and not a way to say that there is none."""
    return value not in UNTOLD.get(name, ())


def _parsed(text: str) -> "tuple[float | None, str]":
    text = text.strip()
    if text.lower() in UNTOLD_WORDS:
        return None, ""
    try:
        return float(text), ""
    except ValueError:
        return None, "not_a_number"


def _other(name: str, text: str) -> str:
    """Return why the text of a variable without bounds of its own cannot be."""
    checked = CHECKED.get(name)
    if checked is not None:
        return checked[1] if checked[0](text) else ""
    bounds = KINDS.get(name[name.rfind(".") + 1 :])
    if bounds is None:
        return ""
    value = _parsed(text)[0]
    if value is None:
        return ""
    if value in FILL_VALUES:
        return "fill_value"
    return "" if bounds[0] <= value <= bounds[1] else "out_of_bounds"


def _impossible_date(text: str) -> bool:
    text = text.strip()
    year = text[:4]
    return text[4:5] in ("/", "-", ".") and year.isdigit() and not YEARS[0] <= int(year) <= YEARS[1]


def _is_hex_dump(text: str) -> bool:
    pairs = text.split()
    return len(pairs) >= _FEWEST_BYTES and all(
        len(pair) == 2 and all(digit in "0123456789ABCDEFabcdef" for digit in pair)  # noqa: PLR2004 (hex)
        for pair in pairs
    )


CHECKED: "dict[str, tuple[Callable[[str], bool], str]]" = {}
CHECKED.update(dict.fromkeys(DATES, (_impossible_date, "impossible_date")))
CHECKED.update(dict.fromkeys(TYPED, (_is_hex_dump, "bytes_in_hex")))
