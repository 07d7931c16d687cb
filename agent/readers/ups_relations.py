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
FALLBACK_V = 100.0  # the lowest supply in use (Japan), where neither the UPS nor the site says one
SMALLEST_SUPPLY_V = 90.0  # a claim below is none of a supply (12 V devices, a battery's voltage misplaced)
BEYOND_ANY_PHASE = 2.2  # a lost neutral puts a whole 220 V on a leg of 127 V, 1.73; no fault gives more
ALL_ONES_HZ = (
    400.0  # from here on it is a sensor that is not there: 12 or 16 bits of ones make 409.5 or 655.35
)

STATUS = "ups.status"
SITE_NOMINAL = "site.nominal"  # not NUT's: what the site is supplied with, beside the UPS's own numbers
NOMINALS = ("input.voltage.nominal", "output.voltage.nominal", SITE_NOMINAL)


def _battery_scale(v: "Numbers", _tokens: "Tokens", _raw: "Numbers", name: str) -> bool:
    """Tell more than four packs make of one's nominal voltage, or a charged battery below what ends a run.

    A UPS gives up at 10 V of 12. Volts may be those of one cell or block of a battery.
    """
    voltage, nominal = v.get(name, 0.0), v.get("battery.voltage.nominal", 0.0)
    if nominal >= BATTERY_V and voltage > 5.2 * nominal:
        return True
    if not voltage or v.get("battery.charge", 0.0) < CHARGED_PERCENT:
        return False
    per_cell = CELL_V[0] < voltage < CELL_V[1] and nominal >= BATTERY_V
    per_block = BLOCK_V[0] < voltage < BLOCK_V[1] and nominal >= TWO_BLOCKS_V
    return not per_cell and not per_block and voltage < 0.8 * nominal


def _guessed_charge(v: "Numbers", _tokens: "Tokens", _raw: "Numbers", name: str) -> bool:
    """Tell an empty battery of charged cells: the driver took the voltage of one for that of all."""
    charged = FLOAT_V[0] <= v.get("battery.voltage", 0.0) <= FLOAT_V[1]
    return charged and v.get(name) == 0.0 and v.get("battery.voltage.nominal", 0.0) >= BATTERY_V


def _off_the_line(v: "Numbers", tokens: "Tokens", _raw: "Numbers", name: str) -> bool:
    """Tell an output far from the line, on line: most UPSes pass it on within a few volts.

    It may be the nominal voltage (double conversion), boosted, or stepped down (230 V to 100 V); direct
    current has a nominal voltage to show for it, or comes in as such.
    """
    found, line = v.get(name, 0.0), v.get("input.voltage", 0.0)
    if "OL" not in tokens or "OFF" in tokens or not found:
        return False
    nominals = [v[nominal] for nominal in NOMINALS if nominal in v]
    if nominals and found > 1.07 * max(*nominals, line):
        return "BOOST" not in tokens
    return found < 0.3 * line and min(line, v.get("output.voltage.nominal", line)) >= SMALLEST_SUPPLY_V


def _beyond_any_phase(v: "Numbers", _tokens: "Tokens", _raw: "Numbers", name: str) -> bool:
    """Tell more volts than any fault of the supply that is claimed or known can put there."""
    highest = max([v.get(nominal, 0.0) for nominal in NOMINALS])
    return highest >= SMALLEST_SUPPLY_V and v.get(name, 0.0) > BEYOND_ANY_PHASE * highest


def _dead(v: "Numbers", tokens: "Tokens", _raw: "Numbers", name: str) -> bool:
    """Tell no voltage or power at the output while the load is above zero."""
    return v.get(name, FALLBACK_V) < 1.0 and v.get("ups.load", 0.0) >= LOADED_PERCENT and "OFF" not in tokens


def _false_zero(v: "Numbers", _tokens: "Tokens", raw: "Numbers", name: str) -> bool:
    """Tell transfer limits of 0 V where 0 V at the output was just refuted; else they mean "not told"."""
    return raw.get(name) == 0.0 == raw.get("output.voltage") and "output.voltage" not in v


def _transfer_order(v: "Numbers", _tokens: "Tokens", _raw: "Numbers", name: str) -> bool:
    """Tell a lower limit at or above the upper one: the UPS could never be on line."""
    return v.get(name, 0.0) >= v.get("input.transfer.high", 1000.0)


def _claim_outside_transfer(v: "Numbers", tokens: "Tokens", _raw: "Numbers", name: str) -> bool:
    """Tell a claimed nominal voltage at which the UPS would go to battery, unlike at what it measures."""
    low, high = v.get("input.transfer.low", 1000.0), v.get("input.transfer.high", 0.0)
    claimed = v.get(name, low)
    return "OL" in tokens and low < v.get("input.voltage", 0.0) < high and not low <= claimed <= high


def _outside_limits(v: "Numbers", tokens: "Tokens", _raw: "Numbers", name: str) -> bool:
    """Tell two voltages beyond the same transfer limit of a UPS that is on line.

    Where the output (or the site) bears out what the UPS claims it is the limits, else what is measured.
    """
    low, high = v.get("input.transfer.low", 0.0), v.get("input.transfer.high", 0.0)
    claimed = v.get("input.voltage.nominal", 0.0)
    witness = v.get("output.voltage") or v.get(SITE_NOMINAL, 0.0)
    borne_out = within(claimed, witness, 0.15)
    if name == "input.voltage":
        witness = v.get(name, 0.0)
    if not (claimed and witness and low and high) or "OL" not in tokens or "BYPASS" in tokens:
        return False
    return borne_out == (name != "input.voltage") and (
        max(claimed, witness) < 0.9 * low or min(claimed, witness) > 1.1 * high
    )


def _odd_frequency(_v: "Numbers", _tokens: "Tokens", raw: "Numbers", _name: str) -> bool:
    """Tell a frequency wrong by no power of ten: the driver misreads the input's measurements altogether."""
    found = raw.get("input.frequency", 0.0)
    return BOUNDS["input.frequency"][1] < found < ALL_ONES_HZ and not within(found / 10.0, 55.0, 0.19)


def _half_scale(v: "Numbers", tokens: "Tokens", _raw: "Numbers", name: str) -> bool:
    """Tell input and output both near half of the claimed nominal, on line: claim or readings are wrong.

    It is the readings, unless they fit the site (no published UPS claims 127 V).
    """
    low, high = 0.4 * v.get("input.voltage.nominal", 0.0), 0.65 * v.get("input.voltage.nominal", 0.0)
    if not (low < v.get("input.voltage", 0.0) < high and low < v.get("output.voltage", 0.0) < high):
        return False
    return "OL" in tokens and "BYPASS" not in tokens and _fits_site(v) == (name == "input.voltage.nominal")


def _fits_site(v: "Numbers") -> bool:
    site = v.get(SITE_NOMINAL, 0.0)
    return 0.8 * site < v.get("input.voltage", 0.0) < 1.2 * site


def _line_both_ways(v: "Numbers", tokens: "Tokens", _raw: "Numbers", _name: str) -> bool:
    """Tell on line and on battery at once, in words or by a battery that is used while the input is dead."""
    if "OL" not in tokens or "OB" in tokens:
        return "OL" in tokens
    return "DISCHRG" in tokens and v.get("input.voltage", FALLBACK_V) < 0.1 * FALLBACK_V


def _off_with_output(v: "Numbers", tokens: "Tokens", _raw: "Numbers", _name: str) -> bool:
    """Tell a UPS switched off, yet with voltage at the output and no bypass that would explain it."""
    if "OFF" not in tokens or "BYPASS" in tokens:
        return False
    return v.get("output.voltage", 0.0) > 0.5 * _reference(v, "output.voltage.nominal")


# the contradiction, its test, the variables it discredits; in this order, each on what the earlier ones left.
# The reason for each is in its test's first line; where one is on NUT's record it is named here.
CONTRADICTIONS: "tuple[tuple[str, Callable[[Numbers, Tokens, Numbers, str], bool], tuple[str, ...]], ...]" = (
    # usbhid-ups scaled CyberPower's by 2/3, later some by 3/2 and more (NUT issues 439 and 2983)
    ("battery_scale", _battery_scale, ("battery.voltage",)),
    # nutdrv_qx reckons the charge from volts per cell (NUT issues 3187, 3482)
    ("guessed_charge", _guessed_charge, ("battery.charge",)),
    # CyberPower's again, and what a repair of it did to others (NUT issues 439, 581, 2728, 1973)
    ("off_the_line", _off_the_line, ("output.voltage",)),
    ("beyond_any_phase", _beyond_any_phase, ("input.voltage",)),
    ("beyond_any_phase", _beyond_any_phase, ("output.voltage",)),
    # "should not be 0 for non-zero load" (dumps library, Tripp Lite)
    ("dead_output", _dead, ("output.voltage",)),
    ("dead_output", _dead, ("ups.power",)),
    ("dead_output", _dead, ("ups.realpower",)),
    ("false_zero", _false_zero, ("input.transfer.low", "input.transfer.high")),
    ("transfer_order", _transfer_order, ("input.transfer.low", "input.transfer.high")),
    ("wrong_nominal", _claim_outside_transfer, ("input.voltage.nominal",)),
    # tenths of a volt, or the wrong byte (NUT issues 818, 3540)
    ("outside_limits", _outside_limits, ("input.transfer.low", "input.transfer.high")),
    # 230 V with a sign in 8 bits, both what is measured and what is claimed (NUT issue 1189)
    ("outside_limits", _outside_limits, ("input.voltage", "input.voltage.nominal")),
    # the panel showed another voltage (dumps library, powercom)
    ("odd_frequency", _odd_frequency, ("input.voltage",)),
    ("wrong_nominal", _half_scale, ("input.voltage.nominal",)),
    # "wrong scaling, fixed in newer versions" (dumps library, tripplite_usb)
    ("wrong_scale", _half_scale, ("input.voltage", "output.voltage")),
    # "actually the UPS is online", "not really off" (dumps library, snmp-ups and megatec_usb);
    # CyberPower's UT series says so on battery (NUT pull request 811)
    ("line_both_ways", _line_both_ways, (STATUS,)),
    ("off_with_output", _off_with_output, (STATUS,)),
)


def disbelieved(tokens: "Tokens", v: "Numbers") -> "Tokens":
    """Return the tokens that measurements refute; where nothing decides, neither OL nor OB is believed."""
    wrong = set()
    if _off_with_output(v, tokens, v, ""):
        wrong.add("OFF")
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
