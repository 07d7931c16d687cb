"""A building's connection: legs, neutral, breakers, loads, and the voltage that is left at the sockets.

The supply is a star: 127 V from each leg to neutral, legs 120 degrees apart (220 V between two of them), as
the utility delivers ``1f2h``, ``2f3h`` and ``3f4h``. Loads are resistances between a leg and the building's
neutral point; every leg has the resistance of its connection, the neutral has its own. Then the neutral
point lies at::

    u = sum(E_k * Y_k) / (sum(Y_k) + 1 / R_neutral),   Y_k = 1 / (R_source + R_bad + R_load)

and a socket of leg k has ``|E_k - u| * R_load / (R_source + R_bad + R_load)``. With the neutral open two legs
with loads of 300 W and 900 W share 220 V three to one, 165 V and 55 V; a bad connection drops voltage in
proportion to the current of its leg. Hand-computed answers are in tests/world/test_service.py.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass, field
from typing import Final

from simulators.scenario.model import LEGS

OPEN_OHM: Final = 1e7  # an interrupted wire: some leakage, no current that matters
_MIN_W: Final = 1.0  # a leg always has something: a lamp's standby, a voltmeter


@dataclass(frozen=True, slots=True)
class Service:
    """What does not change: nominal voltage (V, phase to neutral), number of legs, resistances (ohm)."""

    nominal_v: float = 127.0
    legs: int = 1
    source_ohm: float = 0.08
    neutral_ohm: float = 0.05

    @classmethod
    def named(cls, name: str, nominal_v: float = 127.0) -> Service:
        """Return the service that the utility's contract names."""
        return cls(nominal_v, LEGS[name])


@dataclass(frozen=True, slots=True)
class Wiring:
    """The building's faults. ``extra_ohm`` by leg, from 1; ``open_legs``: breakers that are open."""

    extra_ohm: dict[int, float] = field(default_factory=dict)
    open_legs: frozenset[int] = frozenset()
    neutral_open: bool = False


@dataclass(frozen=True, slots=True)
class Leg:
    """What a meter behind the breaker of a leg shows: volts to neutral and amperes."""

    volts: float
    amperes: float

    @property
    def watts(self) -> float:
        """Power of the leg's loads; they are resistive."""
        return self.volts * self.amperes


SOUND: Final = Wiring()


def legs(service: Service, supply_pu: float, loads_w: tuple[float, ...], wiring: Wiring = SOUND) -> list[Leg]:
    """Return every leg, the first one first.

    ``supply_pu`` is the voltage that the utility delivers, of nominal; ``loads_w`` what is switched on at
    each leg, in watts at nominal voltage.
    """
    closed = [leg for leg in range(1, service.legs + 1) if leg not in wiring.open_legs]
    volts = supply_pu * service.nominal_v
    source = {leg: cmath.rect(volts, -2.0 * math.pi / 3.0 * (leg - 1)) for leg in closed}
    load = {leg: service.nominal_v**2 / max(_MIN_W, loads_w[leg - 1]) for leg in closed}
    path = {leg: service.source_ohm + wiring.extra_ohm.get(leg, 0.0) + load[leg] for leg in closed}
    neutral = OPEN_OHM if wiring.neutral_open else service.neutral_ohm
    current = sum(source[leg] / path[leg] for leg in closed)
    point = current / (sum(1.0 / path[leg] for leg in closed) + 1.0 / neutral)
    found = []
    for leg in range(1, service.legs + 1):
        amperes = abs(source[leg] - point) / path[leg] if leg in source else 0.0
        found.append(Leg(amperes * load[leg] if leg in load else 0.0, amperes))
    return found
