"""Values of a UPS that cannot be, as data: bounds, fill values, contradictions.

UPS firmware and drivers make such values: -6437 V at the input, 65535 s left, 255 % charge, "OL OB". What is
found here is not published and counts in ``bad_values``. A value is set aside only for a reason that stands
in these tables; a doubtful one stays. What no table can see from one reading (a constant, a plausible number
that is wrong) stays too.

The tables were checked against the NUT project's device dumps library, whose maintainers marked wrong values.
"""

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Numbers = dict[str, float]
    Tokens = set[str]

# Bounds of what can be, by NUT variable. Voltages reach 480 V (three phases); 0 V is a real reading.
BOUNDS = {
    "ambient.temperature": (-50.0, 100.0),
    "battery.charge": (0.0, 100.0),
    "battery.runtime": (
        0.0,
        86400.0,
    ),  # a day: beyond, the sites' UPSes are not built (65535 and 0xFFFF * 60 occur)
    "battery.runtime.low": (0.0, 86400.0),
    "battery.temperature": (-30.0, 120.0),
    "battery.voltage": (0.0, 1000.0),
    "battery.voltage.nominal": (1.0, 1000.0),
    "input.bypass.frequency": (0.0, 100.0),
    "input.bypass.voltage": (0.0, 600.0),
    "input.frequency": (40.0, 70.0),
    "input.transfer.high": (1.0, 600.0),
    "input.transfer.low": (1.0, 600.0),
    "input.voltage": (0.0, 600.0),
    "input.voltage.nominal": (1.0, 600.0),
    "output.frequency": (40.0, 70.0),
    "output.voltage": (0.0, 600.0),
    "output.voltage.nominal": (1.0, 600.0),
    "ups.delay.reboot": (-1.0, 86400.0),  # -1: none set
    "ups.delay.shutdown": (-1.0, 86400.0),
    "ups.delay.start": (-1.0, 86400.0),
    "ups.load": (0.0, 200.0),
    "ups.power": (0.0, 1000000.0),
    "ups.power.nominal": (1.0, 1000000.0),
    "ups.realpower": (0.0, 1000000.0),
    "ups.temperature": (-30.0, 120.0),
}

# No supply has no frequency: 0 says that truthfully, outside the bounds.
ZERO_IS_TRUE = ("input.frequency", "output.frequency")

# What 16-bit firmware says for "I do not know", plain and in minutes turned to seconds.
FILL_VALUES = (65535.0, 65535.0 * 60)

CHARGED_PERCENT = 80.0  # a battery this full is near its nominal voltage (lead-acid: above 2 V per cell)
CELL_V = (
    1.5,
    2.6,
)  # one lead-acid cell; beside the nominal voltage of a whole battery: volts per cell (megatec)
BATTERY_V = 6.0  # the smallest whole battery
LOADED_PERCENT = 5.0  # below, the load may be rounding
DEAD_V = 10.0
FALLBACK_V = 100.0  # the lowest supply in use (Japan), where neither the UPS nor the site says one
FREQUENCIES = (45.0, 65.0)

STATUS = "ups.status"
SITE_NOMINAL = "site.nominal"  # not NUT's: what the site is supplied with, beside the UPS's own numbers


def _low_battery_voltage(v: "Numbers", _tokens: "Tokens", _raw: "Numbers") -> bool:
    """Tell a charged battery below 3/4 of its nominal voltage: the driver's scale is wrong."""
    voltage, nominal = v.get("battery.voltage"), v.get("battery.voltage.nominal")
    if voltage is None or nominal is None or v.get("battery.charge", 0.0) < CHARGED_PERCENT:
        return False
    per_cell = CELL_V[0] < voltage < CELL_V[1] and nominal >= BATTERY_V
    return not per_cell and voltage < 0.75 * nominal


def _output_above_line(v: "Numbers", tokens: "Tokens", _raw: "Numbers") -> bool:
    """Tell an output above input and nominal voltage, on line and not boosting: nothing lifts it there."""
    nominals = [v[name] for name in ("input.voltage.nominal", "output.voltage.nominal") if name in v]
    if "OL" not in tokens or "BOOST" in tokens or not nominals:
        return False
    return v.get("output.voltage", 0.0) > 1.1 * max(*nominals, v.get("input.voltage", 0.0))


def _dead_output(v: "Numbers", tokens: "Tokens", _raw: "Numbers") -> bool:
    """Tell no voltage at the output while power is drawn from it."""
    return v.get("output.voltage", FALLBACK_V) < DEAD_V and _loaded(v, tokens)


def _dead_power(v: "Numbers", tokens: "Tokens", _raw: "Numbers") -> bool:
    """Tell no apparent power while the load is above zero."""
    return v.get("ups.power") == 0.0 and _loaded(v, tokens)


def _loaded(v: "Numbers", tokens: "Tokens") -> bool:
    return v.get("ups.load", 0.0) >= LOADED_PERCENT and "OFF" not in tokens


def _odd_frequency(_v: "Numbers", _tokens: "Tokens", raw: "Numbers") -> bool:
    """Tell a frequency wrong by no power of ten: the driver misreads the input's measurements altogether."""
    found = raw.get("input.frequency", 0.0)
    return found > BOUNDS["input.frequency"][1] and not FREQUENCIES[0] <= found / 10.0 <= FREQUENCIES[1]


def _half_scale(v: "Numbers", tokens: "Tokens", _raw: "Numbers") -> bool:
    """Tell input and output both near half of the claimed nominal, on line: claim or readings are wrong."""
    claimed = v.get("input.voltage.nominal", 0.0)
    if "OL" not in tokens or "BYPASS" in tokens:
        return False
    low, high = 0.4 * claimed, 0.65 * claimed
    return low < v.get("input.voltage", 0.0) < high and low < v.get("output.voltage", 0.0) < high


def _wrong_scale(v: "Numbers", tokens: "Tokens", raw: "Numbers") -> bool:
    """Of the two it is the readings, unless they fit the site."""
    return _half_scale(v, tokens, raw) and not _fits_site(v)


def _wrong_nominal(v: "Numbers", tokens: "Tokens", raw: "Numbers") -> bool:
    """Of the two it is the claim, as the readings fit the site (no published UPS claims 127 V)."""
    return _half_scale(v, tokens, raw) and _fits_site(v)


def _fits_site(v: "Numbers") -> bool:
    site = v.get(SITE_NOMINAL, 0.0)
    return 0.8 * site < v.get("input.voltage", 0.0) < 1.2 * site


def _line_both_ways(_v: "Numbers", tokens: "Tokens", _raw: "Numbers") -> bool:
    """Tell on line and on battery at once."""
    return "OL" in tokens and "OB" in tokens


def _off_with_output(v: "Numbers", tokens: "Tokens", _raw: "Numbers") -> bool:
    """Tell a UPS switched off, yet with voltage at the output and no bypass that would explain it."""
    if "OFF" not in tokens or "BYPASS" in tokens:
        return False
    return v.get("output.voltage", 0.0) > 0.5 * _reference(v, "output.voltage.nominal")


# the contradiction, its test, the variables it discredits; in this order, each on what the earlier ones left
CONTRADICTIONS: "tuple[tuple[str, Callable[[Numbers, Tokens, Numbers], bool], tuple[str, ...]], ...]" = (
    ("low_battery_voltage", _low_battery_voltage, ("battery.voltage",)),
    ("output_above_line", _output_above_line, ("output.voltage",)),
    ("dead_output", _dead_output, ("output.voltage",)),
    ("dead_power", _dead_power, ("ups.power",)),
    ("odd_frequency", _odd_frequency, ("input.voltage",)),
    ("wrong_nominal", _wrong_nominal, ("input.voltage.nominal",)),
    ("wrong_scale", _wrong_scale, ("input.voltage", "output.voltage")),
    ("line_both_ways", _line_both_ways, (STATUS,)),
    ("off_with_output", _off_with_output, (STATUS,)),
)


def sanitise(
    texts: "Mapping[str, str]", site_nominal_v: float | None = None
) -> "tuple[Numbers, dict[str, str], Tokens]":
    """Return the numbers that can be, reasons for what was set aside, and the status tokens that can be.

    ``texts``: NUT variables as upsd gives them; only those of BOUNDS and the status are looked at.
    ``site_nominal_v``: what the site is supplied with, to judge what the UPS claims.
    """
    raw, bad = _numbers(texts)
    clean = {name: value for name, value in raw.items() if name not in bad}
    if site_nominal_v is not None:
        clean[SITE_NOMINAL] = site_nominal_v
    tokens = set(texts.get(STATUS, "").split())
    for reason, test, discredited in CONTRADICTIONS:
        if test(clean, tokens, raw):
            for name in discredited:
                if name in texts:
                    bad.setdefault(name, reason)
                clean.pop(name, None)
    tokens -= _disbelieved(tokens, clean)
    clean.pop(SITE_NOMINAL, None)
    return clean, bad, tokens


def _numbers(texts: "Mapping[str, str]") -> "tuple[Numbers, dict[str, str]]":
    """Return every number of BOUNDS, and the reasons why some of them cannot be."""
    raw: "Numbers" = {}
    bad = {}
    for name, (low, high) in BOUNDS.items():
        text = texts.get(name, "").strip()
        if not text:
            continue
        try:
            raw[name] = value = float(text)
        except ValueError:
            bad[name] = "not_a_number"
            continue
        if value in FILL_VALUES:
            bad[name] = "fill_value"
        elif not (
            low <= value <= high or (value == 0.0 and name in ZERO_IS_TRUE)
        ):  # NaN fails every comparison
            bad[name] = "out_of_bounds"
    return raw, bad


def _disbelieved(tokens: "Tokens", v: "Numbers") -> "Tokens":
    """Return the tokens that measurements refute; where nothing decides, neither OL nor OB is believed."""
    wrong = set()
    if _off_with_output(v, tokens, v):
        wrong.add("OFF")
    if _line_both_ways(v, tokens, v):
        reference, found = _reference(v, "input.voltage.nominal"), v.get("input.voltage")
        if found is None or found < 0.5 * reference:
            wrong.add("OL")
        if found is None or found >= 0.1 * reference:
            wrong.add("OB")
    return wrong


def _reference(v: "Numbers", first: str) -> float:
    """Return the voltage to compare with: what is claimed, else the site's, else the lowest in use."""
    for name in (first, "input.voltage.nominal", SITE_NOMINAL):
        if name in v:
            return v[name]
    return FALLBACK_V
