"""Readers that read the simulated world instead of hardware; the agent treats them like its own.

Measurements and fields are those of ``agent/wire/fields.py``. A reader has ``name``, ``interval_ms``,
``watch_ms`` (0: not watched), ``watched`` (fields whose change is an event) and ``async read()`` that
returns ``[(measurement, instance, {field: value})]``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simulators.instruments.ups import CONTACT, FLAGS
from simulators.world.ups import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simulators.clock import DeviceClock
    from simulators.instruments.base import Intervals
    from simulators.world.counters import Counters
    from simulators.world.facility import Facility
    from simulators.world.ups import Status, UpsModel, Values

    Row = tuple[str, str | None, Mapping[str, int | float | str]]

PROVIDER_GATEWAY = "192.0.2.1"  # TEST-NET-1 (RFC 5737): the far end of a simulated line


class UpsReader:
    """The UPS as NUT's upsd would show it, with the age of what it shows."""

    name = "ups"
    watched = (*FLAGS, *CONTACT)

    def __init__(
        self, facility: Facility, ups_id: str, intervals: Intervals, now_ms: Callable[[], int]
    ) -> None:
        self.interval_ms = intervals.sample_ms
        self.watch_ms = intervals.watch_ms
        self._facility = facility
        self._ups_id = ups_id
        self._now_ms = now_ms

    async def read(self) -> list[Row]:
        """Return one row of ``upsd``."""
        now = self._now_ms()
        self._facility.advance(now)
        ups = self._facility.ups
        if ups is None:
            return []
        fields: dict[str, int | float] = {**_measured(ups.values, ups.model), **_flags(ups.status)}
        fields |= dict.fromkeys(CONTACT, 0)
        fields |= {
            "input_frequency": round(self._facility.frequency(now), 2) if ups.values.input_v else 0.0,
            "age_input_ms": max(0, now - ups.values.at_ms),
            "age_status_ms": max(0, now - ups.status.at_ms),
            "unknown_tokens": 0,
            "bad_values": 0,
        }
        return [("upsd", self._ups_id, fields)]


def _measured(values: Values, model: UpsModel) -> dict[str, float]:
    """Fields that a driver measures or knows of its model."""
    return {
        "battery_charge_percent": round(100.0 * values.charge, 1),
        "battery_voltage": round(values.battery_v, 2),
        "battery_runtime": round(values.runtime_s, 0),
        "battery_runtime_low": model.low_runtime_s,
        "input_voltage": round(values.input_v, 1),
        "input_transfer_low": model.transfer_low_v,
        "input_transfer_high": model.transfer_high_v,
        "output_voltage": round(values.output_v, 1),
        "load_percent": round(100.0 * values.load, 1),
        "nominal_power": model.nominal_w,
        # what UPSes sold here claim: of 718 published dumps none says 127
        "nominal_input_voltage": 120.0,
        "nominal_battery_voltage": model.nominal_battery_v,
    }


def _flags(status: Status) -> dict[str, int]:
    """Status tokens as 0 or 1, all of them."""
    on = {
        "ol": status.source is Source.LINE,
        "ob": status.source is Source.BATTERY,
        "lb": status.low and status.source is Source.BATTERY,
        "rb": status.replace,
        "chrg": status.charging,
        "dischrg": status.source is Source.BATTERY,
        "off": status.source is Source.NOTHING,
    }
    return {flag: int(on.get(flag, False)) for flag in FLAGS}


class NetReader:
    """Interface counters of a router: ``wan`` towards the modem, ``br-lan`` towards the people."""

    name = "interfaces"
    watched = ("carrier", "up")

    def __init__(self, facility: Facility, intervals: Intervals, now_ms: Callable[[], int]) -> None:
        self.interval_ms = intervals.sample_ms
        self.watch_ms = intervals.watch_ms
        self._facility = facility
        self._now_ms = now_ms

    async def read(self) -> list[Row]:
        """Return one row of ``net`` per interface, and ``wan``."""
        self._facility.advance(self._now_ms())
        router = self._facility.router
        return [
            ("net", "wan", _net(router.wan)),
            ("net", "br-lan", _net(router.lan)),
            # the modem is next door and has power: the port sees it whatever the provider does
            ("wan", "wan", {"up": 1}),
        ]


def _net(counters: Counters) -> dict[str, int | float]:
    """Counters and state of an interface that is up."""
    return {
        "bytes_recv": counters.bytes_recv,
        "bytes_sent": counters.bytes_sent,
        "packets_recv": counters.packets_recv,
        "packets_sent": counters.packets_sent,
        "err_in": 0,
        "err_out": 0,
        "drop_in": counters.drop_in,
        "drop_out": 0,
        "speed": 1000,
        "carrier": 1,
        "full_duplex": 1,
    }


class ProbeReader:
    """A ping of the provider's gateway: it fails while the line is dead."""

    name = "probes"
    watch_ms = 0
    watched: tuple[str, ...] = ()

    def __init__(self, facility: Facility, intervals: Intervals, now_ms: Callable[[], int]) -> None:
        self.interval_ms = intervals.sample_ms
        self._facility = facility
        self._now_ms = now_ms

    async def read(self) -> list[Row]:
        """Return one row of ``ping``; without an answer there are no times."""
        now = self._now_ms()
        if not self._facility.backhaul(now):
            return [("ping", PROVIDER_GATEWAY, {"percent_packet_loss": 100.0, "result_code": 2})]
        base = 8.0 + self._facility.clients(now) / 10.0
        times = {"average": base, "minimum": base * 0.8, "maximum": base * 1.6}
        row: dict[str, int | float] = {f"{name}_response_ms": round(ms, 2) for name, ms in times.items()}
        return [("ping", PROVIDER_GATEWAY, row | {"percent_packet_loss": 0.0, "result_code": 0})]


class WifiReader:
    """An access point and how many people are on it."""

    name = "wifi"
    watch_ms = 0
    watched: tuple[str, ...] = ()

    def __init__(self, facility: Facility, intervals: Intervals, now_ms: Callable[[], int]) -> None:
        self.interval_ms = intervals.sample_ms
        self._facility = facility
        self._now_ms = now_ms

    async def read(self) -> list[Row]:
        """Return ``wifi_ap`` and ``wifi``; signal quantiles only while somebody is there."""
        now = self._now_ms()
        clients, today = self._facility.clients(now), self._facility.clients_today(now)
        sent = round(min(60.0, 1.0 + 0.7 * clients), 1)
        row: dict[str, int | float | str] = {
            "up": 1,
            "dfs_wait": 0,
            "clients": clients,
            "clients_day": today,
            "channel": 6,
            "frequency": 2437,
            "noise": -95.0,
            "tx_power": 20.0,
            "place": "indoor",
            "airtime_percent": round(min(90.0, 3.0 + 1.2 * clients), 1),
            "airtime_tx_percent": sent,
            "airtime_rx_percent": round(0.3 * sent, 1),
        }
        if clients:
            row |= {"signal_p10": -78.0, "signal_p50": -64.0, "signal_p90": -48.0, "rate_p50": 58.0}
        total: dict[str, int | float | str] = {
            "access_points": 1,
            "access_points_up": 1,
            "clients": clients,
            "clients_day": today,
            "clients_unread": 0,
            "bad_values": 0,
        }
        return [("wifi_ap", "phy0-ap0", row), ("wifi", None, total)]


class HostReader:
    """Load, memory and temperature of a small router."""

    name = "host"
    watch_ms = 0
    watched: tuple[str, ...] = ()

    def __init__(
        self, facility: Facility, intervals: Intervals, clock: DeviceClock, now_ms: Callable[[], int]
    ) -> None:
        self.interval_ms = intervals.sample_ms
        self._facility = facility
        self._clock = clock
        self._now_ms = now_ms

    async def read(self) -> list[Row]:
        """Return ``system``, ``mem`` and ``temp``."""
        uptime_s = self._clock.uptime_ms() // 1000
        load = 0.05 + self._facility.clients(self._now_ms()) / 120.0
        # a load average follows with its own time constant after a start
        load5, load15 = (load * (1.0 - math.exp(-(uptime_s + 60) / tau)) for tau in (300.0, 900.0))
        used = 58_000_000 + 90_000 * self._facility.clients(self._now_ms())
        total = 128_000_000
        memory: dict[str, int | float] = {
            "total": total,
            "available": total - used,
            "free": total - used - 9_000_000,
            "used_percent": round(100.0 * used / total, 1),
        }
        loads = {"load1": round(load, 2), "load5": round(load5, 2), "load15": round(load15, 2)}
        return [
            ("system", None, loads | {"uptime": uptime_s, "n_cpus": 1}),
            ("mem", None, memory),
            ("temp", "cpu", {"temp": round(41.0 + 14.0 * min(1.0, load), 1)}),
        ]
