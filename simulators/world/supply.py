"""The voltage that arrives at a building and what is left of it at each leg's sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.scenario.model import LEGS
from simulators.world import loads, mains, noise, people
from simulators.world.service import SOUND, Leg, Service, Wiring, legs

if TYPE_CHECKING:
    from simulators.scenario.model import Constants, SitePart
    from simulators.world.happenings import View

SLOW_PU = 0.008
FAST_PU = 0.003
_STANDARD_HZ = 60.0


class Supply:
    """The connection of one site: everything is a function of time, nothing is remembered."""

    def __init__(self, site: SitePart, constants: Constants, seed: int, view: View) -> None:
        self._site = site
        self._view = view
        self._seed = seed
        self._service = Service.named(site.service, site.nominal_v)
        slow, fast = SLOW_PU * constants.noise, FAST_PU * constants.noise
        self._noise = mains.Supply(site.nominal_v, slow, fast)
        self._profile = constants.profile
        self.noise_pu = slow + fast
        self.legs = LEGS[site.service]
        self._moment = (-1, -1)  # what was asked for last, and the answer
        self._legs: list[Leg] = []

    def pu(self, t_ms: int) -> float:
        """Voltage that the utility delivers, of nominal; 0.0 while it delivers none."""
        if self.dead(t_ms):
            return 0.0
        return self.steady_pu(t_ms) + self._wobble(t_ms)

    def steady_pu(self, t_ms: int) -> float:
        """Voltage without its noise, of nominal."""
        if self.dead(t_ms):
            return 0.0
        # the site's own end of the feeder: some are always a little low
        place = 0.01 * (noise.uniform(self._seed, self._site.circuit or self._site.id, "place") - 0.5)
        day = 1.0 + self._profile * (mains.day_pu(t_ms) - 1.0)
        return self._view.factor(t_ms) * (day + place)

    def dead(self, t_ms: int) -> bool:
        """Tell whether the utility delivers nothing."""
        return self._view.holds("mains_off", t_ms) or self._view.holds("mains_flapping", t_ms)

    def at_legs(self, t_ms: int) -> list[Leg]:
        """Volts and amperes behind the breaker of every leg; asked several times of one moment."""
        moment = t_ms, self._view.version
        if self._moment != moment:
            self._moment, self._legs = moment, self._at_legs(t_ms)
        return self._legs

    def _at_legs(self, t_ms: int) -> list[Leg]:
        there = self.clients(t_ms)
        switched_on = tuple(
            loads.watts(self._seed, self._site.id, leg, self.legs, t_ms, there)
            for leg in range(1, self.legs + 1)
        )
        return legs(self._service, self.pu(t_ms), switched_on, self.wiring(t_ms))

    def clients(self, t_ms: int) -> int:
        """Return how many people are there with a device on the Wi-Fi; nobody in a closed building."""
        if self._view.holds("closed_building", t_ms):
            return 0
        return people.clients(self._seed, self._site.id, self._site.kind, t_ms)

    def volts(self, leg: int, t_ms: int) -> float:
        """Volts at the sockets of one leg."""
        return self.at_legs(t_ms)[leg - 1].volts

    def hz(self, t_ms: int) -> float:
        """Frequency; 0.0 without voltage."""
        if self.pu(t_ms) <= 0.0:
            return 0.0
        event = self._view.last("frequency", t_ms)
        return mains.frequency(self._seed, t_ms) + (event.value("hz") - _STANDARD_HZ if event else 0.0)

    def wiring(self, t_ms: int) -> Wiring:
        """Return what is wrong with the building's wiring."""
        view = self._view
        trips = view.holding("breaker_trip", t_ms)
        bad = view.holding("bad_connection", t_ms)
        open_neutral = view.holds("open_neutral", t_ms)
        if not (trips or bad or open_neutral):
            return SOUND
        every = range(1, self.legs + 1)
        open_legs = {leg for trip in trips for leg in every if trip.value("leg") in {0, leg}}
        ohms = {int(one.value("leg")): one.value("ohm") for one in bad}  # of one leg the later one stays
        return Wiring(ohms, frozenset(open_legs), open_neutral)

    def wiring_is_sound(self, t_ms: int) -> bool:
        """Tell whether voltage follows the utility's alone, whatever is switched on."""
        return self.wiring(t_ms) is SOUND

    def _wobble(self, t_ms: int) -> float:
        return mains.noise_pu(self._noise, self._seed, self._site.id, t_ms)
