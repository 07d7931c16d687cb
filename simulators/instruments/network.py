"""A device's ports, its way out, and what answers beyond it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.instruments.base import Fields, Instrument, Row
from simulators.world import people

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.instruments.base import Intervals
    from simulators.scenario.model import DevicePart
    from simulators.world.place import Place

PROVIDER_GATEWAY: Final = "192.0.2.1"  # TEST-NET-1 (RFC 5737): the far end of a simulated line
MODEM: Final = "modem"  # as the agent names its probe of the modem's own address
_PACKET_BYTES: Final = 900  # mean of a mixed download
_ACK_SHARE: Final = 0.08  # of what comes down goes up
_STEP_MS: Final = 60_000


class NetReader(Instrument):
    """``net`` of the ports towards modem and people, and ``wan``. Counters begin anew with each boot."""

    name = "interfaces"
    watched = ("carrier", "up", "speed")
    watches = True

    def __init__(
        self, place: Place, part: DevicePart, intervals: Intervals, now_ms: Callable[[], int]
    ) -> None:
        super().__init__(place, part, intervals, now_ms)
        self._at_ms = now_ms()
        self._down = self._up = 0

    def rows(self, now: int) -> list[Row]:
        """Return a row per port and one of the way out."""
        self._carry(now)
        linked = self.place.linked(self.part)
        damaged = self.place.view.last("cable_damaged", now, self.part.id)
        speed = int(damaged.value("speed_mbps")) if damaged else 1000
        wan = _net(self._down, self._up, carrier=linked, speed=speed)
        rows: list[Row] = [("net", "wan", wan)]
        if self.part.kind == "router":
            rows.append(("net", "br-lan", _net(self._up, self._down, carrier=True, speed=1000)))
        # the port sees the modem whatever the provider does
        return [*rows, ("wan", "wan", {"up": int(linked)})]

    def _carry(self, now: int) -> None:
        """Count people's traffic since the last call, in steps: what nobody asks costs nothing."""
        seconds = max(0, now - self._at_ms) / 1000.0
        self._at_ms = now
        if self.place.way(self.part.id).up:
            there = self.place.supply.clients(now - now % _STEP_MS)
            kbit = there * people.kbit_per_client(1, self.place.site.id, now)
            self._down += int(kbit * 125.0 * seconds)
            self._up += int(kbit * 125.0 * _ACK_SHARE * seconds)


def _net(received: int, sent: int, *, carrier: bool, speed: int) -> Fields:
    fields: Fields = {
        "bytes_recv": received,
        "bytes_sent": sent,
        "packets_recv": -(-received // _PACKET_BYTES),
        "packets_sent": -(-sent // _PACKET_BYTES),
        "err_in": 0,
        "err_out": 0,
        "drop_in": 0,
        "drop_out": 0,
        "carrier": int(carrier),
    }
    return fields | {"speed": speed, "full_duplex": 1} if carrier else fields


class ProbeReader(Instrument):
    """``ping`` of the modem and of the provider's gateway."""

    name = "probes"

    def rows(self, now: int) -> list[Row]:  # noqa: ARG002 - as the place is
        """Return a row per target; without an answer there are no times."""
        part, way = self.part, self.place.way(self.part.id)
        beyond = _answer(8.0 + way.delay_ms / 10.0, way.loss) if way.up else _NO_ANSWER
        rows: list[Row] = [("ping", PROVIDER_GATEWAY, dict(beyond))]
        modem = self.place.machines.get(part.uplink)
        if modem is not None and modem.part.kind == "modem":
            there = self.place.linked(part) and modem.state.value == "up"
            rows.append(("ping", MODEM, dict(_answer(0.8, 0.0) if there else _NO_ANSWER)))
        return rows


_NO_ANSWER: Final[Fields] = {"percent_packet_loss": 100.0, "result_code": 2}


def _answer(base_ms: float, loss: float) -> Fields:
    times = {"average": base_ms, "minimum": base_ms * 0.8, "maximum": base_ms * 1.6}
    row: Fields = {f"{name}_response_ms": round(ms, 2) for name, ms in times.items()}
    return row | {"percent_packet_loss": round(100.0 * loss, 1), "result_code": 0}
