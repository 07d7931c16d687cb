"""What upsd knows: its UPSes, who may do what, what clients have done. Pure, without I/O."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from simulators.protocols.sources import Condition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.protocols.knobs import Knob
    from simulators.protocols.sources import UpsSource

STATUS: Final = "ups.status"
MOST_RESULTS: Final = 100

_UNAVAILABLE: Final = {
    Condition.STALE: "DATA-STALE",
    Condition.DRIVER: "DRIVER-NOT-CONNECTED",
    Condition.REFUSED: "ACCESS-DENIED",
}


class RefusedError(Exception):
    """An ``ERR``; the argument is upsd's code."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user of upsd.users: what it may do beside reading."""

    password: str
    login: bool = True
    primary: bool = True
    set: bool = True
    fsd: bool = True
    commands: bool = True


class Client(Protocol):
    """Who is connected: from where, and to which UPS it has logged in."""

    address: str
    ups: str | None


@dataclass(slots=True)
class Rack:
    """The UPSes of a server by name, who may do what, and what clients have done."""

    upses: Mapping[str, UpsSource]
    accounts: Mapping[str, Account] = field(default_factory=dict)
    fsd: set[str] = field(default_factory=set)
    clients: list[Client] = field(default_factory=list)
    results: dict[str, str] = field(default_factory=dict)

    def find(self, name: str) -> tuple[str, UpsSource]:
        """Return a UPS and its name as configured."""
        for own, ups in self.upses.items():
            if own.lower() == name.lower() and ups.condition() != Condition.UNKNOWN:
                return own, ups
        raise RefusedError("UNKNOWN-UPS")

    def available(self, name: str) -> tuple[str, UpsSource]:
        """Return the same when it can be asked."""
        own, ups = self.find(name)
        condition = ups.condition()
        if condition in _UNAVAILABLE:
            raise RefusedError(_UNAVAILABLE[condition])
        return own, ups

    def variables(self, name: str) -> dict[str, str]:
        """Return a UPS's variables, sorted, with what upsd adds."""
        own, ups = self.available(name)
        found = dict(sorted(ups.variables().items()))
        if own in self.fsd and STATUS in found:
            found[STATUS] = f"FSD {found[STATUS]}"
        return found

    def writable(self, name: str) -> dict[str, Knob]:
        """Return what may be set of a UPS."""
        _, ups = self.available(name)
        return {knob.name: knob for knob in ups.writable()}

    def variable(self, name: str, variable: str) -> str:
        """Return one of them."""
        found = self.variables(name).get(variable.lower())
        if found is None:
            raise RefusedError("VAR-NOT-SUPPORTED")
        return found

    def logins(self, name: str) -> list[str]:
        """Return the addresses of who has logged in to a UPS."""
        return [client.address for client in self.clients if client.ups == name]

    def track(self, outcome: str) -> str:
        """Keep the outcome of something that is tracked; return the id by which it is asked for."""
        name = str(uuid.uuid4())
        self.results[name] = outcome
        if len(self.results) > MOST_RESULTS:
            del self.results[next(iter(self.results))]
        return name
