"""Values of a UPS that contradict each other, as data: what no bound of one value can tell. Pure.

A rule stands here for a reason of physics or of a protocol, not for a device; the device that showed it first
is named beside it.
"""

from agent.readers.ups_bounds import BOUNDS
from agent.readers.ups_scale import within

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable

    Numbers = dict[str, float]
    Tokens = set[str]

CHARGED_PERCENT = 80.0  # a battery this full is near its nominal voltage (lead-acid: above 2 V per cell)
CELL_V = (1.5, 2.6)  # one lead-acid cell
BLOCK_V = (11.5, 14.8)  # one block of six cells, charged
BATTERY_V = 6.0  # the smallest whole battery
TWO_BLOCKS_V = 24.0
LOADED_PERCENT = 5.0  # below, the load may be rounding
FLOAT_V = (2.2, 2.45)  # one lead-acid cell kept charged
MOST_BLOCKS = 4.0  # packs whose nominal voltage is told of a block: 12 V of 48 V
DEAD_V = 10.0
ABOVE_LINE = 1.07  # of the line, which most UPSes pass on within a few volts, or of the nominal voltage
BELOW_LINE = 0.3  # below any step-down transformer (230 V to 100 V)
FALLBACK_V = 100.0  # the lowest supply in use (Japan), where neither the UPS nor the site says one
SMALLEST_SUPPLY_V = 90.0  # a claim below is none of a supply (12 V devices, a battery's voltage misplaced)
BEYOND_ANY_PHASE = 2.2  # a lost neutral puts a whole 220 V on a leg of 127 V, 1.73; no fault gives more
ALL_ONES_HZ = (
    400.0  # from here on it is a sensor that is not there: 12 or 16 bits of ones make 409.5 or 655.35
)

STATUS = "ups.status"
SITE_NOMINAL = "site.nominal"  # not NUT's: what the site is supplied with, beside the UPS's own numbers
NOMINALS = ("input.voltage.nominal", "output.voltage.nominal", SITE_NOMINAL)


def _low_battery_voltage(v: "Numbers", _tokens: "Tokens", _raw: "Numbers", _name: str) -> bool:
    """Tell a charged battery below the voltage at which a UPS gives up (10 V of 12): the scale is wrong."""
    voltage, nominal = v.get("battery.voltage"), v.get("battery.voltage.nominal")
    if voltage is None or nominal is None or v.get("battery.charge", 0.0) < CHARGED_PERCENT:
        return False
    per_cell = CELL_V[0] < voltage < CELL_V[1] and nominal >= BATTERY_V
    per_block = BLOCK_V[0] < voltage < BLOCK_V[1] and nominal >= TWO_BLOCKS_V
    return not per_cell and not per_block and voltage < 0.8 * nominal


def _high_battery_voltage(v: "Numbers", _tokens: "Tokens", _raw: "Numbers", _name: str) -> bool:
    """Tell more than any number of packs makes of the nominal voltage of one."""
    nominal = v.get("battery.voltage.nominal", 0.0)
    return nominal >= BATTERY_V and v.get("battery.voltage", 0.0) > MOST_BLOCKS * CELL_V[1] / 2.0 * nominal


def _guessed_charge(v: "Numbers", _tokens: "Tokens", _raw: "Numbers", _name: str) -> bool:
    """Tell an empty battery of charged cells: the driver took the voltage of one for that of all."""
    if v.get("battery.charge") != 0.0 or v.get("battery.voltage.nominal", 0.0) < BATTERY_V:
        return False
    return FLOAT_V[0] <= v.get("battery.voltage", 0.0) <= FLOAT_V[1]


def _output_above_line(v: "Numbers", tokens: "Tokens", _raw: "Numbers", _name: str) -> bool:
    """Tell an output above input and nominal voltage, on line and not boosting: nothing lifts it there."""
    nominals = [v[name] for name in NOMINALS if name in v]
    if "OL" not in tokens or "BOOST" in tokens or not nominals:
        return False
    return v.get("output.voltage", 0.0) > ABOVE_LINE * max(*nominals, v.get("input.voltage", 0.0))


def _output_below_line(v: "Numbers", tokens: "Tokens", _raw: "Numbers", _name: str) -> bool:
    """Tell a few volts at the output of a UPS of alternating current that is on line."""
    line = v.get("input.voltage", 0.0)
    if "OL" not in tokens or "OFF" in tokens or line < SMALLEST_SUPPLY_V:
        return False
    direct_current = v.get("output.voltage.nominal", line) < SMALLEST_SUPPLY_V
    return not direct_current and 0.0 < v.get("output.voltage", 0.0) < BELOW_LINE * line


def _beyond_any_phase(v: "Numbers", _tokens: "Tokens", _raw: "Numbers", name: str) -> bool:
    """Tell more volts than any fault of the supply that is claimed or known can put there."""
    return v.get(name, 0.0) > BEYOND_ANY_PHASE * _highest_supply(v)


def _highest_supply(v: "Numbers") -> float:
    highest = max([v.get(name, 0.0) for name in NOMINALS])
    return highest if highest >= SMALLEST_SUPPLY_V else BOUNDS["input.voltage"][1]


def _dead_output(v: "Numbers", tokens: "Tokens", _raw: "Numbers", _name: str) -> bool:
    """Tell no voltage at the output while power is drawn from it."""
    return v.get("output.voltage", FALLBACK_V) < DEAD_V and _loaded(v, tokens)


def _dead_power(v: "Numbers", tokens: "Tokens", _raw: "Numbers", name: str) -> bool:
    """Tell no power while the load is above zero."""
    return v.get(name) == 0.0 and _loaded(v, tokens)


def _loaded(v: "Numbers", tokens: "Tokens") -> bool:
    return v.get("ups.load", 0.0) >= LOADED_PERCENT and "OFF" not in tokens


def _false_zero(v: "Numbers", _tokens: "Tokens", raw: "Numbers", _name: str) -> bool:
    """Tell transfer limits of 0 V of a UPS whose other zeros were just refuted; else they mean "not told"."""
    refuted = [
        name
        for name in ("output.voltage", "ups.power", "ups.realpower")
        if raw.get(name) == 0.0 and name not in v
    ]
    return bool(refuted) and 0.0 in (raw.get("input.transfer.low"), raw.get("input.transfer.high"))


def _transfer_order(v: "Numbers", _tokens: "Tokens", _raw: "Numbers", _name: str) -> bool:
    """Tell a lower limit at or above the upper one: the UPS could never be on line."""
    low, high = v.get("input.transfer.low"), v.get("input.transfer.high")
    return low is not None and high is not None and low >= high


def _claim_outside_transfer(v: "Numbers", tokens: "Tokens", _raw: "Numbers", _name: str) -> bool:
    """Tell a claimed nominal voltage at which the UPS would go to battery, unlike at what it measures."""
    low, high = v.get("input.transfer.low"), v.get("input.transfer.high")
    claimed, found = v.get("input.voltage.nominal"), v.get("input.voltage")
    if low is None or high is None or claimed is None or found is None or "OL" not in tokens:
        return False
    return low < found < high and not low <= claimed <= high


def _outside_limits(v: "Numbers", tokens: "Tokens", one: float, other: float) -> bool:
    """Tell two voltages beyond the same transfer limit of a UPS that is on line."""
    low, high = v.get("input.transfer.low", 0.0), v.get("input.transfer.high", 0.0)
    if not (one and other and low and high) or "OL" not in tokens or "BYPASS" in tokens:
        return False
    return max(one, other) < 0.9 * low or min(one, other) > 1.1 * high


def _wrong_limits(v: "Numbers", tokens: "Tokens", _raw: "Numbers", _name: str) -> bool:
    """Tell limits that exclude an input, measured or claimed, which the output or the site bears out."""
    witness = v.get("output.voltage") or v.get(SITE_NOMINAL, 0.0)
    return any(
        within(v.get(name, 0.0), witness, 0.15) and _outside_limits(v, tokens, v[name], witness)
        for name in ("input.voltage", "input.voltage.nominal")
    )


def _wrong_input(v: "Numbers", tokens: "Tokens", _raw: "Numbers", _name: str) -> bool:
    """Tell a measured and a claimed voltage of the input that nothing else bears out against the limits."""
    return _outside_limits(v, tokens, v.get("input.voltage", 0.0), v.get("input.voltage.nominal", 0.0))


def _odd_frequency(_v: "Numbers", _tokens: "Tokens", raw: "Numbers", _name: str) -> bool:
    """Tell a frequency wrong by no power of ten: the driver misreads the input's measurements altogether."""
    found = raw.get("input.frequency", 0.0)
    return BOUNDS["input.frequency"][1] < found < ALL_ONES_HZ and not within(found / 10.0, 55.0, 0.19)


def _half_scale(v: "Numbers", tokens: "Tokens") -> bool:
    """Tell input and output both near half of the claimed nominal, on line: claim or readings are wrong."""
    claimed = v.get("input.voltage.nominal", 0.0)
    if "OL" not in tokens or "BYPASS" in tokens:
        return False
    low, high = 0.4 * claimed, 0.65 * claimed
    return low < v.get("input.voltage", 0.0) < high and low < v.get("output.voltage", 0.0) < high


def _wrong_scale(v: "Numbers", tokens: "Tokens", _raw: "Numbers", _name: str) -> bool:
    """Of the two it is the readings, unless they fit the site."""
    return _half_scale(v, tokens) and not _fits_site(v)


def _wrong_nominal(v: "Numbers", tokens: "Tokens", _raw: "Numbers", _name: str) -> bool:
    """Of the two it is the claim, as the readings fit the site (no published UPS claims 127 V)."""
    return _half_scale(v, tokens) and _fits_site(v)


def _fits_site(v: "Numbers") -> bool:
    site = v.get(SITE_NOMINAL, 0.0)
    return 0.8 * site < v.get("input.voltage", 0.0) < 1.2 * site


def _line_both_ways(_v: "Numbers", tokens: "Tokens", _raw: "Numbers", _name: str) -> bool:
    """Tell on line and on battery at once."""
    return "OL" in tokens and "OB" in tokens


def _line_without_input(v: "Numbers", tokens: "Tokens", _raw: "Numbers", _name: str) -> bool:
    """Tell a battery that is discharged on line while the input is dead."""
    if "OL" not in tokens or "DISCHRG" not in tokens:
        return False
    return v.get("input.voltage", FALLBACK_V) < 0.1 * _reference(v, "input.voltage.nominal")


def _off_with_output(v: "Numbers", tokens: "Tokens", _raw: "Numbers", _name: str) -> bool:
    """Tell a UPS switched off, yet with voltage at the output and no bypass that would explain it."""
    if "OFF" not in tokens or "BYPASS" in tokens:
        return False
    return v.get("output.voltage", 0.0) > 0.5 * _reference(v, "output.voltage.nominal")


# the contradiction, its test, the variables it discredits; in this order, each on what the earlier ones left.
# The reason for each is in its test's first line; where a maintainer of NUT wrote one down, it is given here.
CONTRADICTIONS: "tuple[tuple[str, Callable[[Numbers, Tokens, Numbers, str], bool], tuple[str, ...]], ...]" = (
    # usbhid-ups scaled CyberPower's by 2/3 (NUT issue 439 and before 2.7.2)
    ("low_battery_voltage", _low_battery_voltage, ("battery.voltage",)),
    # NUT issue 2983: the same scale, guessed wrong from the other side
    ("high_battery_voltage", _high_battery_voltage, ("battery.voltage",)),
    # nutdrv_qx reckons the charge from volts per cell (NUT issues 3187, 3482)
    ("guessed_charge", _guessed_charge, ("battery.charge",)),
    # NUT issues 439, 581, 2728, of the output
    ("output_above_line", _output_above_line, ("output.voltage",)),
    ("beyond_any_phase", _beyond_any_phase, ("input.voltage",)),
    ("beyond_any_phase", _beyond_any_phase, ("output.voltage",)),
    # NUT issues 1969 and 1973: a repair of the above went wrong
    ("output_below_line", _output_below_line, ("output.voltage",)),
    # "should not be 0 for non-zero load" (dumps library, Tripp Lite)
    ("dead_output", _dead_output, ("output.voltage",)),
    ("dead_power", _dead_power, ("ups.power",)),
    ("dead_power", _dead_power, ("ups.realpower",)),
    ("false_zero", _false_zero, ("input.transfer.low", "input.transfer.high")),
    ("transfer_order", _transfer_order, ("input.transfer.low", "input.transfer.high")),
    ("wrong_nominal", _claim_outside_transfer, ("input.voltage.nominal",)),
    # tenths of a volt, or the wrong byte (NUT issues 818, 3540)
    ("wrong_limits", _wrong_limits, ("input.transfer.low", "input.transfer.high")),
    # 230 V with a sign in 8 bits, both what is measured and what is claimed (NUT issue 1189)
    ("outside_limits", _wrong_input, ("input.voltage", "input.voltage.nominal")),
    # the panel showed another voltage (dumps library, powercom)
    ("odd_frequency", _odd_frequency, ("input.voltage",)),
    ("wrong_nominal", _wrong_nominal, ("input.voltage.nominal",)),
    # "wrong scaling, fixed in newer versions" (dumps library, tripplite_usb)
    ("wrong_scale", _wrong_scale, ("input.voltage", "output.voltage")),
    # "actually the UPS is online", "not really off" (dumps library, snmp-ups and megatec_usb)
    ("line_both_ways", _line_both_ways, (STATUS,)),
    ("off_with_output", _off_with_output, (STATUS,)),
    # CyberPower's UT series on battery (NUT pull request 811)
    ("line_without_input", _line_without_input, (STATUS,)),
)


def disbelieved(tokens: "Tokens", v: "Numbers") -> "Tokens":
    """Return the tokens that measurements refute; where nothing decides, neither OL nor OB is believed."""
    wrong = set()
    if _off_with_output(v, tokens, v, ""):
        wrong.add("OFF")
    if _line_without_input(v, tokens, v, ""):
        wrong.add("OL")
    if _line_both_ways(v, tokens, v, ""):
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
