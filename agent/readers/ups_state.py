"""What is known of one UPS, and how old it is. Pure: takes what was heard and the time, returns fields.

Rules: the flags and the contact states are always there, 0 or 1. A UPS that cannot be heard keeps its last
flags and its last input voltage, whose ages grow; its other numbers are gone, for a number that was not read
is no reading.

Ages. upsd gives no times and hands out what the driver last stored, so an age here is the *most* that a value
can be old, by what shows that it was measured: it changed since the read before (new), or the driver, which
upsd does not call stale, has had the whole of its interval since then (as old as that interval). Where the
line was just lost or won an unchanged input is taken for the old one until that interval is over: else the
last 127 V before a cut would look measured. apcupsd tells the time of its measurements; there it is that.
"""

from agent.readers.ups_relations import STATUS
from agent.readers.ups_sane import Heard

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.readers.port import Fields

# NUT variable -> field
NUMBERS = {
    "battery.charge": "battery_charge_percent",
    "battery.runtime": "battery_runtime",
    "battery.runtime.low": "battery_runtime_low",
    "battery.voltage": "battery_voltage",
    "battery.voltage.nominal": "nominal_battery_voltage",
    "input.frequency": "input_frequency",
    "input.transfer.high": "input_transfer_high",
    "input.transfer.low": "input_transfer_low",
    "input.voltage": "input_voltage",
    "input.voltage.nominal": "nominal_input_voltage",
    "output.voltage": "output_voltage",
    "ups.delay.reboot": "ups_delay_reboot",
    "ups.delay.shutdown": "ups_delay_shutdown",
    "ups.delay.start": "ups_delay_start",
    "ups.load": "load_percent",
    "ups.power.nominal": "nominal_power",
    "ups.realpower": "real_power",
    "ups.temperature": "internal_temp",
}

# Tokens of ups.status (NUT docs/new-drivers.txt); clients must accept others.
_LINE_FLAGS = ("OL", "OB", "BYPASS", "TRIM", "BOOST")
_BATTERY_FLAGS = ("LB", "HB", "RB", "CHRG", "DISCHRG", "CAL")
FLAGS = _LINE_FLAGS + _BATTERY_FLAGS + ("OFF", "OVER", "FSD", "ALARM")
WAIT = "WAIT"  # upsd's own word before the driver's first data

# upsd's error -> contact state; any other refusal is a server that does not serve us
CONTACT = {"DATA-STALE": "data_stale", "DRIVER-NOT-CONNECTED": "driver_lost", "UNKNOWN-UPS": "unknown_ups"}
CONTACTS = ("data_stale", "driver_lost", "unknown_ups", "waiting", "server_lost")

WATCHED = tuple(flag.lower() for flag in FLAGS) + CONTACTS

# group of values that a driver measures together -> what shows that it was measured anew
GROUPS = (
    ("age_input_ms", ("input.voltage",)),
    ("age_battery_ms", ("battery.charge", "battery.runtime", "battery.voltage")),
    ("age_output_ms", ("output.voltage", "ups.load", "ups.realpower", "ups.temperature")),
)
INPUT = "age_input_ms"
UNKNOWN_CHARS = 80  # of the unknown words of a status, together

# Drivers that read the status at every poll (2 s), the measurements only every `pollfreq` (30 s unless set).
_SLOW_DRIVERS = ("usbhid-ups", "snmp-ups")
_SLOW_POLL_S = 30.0
_POLL_S = 2.0
_LONGEST_POLL_S = 120.0


def refresh_ms(texts: "Mapping[str, str]") -> int:
    """Return the time within which the driver has measured everything anew, going by its intervals.

    NUT 2.8 shows them as ``driver.parameter.pollfreq`` and ``pollinterval`` (s); without, by their defaults.
    """
    slow = texts.get("driver.name") in _SLOW_DRIVERS
    text = texts.get("driver.parameter.pollfreq" if slow else "driver.parameter.pollinterval", "")
    try:
        seconds = float(text)
    except ValueError:
        seconds = _SLOW_POLL_S if slow else _POLL_S
    return int(1000 * min(_LONGEST_POLL_S, max(1.0, seconds))) + 1000


class UpsState:
    """One UPS as heard so far. ``site_nominal_v`` is what its site is supplied with."""

    def __init__(self, site_nominal_v: float | None = None) -> None:
        self.contact = ""
        self._site_nominal_v = site_nominal_v
        self._status = ""
        self._tokens: set[str] = set()
        self._status_ms: int | None = None
        self._numbers: dict[str, float] = {}
        self._bad = 0
        self._more: "Fields" = {}
        self._groups: "dict[str, tuple[list[float | None], int]]" = {}  # values, when they were measured
        self._doubt_until_ms = 0

    def in_contact(self) -> bool:
        """Tell whether the UPS was heard, with no lost contact since."""
        return not self.contact and self._status_ms is not None

    def known(self) -> tuple[str, str]:
        """Return what a watch can find changed: the contact lost, the status."""
        return self.contact, self._status

    def same_status(self, text: str) -> bool:
        """Tell whether this status was the last one heard, with no lost contact in between."""
        return self.in_contact() and text == self._status

    def hear_status(self, now_ms: int) -> None:
        """Take the news that the status is still the same."""
        self._status_ms = now_ms

    def hear(self, texts: "Mapping[str, str]", now_ms: int) -> None:
        """Take all variables of the UPS at once; see ``take``."""
        heard = Heard()
        for name in texts:
            heard.take(name, texts[name])
        self.take(heard, now_ms)

    def take(
        self, heard: Heard, now_ms: int, age_ms: int | None = None, more: "Fields | None" = None
    ) -> None:
        """Take all variables of the UPS, just read while the server did not call them stale.

        ``age_ms``: how old they are, where the server says so. ``more``: fields that NUT has no variable for.
        """
        if WAIT in heard.texts.get(STATUS, "").split():
            self.lose("waiting")  # no status at all: what was known stays, as with any lost contact
            return
        numbers, bad, tokens = heard.verdict(self._site_nominal_v)
        slack_ms = refresh_ms(heard.texts)
        if self._status_ms is not None and (tokens ^ self._tokens) & {"OL", "OB"}:
            self._doubt_until_ms = now_ms + slack_ms
        self.contact = ""
        self._status, self._tokens, self._status_ms = heard.texts.get(STATUS, ""), tokens, now_ms
        self._numbers, self._bad = numbers, len(bad)
        self._more = dict(more or {})
        if heard.texts.get("input.transfer.reason"):
            self._more["last_transfer"] = heard.texts["input.transfer.reason"]
        if "wiring" in heard.texts.get("ups.alarm", "").lower():  # "Site wiring fault", in the driver's words
            self._more["wiring_fault"] = 1
        for group, names in GROUPS:
            values = [numbers.get(name) for name in names]
            self._measure(group, values, now_ms, slack_ms if age_ms is None else age_ms, age_ms is not None)

    def _measure(
        self,
        group: str,
        values: "list[float | None]",
        now_ms: int,
        slack_ms: int,
        certain: bool,  # noqa: FBT001
    ) -> None:
        """Note when this group was measured, going by what is new of it."""
        old = self._groups.pop(group, None)
        if all(value is None for value in values):
            return
        measured_ms = now_ms - slack_ms
        if not certain and old is not None:
            if old[0] != values:
                measured_ms = now_ms
            elif group == INPUT and now_ms < self._doubt_until_ms:
                measured_ms = old[1]
            else:
                measured_ms = max(old[1], measured_ms)
        self._groups[group] = (values, measured_ms)

    def lose(self, contact: str) -> None:
        """Take the news that the UPS cannot be heard, and why (one of CONTACTS)."""
        self.contact = contact

    def fields(self, now_ms: int) -> "Fields":
        """Return the fields of ``upsd`` as they stand at this time."""
        fields: "Fields" = {flag.lower(): int(flag in self._tokens) for flag in FLAGS}
        fields.update({contact: int(contact == self.contact) for contact in CONTACTS})
        unknown = sorted([token for token in self._tokens if token not in FLAGS])
        fields["unknown_tokens"] = len(unknown)
        if unknown:
            fields["unknown_status"] = _plain(" ".join(unknown))[:UNKNOWN_CHARS]
        if self._status_ms is not None:
            fields["age_status_ms"] = now_ms - self._status_ms
        for group, (_, measured_ms) in self._groups.items():
            if group == INPUT or not self.contact:
                fields[group] = max(0, now_ms - measured_ms)
        fields.update(self._measured())
        return fields

    def _measured(self) -> "Fields":
        if not self.contact:
            fields: "Fields" = {
                NUMBERS[name]: value for name, value in self._numbers.items() if name in NUMBERS
            }
            fields["bad_values"] = self._bad
            fields.update(self._more)
            return fields
        if "input.voltage" in self._numbers:
            return {"input_voltage": self._numbers["input.voltage"]}
        return {}


def _plain(text: str) -> str:
    return "".join([char if " " <= char <= "~" else "?" for char in text])
