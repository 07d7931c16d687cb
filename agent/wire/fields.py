"""The register of measurements and fields: the only list of them, and their names in InfluxDB.

Units are symbols of the SenML registry (RFC 8428 section 12.1, RFC 8798), empty for numbers without one.
Counters are raw and in the device's own direction. Agents need not import this module.
"""

from collections import namedtuple

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import NamedTuple

    class Field(NamedTuple):
        """One field: ``type`` is float, int, bool or str; ``low`` and ``high`` bound legal values."""

        type: str
        unit: str
        low: float | None
        high: float | None
        meaning: str

    class Measurement(NamedTuple):
        """One measurement: the tag that names its instance, who makes it, its fields."""

        tag: str | None
        origin: str
        fields: dict[str, Field]

else:
    Field = namedtuple("Field", ("type", "unit", "low", "high", "meaning"))  # noqa: PYI024 - for MicroPython
    Measurement = namedtuple("Measurement", ("tag", "origin", "fields"))  # noqa: PYI024 - for MicroPython

MAX_INSTANCES = 64  # of one device and measurement
MAX_UNKNOWN_FIELDS = 16  # of one device and measurement
TIME_QUALITY = "time_quality"  # text field that the centre adds to points whose time is not the device's own
RESERVED = ("time", "site", "device", TIME_QUALITY)  # no field of a device may be named so


def _int(meaning: str, unit: str = "", high: int | None = None, low: int | None = 0) -> Field:
    return Field("int", unit, low, high, meaning)


def _float(meaning: str, unit: str = "", high: float | None = None, low: float | None = 0) -> Field:
    return Field("float", unit, low, high, meaning)


def _flag(meaning: str) -> Field:
    return Field("int", "", 0, 1, meaning)


NET = {
    "bytes_recv": _int("bytes received by the interface", "B"),
    "bytes_sent": _int("bytes sent by the interface", "B"),
    "packets_recv": _int("packets received", "count"),
    "packets_sent": _int("packets sent", "count"),
    "err_in": _int("receive errors", "count"),
    "err_out": _int("transmit errors", "count"),
    "drop_in": _int("received packets dropped", "count"),
    "drop_out": _int("packets dropped on sending", "count"),
    "speed": _int("negotiated speed of the port", "Mbit/s"),
    "carrier": _flag("the port has a link"),
    "full_duplex": _flag("the port runs full duplex"),
}

UPSD = {
    "battery_charge_percent": _float("charge of the battery", "%", 100),
    "battery_voltage": _float("voltage of the battery", "V", 1000),
    "battery_runtime": _float("time left on battery, as the UPS estimates it", "s"),
    "battery_runtime_low": _float("time left at which the UPS says low battery", "s"),
    "input_voltage": _float("voltage at the input", "V", 1000),
    "input_frequency": _float("frequency at the input", "Hz", 100),
    "input_transfer_low": _float("input voltage below which the UPS goes to battery", "V", 1000),
    "input_transfer_high": _float("input voltage above which the UPS goes to battery", "V", 1000),
    "output_voltage": _float("voltage at the output", "V", 1000),
    "load_percent": _float("load, of the UPS's capacity", "%", 1000),
    "internal_temp": _float("temperature inside the UPS", "Cel", 200, -60),
    "real_power": _float("power drawn by the load", "W", 1000000),
    "nominal_power": _float("apparent power the UPS is built for", "VA", 1000000),
    "nominal_input_voltage": _float("input voltage the UPS claims as nominal", "V", 1000),
    "nominal_battery_voltage": _float("nominal voltage of the battery", "V", 1000),
    "ups_delay_start": _float("delay before the load is switched on again", "s", None, None),
    "ups_delay_shutdown": _float("delay before the load is switched off", "s", None, None),
    "ups_delay_reboot": _float("time the load stays off in a reboot", "s", None, None),
    "ol": _flag("on line"),
    "ob": _flag("on battery: the UPS left the line, which need not mean that the mains are gone"),
    "lb": _flag("battery low"),
    "hb": _flag("battery voltage high"),
    "rb": _flag("battery must be replaced"),
    "chrg": _flag("battery is charging"),
    "dischrg": _flag("battery is discharging"),
    "bypass": _flag("load is on bypass, unprotected"),
    "cal": _flag("UPS is calibrating its runtime"),
    "off": _flag("output is off"),
    "over": _flag("UPS is overloaded"),
    "trim": _flag("UPS lowers a high input voltage"),
    "boost": _flag("UPS raises a low input voltage"),
    "fsd": _flag("forced shutdown is under way"),
    "alarm": _flag("the UPS reports an alarm"),
    "data_stale": _flag("upsd says its data are stale"),
    "driver_lost": _flag("upsd has lost the driver"),
    "unknown_ups": _flag("upsd does not know this UPS"),
    "waiting": _flag("upsd waits for the driver's first data"),
    "server_lost": _flag("upsd does not answer"),
    "unknown_tokens": _int("words of the status that are not known", "count"),
    "bad_values": _int("values set aside because they cannot be", "count"),
    "unknown_status": Field("str", "", None, None, "the words of the status that are not known"),
    "age_input_ms": _int("time since the input's voltage was measured, at most", "ms"),
    "age_battery_ms": _int("time since the battery's values were measured, at most", "ms"),
    "age_output_ms": _int("time since output, load and temperature were measured, at most", "ms"),
    "age_status_ms": _int("time since the status was last refreshed", "ms"),
    "last_transfer": Field("str", "", None, None, "why the UPS last went to battery, in its own words"),
    "number_transfers": _int("transfers to battery since apcupsd started", "count"),
    "time_on_battery": _int("time on battery now, as apcupsd counts it", "s"),
    "wiring_fault": _flag("the UPS says that the socket or the building is wired wrongly; else absent"),
}

HOST = {
    "system": Measurement(None, "device", {
        "load1": _float("load average of 1 minute"),
        "load5": _float("load average of 5 minutes"),
        "load15": _float("load average of 15 minutes"),
        "uptime": _int("time since the kernel started", "s"),
        "n_cpus": _int("processors", "count"),
    }),
    "mem": Measurement(None, "device", {
        "total": _int("memory", "B"),
        "available": _int("memory that programs can get", "B"),
        "free": _int("memory that nobody uses", "B"),
        "buffered": _int("memory in buffers", "B"),
        "cached": _int("memory in the page cache", "B"),
        "used_percent": _float("memory in use", "%", 100),
    }),
    "disk": Measurement("path", "device", {
        "total": _int("size of the file system", "B"),
        "free": _int("free space", "B"),
        "used_percent": _float("space in use", "%", 100),
    }),
    "temp": Measurement("sensor", "device", {
        "temp": _float("temperature", "Cel", 200, -60),
    }),
    "cpu": Measurement(None, "device", {
        "usage_percent": _float("processor time in use since the sample before", "%", 100),
    }),
    "restart": Measurement(None, "device", {
        "cold": _flag("the machine was without power before this start; absent: not known"),
        "watchdog_reset": _flag("a watchdog says that it restarted the machine"),
        "power_fault": _flag("the supply's voltage ended the run before"),
        "over_temp": _flag("heat ended the run before"),
        "crash_dump": _flag("the kernel left the dump of a crash"),
    }),
}  # fmt: skip

# the estimate's standard error is 3 %; phones that make up a new address are counted once for each
_CLIENTS_DAY = _int("distinct addresses since midnight, estimated: a phone that changes its own counts again")

NETWORK = {
    "ping": Measurement("url", "device", {
        "average_response_ms": _float("mean round trip", "ms"),
        "minimum_response_ms": _float("shortest round trip", "ms"),
        "maximum_response_ms": _float("longest round trip", "ms"),
        "percent_packet_loss": _float("packets without an answer", "%", 100),
        "packets_transmitted": _int("packets sent", "count"),
        "packets_received": _int("packets answered", "count"),
        "result_code": _int("0 answered, 1 no such name, 2 no answer, 3 no route", "", 255),
        "method": _int("how it was probed: 1 ICMP echo, 2 TCP connection", "", 255),
    }),
    "dns_query": Measurement("server", "device", {
        "query_time_ms": _float("time to the answer", "ms"),
        "rcode_value": _int("response code of DNS", "", 4095),
        "result_code": _int("0 answered, 1 no answer, 2 refused or failed", "", 255),
    }),
    "http_response": Measurement("server", "device", {
        "response_time": _float("time to the head of the answer", "s"),
        "http_response_code": _int("code of HTTP", "", 999),
        "redirected": _flag("the answer sends elsewhere"),
        "result_code": _int("0 answered, 2 not HTTP, 3 no connection, 4 too slow, 5 no such name", "", 255),
    }),
    "x509_cert": Measurement("source", "device", {
        "expiry": _int("time left until the certificate ends", "s", None, None),
        "enddate": _int("end of the certificate, since 1970", "s"),
        "verification_code": _int("0 the certificate holds, 1 it does not", "", 255),
    }),
    "wan": Measurement("interface", "device", {
        "up": _flag("the uplink is up"),
        "uptime": _int("time since the uplink came up", "s"),
        "pending": _flag("the uplink is being set up"),
        "ipv4": _flag("the uplink has an IPv4 address"),
        "default_route": _flag("the IPv4 default route leads over the uplink"),
        "error": Field("str", "", None, None, "why the uplink is down, one word; none: nothing is wrong"),
        "network": Field("str", "", None, None, "name of the uplink in the router's configuration"),
        "proto": Field("str", "", None, None, "how the uplink gets its address"),
        "l3_device": Field("str", "", None, None, "interface that carries the uplink's packets"),
    }),
    "wifi_ap": Measurement("ifname", "device", {
        "up": _flag("the access point beacons"),
        "dfs_wait": _flag("it waits to learn whether a radar uses the channel"),
        "clients": _int("clients associated", "count", 10000),
        "clients_day": _CLIENTS_DAY,
        "channel": _int("channel number", "", 255),
        "frequency": _int("centre frequency of the channel", "MHz", 100000),
        "noise": _float("noise floor", "dBm", 0, -200),
        "signal_p10": _float("signal that 10 % of the clients are below", "dBm", 0, -200),
        "signal_p50": _float("median signal of the clients", "dBm", 0, -200),
        "signal_p90": _float("signal that 90 % of the clients are below", "dBm", 0, -200),
        "rate_p50": _float("median transmit rate to the clients", "Mbit/s"),
        "airtime_percent": _float("time the channel was busy", "%", 100),
        "airtime_rx_percent": _float("time the radio was receiving", "%", 100),
        "airtime_tx_percent": _float("time the radio was sending", "%", 100),
        "tx_power": _float("power the radio sends with", "dBm", 60, -10),
        "place": Field("str", "", None, None, "where it stands: indoor or outdoor"),
    }),
    "wifi": Measurement(None, "device", {
        "access_points": _int("access points that the device has", "count", 64),
        "access_points_up": _int("access points that beacon", "count", 64),
        "clients": _int("clients associated with all of them", "count", 100000),
        "clients_day": _CLIENTS_DAY,
        "clients_unread": _int("clients beyond what an access point can have, not looked at", "count"),
        "bad_values": _int("entries and values set aside because they cannot be", "count"),
        "networks_heard": _int("networks of others heard in the last scan", "count"),
        "scan_failures": _int("radios that heard nothing in the last scan", "count"),
    }),
    "wifi_neighbour": Measurement("neighbour", "device", {
        "heard": _flag("this access point of the same facility is heard; 0 after two scans without it"),
        "signal": _float("how strong it is heard", "dBm", 0, -200),
        "frequency": _int("centre frequency of the channel", "MHz", 100000),
    }),
}  # fmt: skip

POWER = {
    "mains": Measurement("meter", "device", {
        "answers": _flag("the meter answers; it lives on the line that it measures"),
        "line_lost": _flag("its serial port or gateway cannot be reached, which says nothing of the supply"),
        "backwards": _flag("the current transformer sits the wrong way round, or power is fed back"),
        "timeouts": _int("questions without an answer since the agent started", "count"),
        "frame_errors": _int("answers that came damaged or cut short", "count"),
        "exceptions": _int("questions that the meter refused", "count"),
        "strangers": _int("answers of another unit than was asked", "count"),
        "echoes": _int("questions that the adapter gave back as if heard", "count"),
        "bad_values": _int("values set aside because they cannot be", "count"),
        "voltage": _float("voltage", "V", 1000),
        "current": _float("current", "A", 10000),
        "power": _float("active power; negative when fed back", "W", 1000000, -1000000),
        "frequency": _float("frequency", "Hz", 100),
        "power_factor": _float("power factor", "/", 1, -1),
        "energy": _float("active energy counted by the meter", "Wh"),
        "leg": _int("leg of the supply that it measures, from 1", "", 3, 1),
        "place": Field("str", "", None, None, "the circuit that it measures, such as indoor or outdoor"),
    }),
    "pi_power": Measurement(None, "device", {
        "undervoltage": _flag("the board's supply is below 4.63 V now"),
        "undervoltage_seen": _flag("it was since the board started"),
        "throttled": _flag("the processor is slowed down now, for heat or supply"),
        "throttled_seen": _flag("it was since the board started"),
    }),
    "tamper": Measurement("input", "device", {
        "unread": _flag("the input cannot be read: its chip or line is not there"),
        "open": _flag("the door or tamper contact is open"),
    }),
}  # fmt: skip

AGENT = {
    "agent": Measurement("reader", "device", {
        "reader_ok": _flag("the reader's last run succeeded"),
        "reader_ms": _int("how long the reader's last run took", "ms"),
        "reader_failures": _int("failed runs of the reader since the agent started", "count"),
        "boot_unsaved": _flag("the boot counter could not be written"),
        "spool_frames": _int("frames not yet acked", "count"),
        "spool_bytes": _int("size of the spool", "B"),
        "dropped_data": _int("data frames dropped by this incarnation", "count"),
        "dropped_event": _int("event frames dropped by this incarnation", "count"),
        "heap_free": _int("free bytes of the interpreter's heap", "B"),
        "rss_bytes": _int("resident memory of the agent", "B"),
        "link_sessions": _int("connections made by this incarnation", "count"),
        "frames_sealed": _int("frames sealed by this incarnation", "count"),
    }),
    "clock": Measurement(None, "device", {
        "synced": _flag("the clock is synchronised"),
        "offset_ms": _float("estimated error of the clock; positive: it is ahead", "ms", None, None),
        "max_error_ms": _float("bound of the clock's error; grows while no time source is heard", "ms"),
        "stratum": _int("steps from a reference clock", "", 16),
        "source": Field("str", "", None, None, "who says so: kernel or chrony"),
    }),
}  # fmt: skip

CENTRE = {
    "site_state": Measurement(None, "centre", {
        "status": _int("0 waiting, 1 ok, 2 degraded, 3 dark, 4 hazard", "", 4),
        "dark": _flag("the whole site is silent"),
        "supply_lost": _flag("a device of the site measured the loss of the supply"),
    }),
    "power_event": Measurement("kind", "centre", {
        "value": _flag("the condition named by the tag began (1) or ended (0)"),
        "incident": _int("number of the incident"),
    }),
}  # fmt: skip

MEASUREMENTS: dict[str, Measurement] = {
    "net": Measurement("interface", "device", NET),
    "upsd": Measurement("ups_name", "device", UPSD),
}
for _group in (HOST, NETWORK, POWER, AGENT, CENTRE):
    MEASUREMENTS.update(_group)
