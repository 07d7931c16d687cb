"""What the sources of Wi-Fi readings say, value by value: checked, in one unit, without its sender. Pure.

Everything here comes from programs that print what radios and strangers' devices told them, so any value
may be missing, of another type, or absurd. None stands for "not known".
"""

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MOST_CLIENTS = 2007  # association ids of one access point (IEEE 802.11, 9.4.1.8)
MAC_BYTES = 6
MAC_TEXT = 17

# The highest rates that a link of each generation can have, in kbit/s: 4 streams on the widest channel, and
# for 802.11n also what vendors add at 2.4 GHz (256-QAM).
TOPS = (("eht", 11_530_000), ("he", 4_804_000), ("vht", 3_467_000), ("ht", 800_000))
TOP_LEGACY = 108_000
LOWEST = 1000
# kbit/s is (1, 1); hostapd of some releases multiplies by 100 once too often, or once too few.
UNITS = ((1, 1), (1, 100), (100, 1))
_MANY = 1000


def whole(value: "Any", low: int, high: int) -> int | None:
    """Return a whole number within bounds, None for anything else (NaN fails every comparison)."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if low <= value <= high else None


def signal_of(value: "Any") -> int | None:
    """Return a signal in dBm; 0 is what drivers say that do not know it."""
    return whole(value, -120, -1)


def noise_of(value: "Any") -> int | None:
    """Return the noise floor in dBm: 0 means unknown, and a survey prints the byte without its sign."""
    value = whole(value, -130, 255)
    if value is None or value == 0:
        return None
    return signal_of(value - 256 if value > 0 else value)


def mac_of(text: "Any") -> bytes | None:
    """Return the 6 bytes of a MAC address in text, either case."""
    if not isinstance(text, str) or len(text) != MAC_TEXT:
        return None
    try:
        mac = bytes.fromhex(text.replace(":", "").replace("-", ""))
    except ValueError:
        return None
    return mac if len(mac) == MAC_BYTES else None


def channel_of(mhz: int) -> int | None:
    """Return the channel number of a centre frequency (IEEE 802.11, annex E)."""
    if mhz == 2484:  # noqa: PLR2004 (channel 14)
        return 14
    for low, high, base in ((2412, 2472, 2407), (5160, 5885, 5000), (5955, 7115, 5950)):
        if low <= mhz <= high:
            return (mhz - base) // 5
    return None


class RateUnit:
    """Which unit the rates of this machine come in, by what would be possible; learned over all clients."""

    def __init__(self) -> None:
        """Take them as kbit/s until something speaks against it."""
        self._fits = [0] * len(UNITS)

    def learn(self, raw: int, top: int) -> None:
        """Note for each unit whether a link with highest rate ``top`` (kbit/s) could have this rate."""
        for index, (times, per) in enumerate(UNITS):
            self._fits[index] += LOWEST <= raw * times // per <= top
        if max(self._fits) > _MANY:  # an update must not have to outvote years
            self._fits = [count // 2 for count in self._fits]

    def mbit(self, raw: int) -> float | None:
        """Return a rate in Mbit/s, None when it cannot be one."""
        best = max(self._fits)
        times, per = UNITS[self._fits.index(best)]
        kbit = raw * times / per
        return kbit / 1000 if LOWEST <= kbit <= TOPS[0][1] else None


class Crowd:
    """The clients of one access point in one reading: counts and quantiles, no addresses.

    Each address goes to ``see`` at once and is not kept.
    """

    def __init__(self, unit: RateUnit, see: "Callable[[bytes], None]") -> None:
        """Begin empty."""
        self.count = 0
        self.unread = 0  # beyond what one access point can have
        self.bad = 0  # entries and values that cannot be
        self._unit = unit
        self._see = see
        self._signals = [0] * 128  # how many clients at each -dBm
        self._heard = 0
        self._rates: list[int] = []

    def full(self) -> bool:
        """Tell whether more clients cannot be; counts those that come nevertheless."""
        if self.count < MOST_CLIENTS:
            return False
        self.unread += 1
        return True

    def add(self, mac: bytes, signal: "Any", rates: "tuple[Any, Any]", top: int) -> None:
        """Take one client: signal in dBm and (to, from) it the rates, in the machine's unit."""
        self.count += 1
        self._see(mac)
        self.measure(signal, rates, top)

    def measure(self, signal: "Any", rates: "tuple[Any, Any]", top: int) -> None:
        """Take what is measured of a client that is counted already."""
        level = signal_of(signal)
        if level is not None:
            self._signals[-level] += 1
            self._heard += 1
        elif signal not in (None, 0):
            self.bad += 1
        for index, rate in enumerate(rates):
            raw = whole(rate, 1, 0xFFFFFFFF)
            if raw is not None:
                self._unit.learn(raw, top)
                if index == 0 and len(self._rates) < MOST_CLIENTS:
                    self._rates.append(raw)
            elif rate not in (None, 0):
                self.bad += 1

    def measured(self) -> bool:
        """Tell whether any signal is known."""
        return self._heard > 0

    def fields(self) -> "dict[str, int | float]":
        """Return the fields of ``wifi_ap`` that these clients make."""
        fields: "dict[str, int | float]" = {"clients": self.count}
        for percent in (10, 50, 90):
            if self._heard:
                fields["signal_p" + str(percent)] = float(self._signal(percent))
        found = [self._unit.mbit(raw) for raw in self._rates]
        rates = sorted([rate for rate in found if rate is not None])
        self.bad += len(found) - len(rates)
        if rates:
            fields["rate_p50"] = round(rates[_rank(len(rates), 50)], 1)
        return fields

    def _signal(self, percent: int) -> int:
        left = _rank(self._heard, percent)
        for level in range(len(self._signals) - 1, 0, -1):
            left -= self._signals[level]
            if left < 0:
                return -level
        return 0


def _rank(count: int, percent: int) -> int:
    """Return the index of a quantile among sorted values (nearest rank)."""
    return max(0, (count * percent + 99) // 100 - 1)


def is_address(text: str) -> bool:
    """Tell whether a text has a MAC address's form, with or without separators."""
    plain = text.replace(":", "").replace("-", "").replace(".", "").lower()
    return len(plain) == 2 * MAC_BYTES and all(c in "0123456789abcdef" for c in plain)
