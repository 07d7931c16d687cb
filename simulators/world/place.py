"""One site of the world: supply, UPSes, machines, the way out. It goes from turn to turn, not in ticks.

Between two turns (an event's edge, an empty battery, the end of a boot) everything is a function of time, and
what is not a voltage or an energy stays as it was: it is asked once.
Only where the voltage lies so near a UPS's threshold that noise decides, or where the building's wiring is
faulty, it looks every second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from simulators.world import line_interactive as inverter
from simulators.world import noise
from simulators.world.happenings import View
from simulators.world.machine import Forces, Machine, State
from simulators.world.supply import Supply

if TYPE_CHECKING:
    from simulators.scenario.model import Constants, DevicePart, SitePart, UpsPart
    from simulators.world.happenings import Schedule

NEAR_MS: Final = 1_000
FAR_MS: Final = 300_000  # the voltage of the hour moves
DRIFT_PU: Final = 0.002  # so much in that time: 0.02 in the evening's hour
ALIVE_V: Final = 50.0  # what a power supply for 100 to 240 V still takes
OWN_DROP_V: Final = 4.0  # 3 kW at the resistance of a sound connection
_VA: Final = 600.0  # the UPS whose battery and charger Model's defaults are
_STANDING_W: Final = 4.0  # what a UPS feeds beside our devices: nothing much


@dataclass(frozen=True, slots=True)
class Way:
    """A way out to the centre: whether packets pass, the share that is lost, one way's delay in ms."""

    up: bool
    loss: float = 0.0
    delay_ms: float = 0.0


class Place:
    """A site at a time that only goes forward. Reads are for the time of the last ``advance``."""

    def __init__(
        self, site: SitePart, constants: Constants, seed: int, schedule: Schedule, t_ms: int
    ) -> None:
        self.site = site
        self.view = View(schedule, site)
        self.supply = Supply(site, constants, seed, self.view)
        self.machines = {part.id: Machine(part, constants, t_ms) for part in site.device}
        self._constants = constants
        self._seed = seed
        self._t_ms = t_ms
        self.upses: dict[str, inverter.Ups] = {}
        for part in site.ups:
            model = _model(part, constants)
            self.upses[part.id] = inverter.Ups(model, t_ms, self._inputs(part, model, t_ms))
        self._way_since: dict[str, int | None] = dict.fromkeys(self.machines, t_ms)
        self._way_lost: dict[str, int] = {}
        self._ways: dict[str, Way] = {}  # as they are until the next turn
        self._befallen: dict[tuple[str, str], bool] = {}
        self._turn_ms: int | None = None
        self._asked = self._settled = self.view.version  # the events as they were then
        self.turned_ms = t_ms  # when something turned last
        self._settle()

    @property
    def t_ms(self) -> int:
        """The time it has come to."""
        return self._t_ms

    def advance(self, t_ms: int) -> None:
        """Go forward to a time."""
        while self._t_ms < t_ms:
            turn_ms = self.next_turn_ms()
            end_ms = min(t_ms, turn_ms)
            if end_ms < turn_ms and self._settled == self.view.version:
                self._t_ms = end_ms
                break
            before, edge_ms = self._standing(), self.view.next_edge(self._t_ms)
            for part in self.site.ups:
                unit = self.upses[part.id]
                unit.advance(end_ms, self._inputs(part, unit.model, self._t_ms))
            self._t_ms = end_ms
            for part in self.site.ups:  # what it begins at an edge has its own next turn
                unit = self.upses[part.id]
                unit.advance(end_ms, self._inputs(part, unit.model, end_ms))
            self._settle()
            if edge_ms <= end_ms or self._standing() != before:
                self.turned_ms = end_ms

    def next_turn_ms(self) -> int:
        """Return the time until which nothing turns, at most five minutes ahead."""
        if self._turn_ms is None or self._settled != self.view.version:
            self._turn_ms = self._find_turn_ms()
        return max(self._t_ms + 1, self._turn_ms)

    def _find_turn_ms(self) -> int:
        now = self._t_ms
        step = NEAR_MS if self._voltage_decides() else FAR_MS
        return min(now - now % step + step, self.next_change_ms())

    def next_change_ms(self) -> int:
        """Return when something turns, as long as no voltage is near a threshold."""
        now = self._t_ms
        turns = [self.view.next_edge(now)]
        for part in self.site.ups:
            unit = self.upses[part.id]
            turns.append(unit.next_turn_ms(self._inputs(part, unit.model, now)))
        turns += [machine.next_turn_ms() for machine in self.machines.values()]
        return min(turns)

    def steady(self) -> bool:
        """Tell whether no voltage is near a threshold: nothing turns before ``next_change_ms``."""
        return not self._voltage_decides()

    def calm(self) -> bool:
        """Tell whether everything works and no voltage is near a threshold."""
        ups_rest = all(unit.source is inverter.Source.LINE for unit in self.upses.values())
        up = all(machine.state is State.UP for machine in self.machines.values())
        ways = all(self.way(part.id).up for part in self.site.device if part.has_agent)
        return ups_rest and up and ways and not self._voltage_decides()

    def plug_v(self, ups: UpsPart, t_ms: int) -> float:
        """Volts at the plug of a UPS."""
        return 0.0 if self._hits("ups_unplugged", ups, t_ms) else self.supply.volts(ups.leg, t_ms)

    def picture(self, ups: UpsPart) -> inverter.Picture:
        """Return what the driver of a UPS shows now."""
        return self.upses[ups.id].picture(self._t_ms, lambda t_ms: self.plug_v(ups, t_ms))

    def contact(self, ups: UpsPart) -> bool:
        """Tell whether the driver and its UPS are in contact now.

        Some USB contacts drop just when the UPS leaves the line, and come back when it returns to it.
        """
        left_ms = self.upses[ups.id].left_line_ms
        chance = self._constants.usb_drops
        if left_ms is not None and noise.uniform(self._seed, self.site.id, ups.id, "usb", left_ms) < chance:
            return False
        return not self._hits("ups_contact_lost", ups, self._t_ms)

    def powered(self, feed: str) -> bool:
        """Tell whether what hangs on a feed has power now."""
        kind, _, name = feed.partition(":")
        if kind == "mains":
            return self.supply.volts(int(name), self._t_ms) >= ALIVE_V
        if kind == "ups":
            return self.upses[name].feeds
        return self.machines[name].lit

    def way(self, device: str) -> Way:
        """Return the way from a machine to the provider's network now."""
        self._forget_if_changed()
        if device not in self._ways:
            self._ways[device] = self._way(device)
        return self._ways[device]

    def _way(self, device: str) -> Way:
        part: DevicePart | None = self.machines[device].part
        while part is not None:
            machine = self.machines[part.id]
            if machine.state is not State.UP or self.hung(part.id) or not self.linked(part):
                return Way(up=False)
            part = self.machines[part.uplink].part if part.uplink != "provider" else None
        if self.view.holds("backhaul_down", self._t_ms):
            return Way(up=False)
        worse = self.view.last("backhaul_degraded", self._t_ms)
        loss, delay_ms = self._constants.link_loss, self._constants.link_delay_ms
        if worse is None:
            return Way(True, loss, delay_ms)
        return Way(
            True, 1.0 - (1.0 - loss) * (1.0 - worse.value("loss")), delay_ms + worse.value("latency_ms")
        )

    def way_since_ms(self, device: str) -> int | None:
        """Return since when a machine has had a way out; None: it has none."""
        return self._way_since[device]

    def way_lost_ms(self, device: str) -> int | None:
        """Return when a machine lost its way out for the last time; None: it never did."""
        return self._way_lost.get(device)

    def linked(self, part: DevicePart) -> bool:
        """Tell whether the port towards a machine's uplink has a link now."""
        lost = self.befalls("wan_carrier_lost", part)
        if part.uplink == "provider":
            return part.kind == "modem" or not lost
        beyond = self.machines[part.uplink]
        return beyond.lit and not (lost and beyond.part.kind == "modem")

    def hung(self, device: str) -> bool:
        """Tell whether a machine stands still now."""
        return self.befalls("device_hang", self.machines[device].part)

    def befalls(self, kind: str, part: DevicePart) -> bool:
        """Tell whether an event of a device holds for this one now.

        A scope that means the whole site means its machines with an agent; ``modem_off`` its modems.
        """
        self._forget_if_changed()
        key = kind, part.id
        if key not in self._befallen:
            self._befallen[key] = self._befalls(kind, part)
        return self._befallen[key]

    def _befalls(self, kind: str, part: DevicePart) -> bool:
        meant = part.kind == "modem" if kind == "modem_off" else part.has_agent
        found = self.view.everywhere(kind, self._t_ms)
        return any(one.scope.device == part.id or (one.scope.device is None and meant) for one in found)

    def _standing(self) -> list[str]:
        """Return where every UPS and every machine stands."""
        units, machines = self.upses.values(), self.machines.values()
        return [unit.source for unit in units] + [machine.state for machine in machines]

    def _forget_if_changed(self) -> None:
        """Ask anew after somebody has added or ended an event."""
        if self._asked != self.view.version:
            self._asked = self.view.version
            self._ways.clear()
            self._befallen.clear()

    def _settle(self) -> None:
        """Let every machine have what its feed gives; a feed by another machine comes after that one."""
        self._asked = self._settled = self.view.version
        self._turn_ms = None
        self._befallen.clear()
        for _ in range(len(self.machines) + 1):
            before = [machine.state for machine in self.machines.values()]
            for machine in self.machines.values():
                machine.update(self._t_ms, self._forces(machine.part))
            if before == [machine.state for machine in self.machines.values()]:
                break
        self._ways.clear()
        for device in self.machines:
            up = self.way(device).up
            since = self._way_since[device]
            if since is not None and not up:
                self._way_lost[device] = self._t_ms
            self._way_since[device] = (self._t_ms if since is None else since) if up else None

    def _forces(self, part: DevicePart) -> Forces:
        return Forces(
            powered=not self.befalls("modem_off", part) and self.powered(part.feed),
            taken=self.befalls("device_removed", part),
            restarted=self.befalls("device_reboot", part) or self.befalls("upgrade", part),
        )

    def _inputs(self, part: UpsPart, model: inverter.Model, t_ms: int) -> inverter.Inputs:
        load_w = _STANDING_W + sum(self._drawn_w(part.id))
        over = [one for one in self.view.everywhere("overload", t_ms) if self._means(one.scope.device, part)]
        if over:
            load_w = over[-1].value("load_pct") / 100.0 * model.nominal_w
        testing = self._hits("ups_self_test", part, t_ms)
        return inverter.Inputs(self.plug_v(part, t_ms), load_w, testing)

    def _drawn_w(self, ups: str) -> list[float]:
        """Return what machines draw from a UPS, those that they feed in turn as well."""
        return [machine.watts for machine in self.machines.values() if self._carrier(machine.part) == ups]

    def _carrier(self, part: DevicePart) -> str | None:
        while part.feed.startswith("poe:"):
            part = self.machines[part.feed[4:]].part
        return part.feed[4:] if part.feed.startswith("ups:") else None

    def _hits(self, kind: str, ups: UpsPart, t_ms: int) -> bool:
        """Tell whether an event of a kind holds for a UPS."""
        found = self.view.everywhere(kind, t_ms)
        return any(self._means(one.scope.device, ups) for one in found)

    def _means(self, device: str | None, ups: UpsPart) -> bool:
        """Tell whether a scope means a UPS: the whole site's does, a device's when this one feeds it."""
        return device is None or self.machines[device].part.feed == f"ups:{ups.id}"

    def _voltage_decides(self) -> bool:
        """Tell whether noise or loads may carry the voltage across a threshold."""
        now = self._t_ms
        if self.supply.dead(now):
            return False
        on_mains = any(part.feed.startswith("mains:") for part in self.site.device)
        if not self.supply.wiring_is_sound(now):
            return True
        nominal = self.site.nominal_v
        steady = self.supply.steady_pu(now) * nominal
        # noise and what the hour moves, both ways; the building's own load only takes
        drift = DRIFT_PU * max(1.0, self._constants.profile)
        slack = (self.supply.noise_pu + drift) * nominal
        lowest, highest = steady - slack - OWN_DROP_V, steady + slack
        margins = [limit for unit in self.upses.values() for limit in unit.margins_v()]
        margins += [ALIVE_V] if on_mains else []
        return any(lowest <= limit <= highest for limit in margins)


def _model(part: UpsPart, constants: Constants) -> inverter.Model:
    size = part.va / _VA
    health = {"new": 1.0, "aged": constants.battery_aged, "dead": constants.battery_dead}[part.battery]
    plain = inverter.Model()
    return inverter.Model(
        nominal_va=part.va,
        nominal_w=plain.nominal_w * size,
        capacity_wh=plain.capacity_wh * size,
        charger_w=plain.charger_w * size,
        health=health,
        status_ms=max(1, round(constants.ups_status_s * 1000)),
        values_ms=max(1, round(constants.ups_values_s * 1000)),
    )
