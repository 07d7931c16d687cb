"""Who else fell with a site: near by, behind its meter, on its circuit, with its provider.

Pure. The state is the list of falls: who lost supply or voice, from when until when. ``around`` looks at it
from one site's place. Two falls belong together when they began within minutes of each other, however long
each lasts; a site whose own falls overlap (on battery first, silent later) fell when the first of them began.
What is not known (a position, a circuit, a provider) makes nobody a neighbour.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from collector.model import Change
from collector.rules.site import Around, Cofailure, Neighbours

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from collector.model import Transition
    from collector.rules.board import Memory
    from collector.rules.catalogue import Thresholds

# condition -> whether it tells of the supply; the others tell of silence
FALLS: Final = {"outage": False, "supply_lost": True, "on_battery": True}
MANY: Final = 64  # of more that share something so many are asked, spread evenly: shares stay what they are
_METRES: Final = 111_195.0  # of a degree of latitude


@dataclass(frozen=True, slots=True)
class Fall:
    """A site without supply (``mains``) or voice, from ``fell_ms`` until ``back_ms`` (None: still)."""

    site: str
    mains: bool
    fell_ms: int
    back_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a site: when it was last heard, and whether it has supply (None: it cannot tell)."""

    heard_ms: int
    mains: bool | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a site is and what it hangs on, as far as somebody knows."""

    id: str
    name: str = ""
    premises: str | None = None
    lat: float | None = None
    lon: float | None = None
    circuit: str | None = None
    provider: str | None = None
    groups: frozenset[str] = frozenset()

    @property
    def building(self) -> str:
        """What counts once: the premises, or the site where they are not known."""
        return f"premises:{self.premises}" if self.premises else self.id


@dataclass(frozen=True, slots=True)
class Company:
    """The other sites that can tell something of one, by what they share with it."""

    near: tuple[str, ...] = ()
    premises: tuple[str, ...] = ()
    circuit: tuple[str, ...] = ()
    provider: tuple[str, ...] = ()
    far: tuple[str, ...] = ()  # asked only where nobody is near by or on its circuit

    def everybody(self) -> set[str]:
        """Return all of them."""
        return {*self.near, *self.premises, *self.circuit, *self.provider, *self.far}


class Map:
    """All places; who is in whose company is found once and kept."""

    def __init__(self, places: Iterable[Place]) -> None:
        self.places = {place.id: place for place in places}
        self._known: dict[tuple[str, float, float], Company] = {}
        self._by: dict[tuple[str, str], list[str]] = {}
        self._cells: dict[float, dict[tuple[int, int], list[str]]] = {}  # by radius
        for place in self.places.values():
            for key in _shared(place):
                self._by.setdefault(key, []).append(place.id)

    def company(self, site: str, limits: Thresholds) -> Company:
        """Return who can tell something of a site."""
        key = (site, limits["neighbours_radius_m"], limits["area_link_m"])
        if key not in self._known:
            self._known[key] = self._company(self.places[site], *key[1:])
        return self._known[key]

    def _company(self, place: Place, radius_m: float, far_m: float) -> Company:
        found = {kind: self._sharing(place, kind) for kind in ("premises", "circuit", "provider")}
        grouped = {name for group in place.groups for name in self._by.get(("group", group), ())}
        near = ({*self._within(place, radius_m), *grouped} - {place.id}) - set(found["premises"])
        beyond = set() if near or found["circuit"] else {*self._within(place, far_m)} - {place.id}
        far = _some(sorted(beyond - set(found["premises"])))
        return Company(tuple(sorted(near)), found["premises"], found["circuit"], found["provider"], far)

    def _sharing(self, place: Place, kind: str) -> tuple[str, ...]:
        value = getattr(place, kind)
        names = self._by.get((kind, value), ()) if value else ()
        same = place.building
        others = [
            name
            for name in names
            if name != place.id and (kind == "premises" or self.places[name].building != same)
        ]
        return _some(others)

    def _within(self, place: Place, radius_m: float) -> list[str]:
        if place.lat is None or place.lon is None:
            return []
        if radius_m not in self._cells:
            self._cells[radius_m] = self._laid_out(radius_m)
        cells, (row, column) = self._cells[radius_m], _cell(place.lat, place.lon, radius_m)
        around = [(row + north, column + east) for north in (-1, 0, 1) for east in (-1, 0, 1)]
        names = (name for cell in around for name in cells.get(cell, ()))
        return [name for name in names if metres(place, self.places[name]) <= radius_m]

    def _laid_out(self, radius_m: float) -> dict[tuple[int, int], list[str]]:
        """Sort the places into squares as wide as the radius, so that only nine of them are looked at."""
        cells: dict[tuple[int, int], list[str]] = {}
        for place in self.places.values():
            if place.lat is not None and place.lon is not None:
                cells.setdefault(_cell(place.lat, place.lon, radius_m), []).append(place.id)
        return cells


def _some(names: list[str]) -> tuple[str, ...]:
    return tuple(names[:: len(names) // MANY + 1])


def _cell(lat: float, lon: float, radius_m: float) -> tuple[int, int]:
    """Return a square. A degree of longitude is shorter: two suffice up to 60 degrees of latitude."""
    size = max(radius_m, 1.0) / _METRES
    return math.floor(lat / size), math.floor(lon / (2.0 * size))


def _shared(place: Place) -> list[tuple[str, str]]:
    values = (("premises", place.premises), ("circuit", place.circuit), ("provider", place.provider))
    return [(kind, value) for kind, value in values if value] + [("group", name) for name in place.groups]


def metres(one: Place, other: Place) -> float:
    """Return how far two places are from each other; infinitely far when a position is not known."""
    if one.lat is None or one.lon is None or other.lat is None or other.lon is None:
        return math.inf
    north = (one.lat - other.lat) * _METRES
    east = (one.lon - other.lon) * _METRES * math.cos(math.radians(one.lat))
    return math.hypot(north, east)


# --- the state ------------------------------------------------------------------------------------


@dataclass
class Falls:
    """Who fell and when, by site. What ended is kept while somebody may have fallen with it."""

    by_site: dict[str, list[Fall]] = field(default_factory=dict)

    @classmethod
    def of(cls, falls: Iterable[Fall]) -> Falls:
        """Sort falls by site."""
        found = cls()
        for fall in falls:
            found.by_site.setdefault(fall.site, []).append(fall)
        return found

    def still(self) -> list[str]:
        """Return the sites that are down in some way."""
        return [site for site, falls in self.by_site.items() if any(fall.back_ms is None for fall in falls)]

    def episode(self, site: str) -> list[Fall]:
        """Return the falls of a site that is down: those that are open, and what overlaps with them."""
        falls = sorted(self.by_site.get(site, ()), key=lambda fall: fall.fell_ms, reverse=True)
        found = [fall for fall in falls if fall.back_ms is None]
        begin_ms = min((fall.fell_ms for fall in found), default=0)
        for fall in falls:
            if fall.back_ms is not None and found and fall.back_ms >= begin_ms:
                found.append(fall)
                begin_ms = min(begin_ms, fall.fell_ms)
        return found

    def begun(self, site: str) -> tuple[int | None, int | None]:
        """Return since when a site that is down is without supply, as far as it tells, and without voice."""
        episode = self.episode(site)
        mains = [fall.fell_ms for fall in episode if fall.mains]
        silent = [fall.fell_ms for fall in episode if not fall.mains]
        return min(mains, default=None), min(silent, default=None)


def fell(said: Transition) -> bool:
    """Tell whether a transition is about falling or coming back."""
    return said.condition in FALLS and said.change != Change.REVISED


def standing(memory: Memory) -> Standing:
    """Say what a site's memory tells its neighbours. A UPS that it reads knows; nothing else does here."""
    heard = [entry["last_ms"] for entry in memory.get("devices", {}).values()]
    lines = [ups.get("line") for ups in memory.get("ups", {}).values() if ups.get("contact")]
    mains = False if "ob" in lines else True if "ol" in lines else None
    return Standing(max(heard, default=0), mains)


# --- looking at it from one place -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class View:
    """What ``around`` looks at. ``standings`` holds at least the company of the sites asked for.

    ``on_mains`` are sites with a device that the mains feed: while they speak they have supply.
    """

    map: Map
    falls: Falls
    standings: Mapping[str, Standing]
    on_mains: Collection[str] = ()
    together: Mapping[tuple[str, str], int] = field(default_factory=dict)
    times: Mapping[str, int] = field(default_factory=dict)


def around(view: View, site: str, limits: Thresholds, back_ms: int | None = None) -> Around | None:
    """Say who fell with a site; None when it has not fallen or is not known."""
    mains_ms, silent_ms = view.falls.begun(site)
    begun = [at_ms for at_ms in (mains_ms, silent_ms) if at_ms is not None]
    if not begun or site not in view.map.places:
        return None
    company = view.map.company(site, limits)
    begin_ms = min(begun)
    look = _Look(view, limits, view.map.places[site])
    supply = look.with_supply
    return Around(
        mains=look.count(company.near, begin_ms, supply, apart=True),
        premises=look.count(company.premises, begin_ms, supply),
        circuit=look.count(company.circuit, begin_ms, supply),
        provider=None if silent_ms is None else look.count(company.provider, silent_ms, look.with_voice),
        cofailure=look.cofailure((*company.near, *company.circuit), begin_ms),
        back_ms=back_ms,
        far=look.count(company.far, begin_ms, supply),
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """The eyes of one site."""

    view: View
    limits: Thresholds
    here: Place

    def count(
        self,
        names: Iterable[str],
        at_ms: int,
        fine: Callable[[str, int], bool],
        *,
        apart: bool = False,
    ) -> Neighbours | None:
        """Count premises: dark ones, fine ones. ``apart``: who hangs on another circuit says nothing for."""
        dark: dict[str, str] = {}
        unsupplied, well = set(), set()
        providers: set[str | None] = set()
        for name in names:
            place = self.view.map.places[name]
            told = self._fell_with(name, at_ms)
            if told is not None:
                dark.setdefault(place.building, place.name or name)
                providers.add(place.provider)
                if told:
                    unsupplied.add(place.building)
            elif fine(name, at_ms) and not (apart and self._other_circuit(place)):
                well.add(place.building)
        well -= dark.keys()
        if not dark and not well:
            return None
        shown = tuple(sorted(dark.values()))
        known = apart and self.here.provider is not None and None not in providers
        strangers = len(providers - {self.here.provider}) if known and dark else None
        return Neighbours(len(dark), len(dark) + len(well), len(well), len(unsupplied), shown, strangers)

    def _fell_with(self, name: str, at_ms: int) -> bool | None:
        """Say whether a site fell at that time (None: it did not) and told that its supply went."""
        reach_ms = self.limits["neighbours_together_ms"]
        near = [
            fall for fall in self.view.falls.by_site.get(name, ()) if abs(fall.fell_ms - at_ms) <= reach_ms
        ]
        return any(fall.mains for fall in near) if near else None

    def _other_circuit(self, place: Place) -> bool:
        return bool(place.circuit and self.here.circuit and place.circuit != self.here.circuit)

    def with_supply(self, name: str, at_ms: int) -> bool:
        """Tell whether a site has supply, and told so since."""
        known = self.view.standings.get(name)
        if known is None or not self.with_voice(name, at_ms):
            return False
        return known.mains is True or (known.mains is None and name in self.view.on_mains)

    def with_voice(self, name: str, at_ms: int) -> bool:
        """Tell whether a site was heard since."""
        known = self.view.standings.get(name)
        falls = self.view.falls.by_site.get(name, ())
        if known is None or any(fall.back_ms is None and not fall.mains for fall in falls):
            return False
        return known.heard_ms >= at_ms + self.limits["neighbours_fine_after_ms"]

    def cofailure(self, names: Iterable[str], at_ms: int) -> Cofailure | None:
        """Return the dark site that fell with this one most often before."""
        times = self.view.times.get(self.here.id, 0)
        best: Cofailure | None = None
        for name in sorted(set(names)):
            count = self.view.together.get(pair(self.here.id, name), 0)
            if count and (best is None or count > best.together) and self._fell_with(name, at_ms) is not None:
                best = Cofailure(self.view.map.places[name].name or name, count, max(times, count))
        return best


def one_street(one: Place, other: Place, reach_m: float) -> bool:
    """Say whether two places can hang on one thing: the same known circuit, or near each other."""
    return (one.circuit is not None and one.circuit == other.circuit) or metres(one, other) <= reach_m


def alone(places: Iterable[Place], reach_m: float) -> set[str]:
    """Return those of some places that are dark with nobody of another building beside them."""
    dark = list(places)
    return {
        place.id
        for place in dark
        if not any(other.building != place.building and one_street(place, other, reach_m) for other in dark)
    }


def back_ms(began_ms: int, returns: Sequence[int], now_ms: int, limits: Thresholds) -> int | None:
    """Return since when those of an area that come back are back; None while more may be on their way.

    Streets are switched on one after another: who follows comes within the time that lies between those who
    came. Of a lone one nothing is known but how long it was dark.
    """
    if not returns:
        return None
    last_ms = max(returns)
    spread_ms = last_ms - (min(returns) if len(returns) > 1 else began_ms)
    wait_ms = min(spread_ms, limits["area_return_ms"])
    return last_ms if now_ms - last_ms >= wait_ms else None


def pair(one: str, other: str) -> tuple[str, str]:
    """Return two sites in the order in which they are kept."""
    return (one, other) if one < other else (other, one)


def partners(view: View, site: str, fall: Fall, limits: Thresholds) -> list[str]:
    """Return the neighbours that fell when a site did: what is learned from a fall that is over."""
    if site not in view.map.places:
        return []
    company = view.map.company(site, limits)
    reach_ms = limits["neighbours_together_ms"]
    return [
        name
        for name in sorted({*company.near, *company.circuit})
        if any(abs(other.fell_ms - fall.fell_ms) <= reach_ms for other in view.falls.by_site.get(name, ()))
    ]
