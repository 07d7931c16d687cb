"""What the instruments' servers ask: ports that give present values.

Every call answers at once and for now; a source that follows time reads its own clock. Calls come from the
event loop's thread alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.protocols.knobs import Knob


class Condition(StrEnum):
    """How upsd stands to a UPS; all but OK answer every question about it with an error."""

    OK = "ok"
    STALE = "stale"  # DATA-STALE: the driver runs and has lost the UPS
    DRIVER = "driver"  # DRIVER-NOT-CONNECTED: the driver is gone
    UNKNOWN = "unknown"  # UNKNOWN-UPS: no such UPS is configured
    REFUSED = "refused"  # ACCESS-DENIED


class UpsSource(Protocol):
    """One UPS as its driver knows it. Names are NUT's: ``ups.status``, ``input.voltage``."""

    def variables(self) -> Mapping[str, str]:
        """Return every variable as text, as old as the driver's last look."""
        ...

    def condition(self) -> Condition:
        """Return how upsd stands to it."""
        ...

    def commands(self) -> Mapping[str, str]:
        """Return the instant commands it knows (``test.battery.start``) and what each does."""
        ...

    def command(self, name: str) -> bool:
        """Do an instant command; False: it failed."""
        ...

    def writable(self) -> tuple[Knob, ...]:
        """Return the variables that may be set, and to what."""
        ...

    def set(self, name: str, value: str) -> bool:
        """Set a writable variable to what its knob takes; False: it failed."""
        ...


@dataclass(frozen=True, slots=True)
class MeterReading:
    """A single-phase meter, without rounding: V, A, W, Wh, Hz, power factor in [-1, 1].

    Current is never negative; a transformer put on backwards shows in ``power`` and ``power_factor``.
    """

    voltage: float
    current: float
    power: float
    energy: float
    frequency: float
    power_factor: float


class MeterFault(StrEnum):
    """What is wrong with a meter or its wires."""

    NONE = "none"
    SILENT = "silent"  # no answer: no power, wrong address, a broken wire
    CRC = "crc"  # the answer's check sum is wrong
    EXCEPTION = "exception"  # it answers SLAVE DEVICE FAILURE (4)
    SWAPPED = "swapped"  # current transformer put on backwards


class MeterSource(Protocol):
    """One meter on a bus."""

    def reading(self) -> MeterReading:
        """Return what it measures now, before a fault changes it."""
        ...

    def fault(self) -> MeterFault:
        """Return what is wrong with it now."""
        ...


@dataclass(frozen=True, slots=True)
class Radio:
    """An access point: hostapd's name, channel, how many people are on it, their median signal in dBm.

    ``active_ms`` and ``busy_ms`` count how long the radio has listened and how long the channel was in use.
    """

    name: str
    channel: int = 6
    up: bool = True
    clients: int = 0
    signal_dbm: int = -64
    active_ms: int = 0
    busy_ms: int = 0


@dataclass(frozen=True, slots=True)
class WayOut:
    """What netifd says of the way out. ``error`` is one of its codes (``NO_LEASE``), empty when it is up."""

    name: str = "wan"
    device: str = "eth0.2"
    up: bool = True
    uptime_s: int = 3600
    error: str = ""


class BusState(StrEnum):
    """How ubus itself is."""

    OK = "ok"
    UNREACHABLE = "unreachable"  # ubusd is not there: exit status 255
    SLOW = "slow"  # no answer within a minute


@dataclass(frozen=True, slots=True)
class Router:
    """What a router's ubus tells."""

    radios: tuple[Radio, ...]
    ways: tuple[WayOut, ...]
    bus: BusState = BusState.OK


class RouterSource(Protocol):
    """A router with radios and ways out."""

    def router(self) -> Router:
        """Return it as it is now."""
        ...


@dataclass(frozen=True, slots=True)
class Impairment:
    """What is wrong with a line. The default is a sound one.

    ``cut``: nothing arrives, nothing is refused. ``refuse``: new connections are turned away, the old ones
    end. ``delay_s`` is added to what passes, each way, up to ``jitter_s`` more; order is kept. ``rate``: the
    most that passes, in bytes per second each way and over all connections; None: no limit.
    """

    cut: bool = False
    refuse: bool = False
    delay_s: float = 0.0
    jitter_s: float = 0.0
    rate: float | None = None
