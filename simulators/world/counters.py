"""A router's interface counters: raw, in the router's direction, zero after a restart."""

from __future__ import annotations

from dataclasses import dataclass

_PACKET_BYTES = 900  # mean of a mixed download
_ACK_SHARE = 0.08  # of what comes down goes up


@dataclass(slots=True)
class Counters:
    """Bytes and packets of one interface."""

    bytes_recv: int = 0
    bytes_sent: int = 0
    packets_recv: int = 0
    packets_sent: int = 0
    drop_in: int = 0

    def carry(self, received: int, sent: int) -> None:
        """Count some bytes in each direction."""
        self.bytes_recv += received
        self.bytes_sent += sent
        self.packets_recv += -(-received // _PACKET_BYTES)
        self.packets_sent += -(-sent // _PACKET_BYTES)


@dataclass(slots=True)
class Router:
    """A router between the provider (wan) and the people (lan)."""

    wan: Counters
    lan: Counters

    @classmethod
    def fresh(cls) -> Router:
        """Return a router just switched on."""
        return cls(Counters(), Counters())

    def advance(self, seconds: float, kbit_down: float, *, backhaul: bool) -> None:
        """Carry people's traffic for some seconds; without a backhaul only their attempts reach the lan."""
        down = int(kbit_down * 125.0 * seconds) if backhaul else 0
        up = int(kbit_down * 125.0 * _ACK_SHARE * seconds)
        self.lan.carry(up, down)
        if backhaul:
            self.wan.carry(down, up)
        else:
            self.lan.drop_in += -(-up // _PACKET_BYTES)
