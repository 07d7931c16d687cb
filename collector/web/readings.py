"""Newest readings, arranged for a person: by subject, what matters first, each with unit and age.

The register ``agent/wire/fields.py`` gives units and meanings; here stands only the order of showing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from agent.wire.fields import MEASUREMENTS, Field
from collector.web.speech import gettext
from collector.web.speech import lazy_gettext as _l

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from io import BufferedIOBase

    from collector.model import Value
    from collector.storage.port import Latest

DAY_MS: Final = 86_400_000
# older than this is not shown as a reading of now
KEEP_MS: Final = 7 * DAY_MS

GROUPS: Final = {
    "power": (_l("Power"), ("upsd", "mains", "pi_power", "tamper")),
    "network": (_l("Network"), ("wan", "net", "ping")),
    "wifi": (_l("Wi-Fi"), ("wifi", "wifi_ap", "wifi_neighbour")),
    "device": (_l("Device"), ("system", "cpu", "mem", "disk", "temp", "clock", "restart", "agent")),
}
OTHER: Final = _l("Other")
MEASURED: Final = {
    "upsd": _l("UPS"),
    "mains": _l("Meter"),
    "pi_power": _l("Supply of the board"),
    "tamper": _l("Contact"),
    "wan": _l("Internet line"),
    "net": _l("Port"),
    "ping": _l("Answer of"),
    "wifi": _l("Wi-Fi"),
    "wifi_ap": _l("Access point"),
    "wifi_neighbour": _l("Neighbouring access point"),
    "system": _l("System"),
    "cpu": _l("Processor"),
    "mem": _l("Memory"),
    "disk": _l("Storage"),
    "temp": _l("Temperature"),
    "clock": _l("Clock"),
    "restart": _l("Last start"),
    "agent": _l("Agent"),
}
# what is seen without opening; the rest is one tap away
FIRST: Final = {
    "upsd": ("input_voltage", "battery_charge_percent", "battery_runtime", "load_percent"),
    "mains": ("voltage", "current", "power"),
    "pi_power": ("undervoltage", "throttled"),
    "tamper": ("open",),
    "wan": ("up", "uptime", "error"),
    "net": ("carrier", "speed", "bytes_recv", "bytes_sent"),
    "ping": ("average_response_ms", "percent_packet_loss"),
    "wifi": ("access_points_up", "clients", "clients_day"),
    "wifi_ap": ("up", "clients", "clients_day", "signal_p50"),
    "wifi_neighbour": ("heard", "signal"),
    "system": ("uptime", "load1"),
    "cpu": ("usage_percent",),
    "mem": ("used_percent",),
    "disk": ("used_percent",),
    "temp": ("temp",),
    "clock": ("synced", "offset_ms"),
    "restart": ("cold", "watchdog_reset", "power_fault"),
    "agent": ("spool_frames", "reader_failures"),
}
# a flag that means trouble when it is set, or when it is not
BAD_SET: Final = frozenset({
    "ob", "dischrg", "lb", "hb", "rb", "off", "over", "trim", "boost", "fsd", "alarm", "bypass",
    "data_stale", "driver_lost", "unknown_ups", "server_lost", "boot_unsaved", "open",
    "watchdog_reset", "power_fault", "over_temp", "crash_dump",
})  # fmt: skip
BAD_CLEAR: Final = frozenset({"up", "synced", "reader_ok", "heard"})


@dataclass(frozen=True, slots=True)
class Reading:
    """One field: its label in the reader's language, its value as stored, its unit."""

    name: str
    label: str
    value: Value
    unit: str
    flag: bool
    bad: bool


@dataclass(frozen=True, slots=True)
class Card:
    """One series: what is seen at once, the flags that are set, and the rest."""

    title: str
    device: str
    time_ms: int
    first: list[Reading]
    flags: list[Reading]
    more: list[Reading]


@dataclass(frozen=True, slots=True)
class Group:
    """Cards of one subject."""

    name: str
    title: str
    cards: list[Card] = field(default_factory=list)


def unit_of(measurement: str, name: str) -> str:
    """Return a field's unit as the register has it; empty for unknown fields."""
    found = _registered(measurement, name)
    return found.unit if found else ""


def groups(rows: Iterable[Latest]) -> list[Group]:
    """Arrange rows by subject; subjects without readings are left out."""
    made = {name: Group(name, str(title)) for name, (title, _members) in GROUPS.items()}
    made["other"] = Group("other", str(OTHER))
    for row in sorted(rows, key=_order):
        if row.measurement not in {"site_state", "power_event"}:
            made[_group_of(row.measurement)].cards.append(_card(row))
    return [group for group in made.values() if group.cards]


def _order(row: Latest) -> tuple[int, str, str]:
    known = list(MEASURED)
    place = known.index(row.measurement) if row.measurement in MEASURED else len(known)
    return place, row.device, row.instance or ""


def _group_of(measurement: str) -> str:
    return next((name for name, (_title, members) in GROUPS.items() if measurement in members), "other")


def _registered(measurement: str, name: str) -> Field | None:
    found = MEASUREMENTS.get(measurement)
    return found.fields.get(name) if found else None


def _card(row: Latest) -> Card:
    shown = [
        _reading(row.measurement, name, value) for name, value in row.fields.items() if value is not None
    ]
    leading = FIRST.get(row.measurement, ())
    first = sorted(
        (item for item in shown if item.name in leading), key=lambda item: leading.index(item.name)
    )
    flags = [item for item in shown if item.flag and item.name not in leading and item.value]
    more = [item for item in shown if item.name not in leading and not item.flag]
    title = f"{MEASURED.get(row.measurement, row.measurement)} {row.instance or ''}".strip()
    return Card(title, row.device, row.time_ms, first, flags, sorted(more, key=lambda item: item.label))


def _reading(measurement: str, name: str, value: Value) -> Reading:
    known = _registered(measurement, name)
    flag = known is not None and known.type in {"int", "bool"} and known.low == 0 and known.high == 1
    bad = flag and (name in BAD_SET if value else name in BAD_CLEAR)
    label = gettext(known.meaning) if known else name
    return Reading(name, label[:1].upper() + label[1:], value, known.unit if known else "", flag, bad)


@dataclass(frozen=True, slots=True)
class Chart:
    """One drawing: the series to fetch, and whether counters are to be shown as bits per second."""

    title: str
    unit: str
    measurement: str
    fields: tuple[str, ...]
    labels: tuple[str, ...]
    device: str
    instance: str | None
    rate: bool = False


def charts(rows: Iterable[Latest]) -> list[Chart]:
    """Choose what is worth drawing: voltage, battery, and the traffic of each device's busiest port."""
    given = sorted(rows, key=_order)
    power = [chart for row in given for chart in _power_charts(row)]
    return power + [_traffic(row) for row in _busiest(given)]


def _power_charts(row: Latest) -> Iterator[Chart]:
    wanted: dict[str, Any] = {
        "upsd": (
            (gettext("Voltage at the UPS"), "V", "input_voltage"),
            (gettext("Battery"), "%", "battery_charge_percent"),
        ),
        "mains": ((gettext("Voltage at the meter"), "V", "voltage"),),
    }
    for title, unit, name in wanted.get(row.measurement, ()):
        if name in row.fields:
            yield Chart(title, unit, row.measurement, (name,), (title,), row.device, row.instance)


def _traffic(row: Latest) -> Chart:
    title = gettext("Traffic, port %(port)s", port=row.instance or "")
    labels = (gettext("Received"), gettext("Sent"))
    return Chart(
        title, "bit/s", "net", ("bytes_recv", "bytes_sent"), labels, row.device, row.instance, rate=True
    )


def _busiest(rows: Iterable[Latest]) -> list[Latest]:
    best: dict[str, Latest] = {}
    for row in rows:
        if row.measurement == "net" and _bytes(row) >= _bytes(best.get(row.device)):
            best[row.device] = row
    return list(best.values())


def _bytes(row: Latest | None) -> float:
    value = row.fields.get("bytes_recv") if row else None
    return value if isinstance(value, int | float) else -1


def extract(
    fileobj: BufferedIOBase,  # noqa: ARG001 - the register is imported, not read
    keywords: Any,  # noqa: ARG001 - Babel's interface
    comment_tags: Any,  # noqa: ARG001 - same
    options: Any,  # noqa: ARG001 - same
) -> Iterator[tuple[int, None, str, list[str]]]:
    """Give the register's meanings to ``pybabel extract`` (see babel.cfg), as messages to translate."""
    for name, measurement in MEASUREMENTS.items():
        for field_name, known in measurement.fields.items():
            yield 1, None, known.meaning, [f"{name}.{field_name}"]
