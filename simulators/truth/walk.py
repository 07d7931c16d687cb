"""A place walked from turn to turn with a choice of its events: when who was silent and what had voltage.

Nothing happens at a place that rests, so only the time around events is walked: from a minute before an
event until everything is up, fed by the line and charged again. Every stretch begins with a place as new,
which is what it is then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from simulators.truth.spans import Tracks
from simulators.world import happenings
from simulators.world.happenings import NEVER, Schedule, View
from simulators.world.line_interactive import Source
from simulators.world.machine import State
from simulators.world.place import Place

if TYPE_CHECKING:
    from simulators.scenario.model import DevicePart, Scenario, SitePart, UpsPart
    from simulators.truth.spans import Spans

LOST_PU: Final = 0.1  # IEEE 1159: an interruption is below 0.1 pu
NO_WAY_LOSS: Final = 0.9  # of ten packets one: no conversation
LEAD_MS: Final = 60_000
CHARGED: Final = 0.99
_REST_MS: Final = 120_000


@dataclass(slots=True)
class Walk:
    """What a walk found: spans by fact (see ``_look``)."""

    tracks: Tracks = field(default_factory=Tracks)

    def silent(self) -> Spans:
        """When no agent of the site could be heard."""
        return self.tracks.of("silent")

    def device_silent(self, device: str) -> Spans:
        """When one device could not."""
        return self.tracks.of(f"silent {device}")

    def mains_out(self) -> Spans:
        """When every leg that feeds something of ours had no voltage."""
        return self.tracks.of("mains out")

    def leg_out(self) -> Spans:
        """When one of these legs had none."""
        return self.tracks.of("leg out")

    def witnessed(self) -> Spans:
        """When somebody who sees the mains (by a UPS or a meter) could be heard."""
        return self.tracks.of("witness")

    def off_line(self, ups: str) -> Spans:
        """When a UPS did not feed from the line, self-tests apart."""
        return self.tracks.of(f"off line {ups}")

    def pulled(self) -> Spans:
        """When the plug of a UPS was pulled and nothing else of the site could tell that there are mains."""
        return self.tracks.of("pulled")


def walk(scenario: Scenario, site: SitePart, numbers: frozenset[int]) -> Walk:
    """Walk a site with the events of these numbers only."""
    every = range(len(scenario.event))
    schedule = happenings.of_scenario(scenario, without=frozenset(set(every) - numbers))
    head = scenario.scenario
    start_ms = happenings.start_ms(scenario)
    end_ms = start_ms + round((head.warmup_s + head.duration_s + head.settle_s) * 1000)
    found, view = Walk(), View(schedule, site)
    t_ms = start_ms - 1
    while (edge_ms := view.next_edge(t_ms)) < end_ms:
        begin_ms = max(start_ms, edge_ms - LEAD_MS, t_ms)
        t_ms = _stretch(found.tracks, scenario, site, schedule, begin_ms, end_ms)
    return found


def _stretch(
    tracks: Tracks, scenario: Scenario, site: SitePart, schedule: Schedule, begin_ms: int, end_ms: int
) -> int:
    """Walk from one rest to the next; return where it was reached."""
    place = Place(site, scenario.world, scenario.scenario.seed, schedule, begin_ms)
    while place.t_ms < end_ms:
        _look(tracks, place)
        if place.t_ms > begin_ms + LEAD_MS and _rests(place):
            break
        place.advance(min(end_ms, place.next_turn_ms()))
    tracks.close(place.t_ms)
    return place.t_ms


def _rests(place: Place) -> bool:
    now = place.t_ms
    edge_ms = place.view.next_edge(now)
    if place.view.holding_any(now) or not place.calm() or edge_ms - now < _REST_MS:
        return False
    units = place.upses.values()
    charged = all(unit.energy_wh(now) >= CHARGED * unit.model.full_wh for unit in units)
    return charged or edge_ms >= NEVER


def _look(tracks: Tracks, place: Place) -> None:
    """Note what holds now."""
    now, site = place.t_ms, place.site
    agents = [part for part in site.device if part.has_agent]
    heard = [part for part in agents if speaks(place, part)]
    tracks.note("silent", now, holds=bool(agents) and not heard)
    for part in agents:
        tracks.note(f"silent {part.id}", now, holds=part not in heard)
    dead = _dead_legs(place)
    tracks.note("mains out", now, holds=bool(dead) and all(dead))
    tracks.note("leg out", now, holds=any(dead))
    tracks.note("witness", now, holds=any(_sees_mains(place, part) for part in heard))
    for ups in site.ups:
        unit = place.upses[ups.id]
        testing = (
            place.view.holds("ups_self_test", now) and place.plug_v(ups, now) > unit.model.transfer_low_v
        )
        off = unit.source in {Source.BATTERY, Source.NOTHING}
        tracks.note(f"off line {ups.id}", now, holds=off and not testing)
    tracks.note("pulled", now, holds=any(_pulled_unseen(place, ups, heard) for ups in site.ups))


def speaks(place: Place, part: DevicePart) -> bool:
    """Tell whether the agent of a device can be heard beyond the provider."""
    if place.machines[part.id].state is not State.UP or place.hung(part.id):
        return False
    way = place.way(part.id)
    return way.up and way.loss < NO_WAY_LOSS and not place.befalls("agent_crash", part)


def _dead_legs(place: Place) -> list[bool]:
    """Say of each leg that feeds something of ours whether it has no voltage."""
    site = place.site
    used = {ups.leg for ups in site.ups} | {meter.leg for meter in site.meter}
    used |= {int(part.feed[6:]) for part in site.device if part.feed.startswith("mains:")}
    legs = place.supply.at_legs(place.t_ms)
    return [legs[leg - 1].volts < LOST_PU * site.nominal_v for leg in sorted(used)]


def read_by(site: SitePart, part: DevicePart) -> UpsPart | None:
    """Return the UPS that a device reads, as `simulators.instruments` has it."""
    name = part.feed.removeprefix("ups:") if part.feed.startswith("ups:") else None
    return next((unit for unit in site.ups if name in {None, unit.id}), None)


def _sees_mains(place: Place, part: DevicePart) -> bool:
    site, now = place.site, place.t_ms
    ups = read_by(site, part)
    if ups is not None and place.contact(ups) and not _unplugged(place, ups, now):
        return True
    first = next(other for other in site.device if other.has_agent)
    return bool(site.meter) and part is first


def _pulled_unseen(place: Place, ups: UpsPart, heard: list[DevicePart]) -> bool:
    now, site = place.t_ms, place.site
    if not _unplugged(place, ups, now):
        return False
    return not any(_sees_mains(place, part) or part.feed.startswith("mains:") for part in site.device
                   if part in heard)  # fmt: skip


def _unplugged(place: Place, ups: UpsPart, t_ms: int) -> bool:
    live = place.supply.volts(ups.leg, t_ms)
    return place.plug_v(ups, t_ms) <= 0.0 < live
