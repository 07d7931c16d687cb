"""What is known of one UPS, and how old it is. Pure: takes what was heard and the time, returns fields.

Rules: the flags and the contact states are always there, 0 or 1. A UPS that cannot be heard keeps its last
flags and its last input voltage, whose ages grow; its other numbers are gone, for a number that was not read
is no reading.
"""

from agent.readers import ups_sane

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

# Drivers that read the status at every poll (2 s), the measurements only every `pollfreq` (30 s unless set).
_SLOW_DRIVERS = ("usbhid-ups", "snmp-ups")
_SLOW_POLL_S = 30.0
_POLL_S = 2.0
_LONGEST_POLL_S = 120.0


def refresh_ms(texts: "Mapping[str, str]") -> int:
    """Return the time within which the driver has measured everything anew, going by its intervals."""
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
        self._transfer = ""
        self._input_ms: int | None = None
        self._doubt: tuple[float | None, int] | None = None

    def same_status(self, text: str) -> bool:
        """Tell whether this status was the last one heard, with no lost contact in between."""
        return not self.contact and self._status_ms is not None and text == self._status

    def hear_status(self, now_ms: int) -> None:
        """Take the news that the status is still the same."""
        self._status_ms = now_ms

    def hear(self, texts: "Mapping[str, str]", now_ms: int) -> None:
        """Take all variables of the UPS, just read while upsd did not call them stale."""
        if WAIT in texts.get(ups_sane.STATUS, "").split():
            self.lose(
                "waiting"
            )  # no status at all: what was known of the UPS stays, as with any lost contact
            return
        numbers, bad, tokens = ups_sane.sanitise(texts, self._site_nominal_v)
        if self._status_ms is not None and (tokens ^ self._tokens) & {"OL", "OB"}:
            self._doubt = (self._numbers.get("input.voltage"), now_ms + refresh_ms(texts))
        self.contact = ""
        self._status, self._tokens, self._status_ms = texts.get(ups_sane.STATUS, ""), tokens, now_ms
        self._numbers, self._bad = numbers, len(bad)
        self._transfer = texts.get("input.transfer.reason", "")[:80]
        self._hear_input(numbers.get("input.voltage"), now_ms)

    def _hear_input(self, voltage: float | None, now_ms: int) -> None:
        """Decide whether this is a new measurement of the input, or the driver's memory of an older one.

        upsd gives no times. Where the line was just lost or won, an unchanged voltage is taken for the old
        one until the driver must have measured again: else the last 127 V before a cut would look measured.
        """
        if self._doubt and voltage == self._doubt[0] and now_ms < self._doubt[1]:
            return
        self._doubt = None
        self._input_ms = None if voltage is None else now_ms

    def lose(self, contact: str) -> None:
        """Take the news that the UPS cannot be heard, and why (one of CONTACTS)."""
        self.contact = contact

    def fields(self, now_ms: int) -> "Fields":
        """Return the fields of ``upsd`` as they stand at this time."""
        fields: "Fields" = {flag.lower(): int(flag in self._tokens) for flag in FLAGS}
        fields.update({contact: int(contact == self.contact) for contact in CONTACTS})
        fields["unknown_tokens"] = sum(1 for token in self._tokens if token not in FLAGS)
        if self._status_ms is not None:
            fields["age_status_ms"] = now_ms - self._status_ms
        if self._input_ms is not None:
            fields["age_input_ms"] = now_ms - self._input_ms
        fields.update(self._measured())
        return fields

    def _measured(self) -> "Fields":
        if not self.contact:
            fields: "Fields" = {
                NUMBERS[name]: value for name, value in self._numbers.items() if name in NUMBERS
            }
            fields["bad_values"] = self._bad
            if self._transfer:
                fields["last_transfer"] = self._transfer
            return fields
        if "input.voltage" in self._numbers:
            return {"input_voltage": self._numbers["input.voltage"]}
        return {}
