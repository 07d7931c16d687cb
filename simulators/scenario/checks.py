"""What has to hold between the parts of a scenario. Each check yields (place, what is wrong)."""

from __future__ import annotations

import difflib
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from simulators.scenario.kinds import KINDS, Scope
from simulators.scenario.model import LEGS, Scenario, ScopePart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from simulators.scenario.lines import Place
    from simulators.scenario.model import EventPart, SitePart

    Fault = tuple[Place, str]

_CIRCLE: Final = ("lat", "lon", "radius_m")
_NAMES: Final = ("circuit", "provider", "site", "device")


def scope_of(part: ScopePart) -> Scope | None:
    """Say what a scope names; None: more than one thing, or half a circle."""
    given = {key for key in (*_NAMES, *_CIRCLE) if getattr(part, key) is not None}
    if not given:
        return Scope.CENTRE
    if given == set(_CIRCLE):
        return Scope.CIRCLE
    return Scope(next(iter(given))) if len(given) == 1 and given <= set(_NAMES) else None


def interval(event: EventPart, scenario: Scenario) -> tuple[float, float]:
    """Return when an event begins and ends, in seconds after the warm-up; at ``duration_s`` all are off."""
    end_s = scenario.scenario.duration_s
    lasts_s = event.for_s if event.for_s is not None else KINDS[event.kind].lasts_s
    return event.at_s, end_s if lasts_s is None else min(end_s, event.at_s + lasts_s)


def _unique(scenario: Scenario) -> Iterator[Fault]:
    for name in ("circuit", "provider", "site"):
        parts = getattr(scenario, name)
        yield from _twice((name,), [part.id for part in parts])
    every = [
        (("site", s, "device", d, "id"), device.id)
        for s, site in enumerate(scenario.site)
        for d, device in enumerate(site.device)
    ]
    seen = set()
    for place, name in every:
        if name in seen:
            yield place, f"device {name!r} is there already"
        seen.add(name)
    for s, site in enumerate(scenario.site):
        yield from _twice(("site", s, "ups"), [ups.id for ups in site.ups])


def _twice(place: Place, names: list[str]) -> Iterator[Fault]:
    counts: Counter[str] = Counter()
    for number, name in enumerate(names):
        if counts[name]:
            yield (*place, number, "id"), f"{place[-1]} {name!r} is there already"
        counts[name] += 1


def _ties(scenario: Scenario) -> Iterator[Fault]:
    for kind in ("circuit", "provider"):
        known = [part.id for part in getattr(scenario, kind)]
        for s, site in enumerate(scenario.site):
            name = getattr(site, kind)
            if name is not None and name not in known:
                yield ("site", s, kind), _unknown(kind, name, known)


def _legs(scenario: Scenario) -> Iterator[Fault]:
    for s, site in enumerate(scenario.site):
        most = LEGS[site.service]
        used: list[tuple[Place, int]] = [
            (("site", s, "ups", u, "leg"), ups.leg) for u, ups in enumerate(site.ups)
        ]
        used += [(("site", s, "meter", m, "leg"), meter.leg) for m, meter in enumerate(site.meter)]
        used += [
            (("site", s, "device", d, "feed"), int(device.feed[6:]))
            for d, device in enumerate(site.device)
            if device.feed.startswith("mains:")
        ]
        for place, leg in used:
            if leg > most:
                yield place, f"service {site.service} has {most} leg{'s' if most > 1 else ''}, no leg {leg}"


def _feeds(scenario: Scenario) -> Iterator[Fault]:
    for s, site in enumerate(scenario.site):
        feeds = {device.id: device.feed[4:] for device in site.device if device.feed.startswith("poe:")}
        for d, device in enumerate(site.device):
            kind, _, name = device.feed.partition(":")
            place: Place = ("site", s, "device", d, "feed")
            if kind == "ups" and name not in [ups.id for ups in site.ups]:
                yield place, _unknown("ups", name, [ups.id for ups in site.ups])
            elif kind == "poe" and name not in [other.id for other in site.device]:
                yield place, _unknown("device", name, [other.id for other in site.device])
            elif kind == "poe" and _in_a_ring(device.id, feeds):
                yield place, f"{device.id} would feed itself"


def _uplinks(scenario: Scenario) -> Iterator[Fault]:
    for s, site in enumerate(scenario.site):
        names = [device.id for device in site.device]
        ties = {device.id: device.uplink for device in site.device if device.uplink != "provider"}
        for d, device in enumerate(site.device):
            place: Place = ("site", s, "device", d, "uplink")
            if device.uplink != "provider" and device.uplink not in names:
                yield place, _unknown("device", device.uplink, [*names, "provider"])
            elif device.id in ties and _in_a_ring(device.id, ties):
                yield place, f"the way out of {device.id} leads back to it"


def _in_a_ring(name: str, onward: dict[str, str]) -> bool:
    at, steps = onward.get(name), 0
    while at is not None and at != name and steps <= len(onward):
        at, steps = onward.get(at), steps + 1
    return at == name


def _agents(scenario: Scenario) -> Iterator[Fault]:
    for s, site in enumerate(scenario.site):
        for m in range(len(site.meter)):
            if not any(device.has_agent for device in site.device):
                yield ("site", s, "meter", m), "nobody reads this meter: no device of the site has an agent"
        for d, device in enumerate(site.device):
            if device.kind == "modem" and device.has_agent:
                yield ("site", s, "device", d, "agent"), "a modem is the provider's, no agent runs on it"


def _kinds(scenario: Scenario) -> Iterator[Fault]:
    for e, event in enumerate(scenario.event):
        if event.kind not in KINDS:
            yield ("event", e, "kind"), _unknown("kind", event.kind, KINDS)


def _parameters(scenario: Scenario) -> Iterator[Fault]:
    for e, event in enumerate(scenario.event):
        if event.kind not in KINDS:
            continue
        known = KINDS[event.kind].parameters
        for name, value in event.parameters.items():
            place: Place = ("event", e, name)
            if name not in known:
                yield place, _unknown(f"parameter of {event.kind}", name, known)
            elif not known[name].low <= value <= known[name].high:
                yield place, f"{name} has to be from {known[name].low:g} to {known[name].high:g}"
            elif known[name].whole and value != int(value):
                yield place, f"{name} has to be a whole number"
        for name, parameter in known.items():
            if parameter.default is None and name not in event.parameters:
                yield ("event", e), f"{event.kind} needs {name}"


def _scopes(scenario: Scenario) -> Iterator[Fault]:
    known = {
        "circuit": [part.id for part in scenario.circuit],
        "provider": [part.id for part in scenario.provider],
        "site": [part.id for part in scenario.site],
        "device": [device.id for site in scenario.site for device in site.device],
    }
    for e, event in enumerate(scenario.event):
        place: Place = ("event", e, "scope")
        scope = scope_of(event.scope)
        if scope is None:
            yield place, "has to name one of circuit, provider, site, device, or lat, lon and radius_m"
            continue
        if scope.value in known:
            name = getattr(event.scope, scope.value)
            if name not in known[scope.value]:
                yield (*place, scope.value), _unknown(scope.value, name, known[scope.value])
        if event.kind in KINDS and scope not in KINDS[event.kind].scopes:
            fitting = ", ".join(sorted(item.value for item in KINDS[event.kind].scopes))
            yield place, f"{event.kind} takes as scope: {fitting}"
        if scope is Scope.CIRCLE and any(site.lat is None or site.lon is None for site in scenario.site):
            yield place, "a circle needs sites that all have lat and lon"


def _event_legs(scenario: Scenario) -> Iterator[Fault]:
    sites = {site.id: site for site in scenario.site}
    for e, event in enumerate(scenario.event):
        site = sites.get(event.scope.site or "")
        leg = event.parameters.get("leg", 0)
        if site and leg > LEGS[site.service]:
            yield ("event", e, "leg"), f"service {site.service} of {site.id} has no leg {leg:g}"
        if site and event.kind == "open_neutral" and LEGS[site.service] == 1:
            yield ("event", e, "scope"), f"{site.id} has one leg: an open neutral is there an open leg"


def _targets(scenario: Scenario) -> Iterator[Fault]:
    """Refuse an event that has nothing to act on."""
    where = {device.id: (site, device) for site in scenario.site for device in site.device}
    sites = {site.id: site for site in scenario.site}
    for e, event in enumerate(scenario.event):
        device = where.get(event.scope.device or "")
        site = sites.get(event.scope.site or "")
        around: SitePart | None = device[0] if device else site
        if around is None:
            continue
        place: Place = ("event", e, "scope")
        if event.kind.startswith("ups_") or event.kind == "overload":
            if device and not device[1].feed.startswith("ups:"):
                yield place, f"no UPS feeds {device[1].id}"
            elif not around.ups:
                yield place, f"{around.id} has no UPS"
        if event.kind == "modem_off" and device and device[1].kind != "modem":
            yield place, f"{device[1].id} is no modem"


def _times(scenario: Scenario) -> Iterator[Fault]:
    head = scenario.scenario
    for e, event in enumerate(scenario.event):
        if not -head.warmup_s <= event.at_s < head.duration_s:
            yield ("event", e, "at_s"), f"has to be from {-head.warmup_s:g} to below {head.duration_s:g}"


def _overlaps(scenario: Scenario) -> Iterator[Fault]:
    spans: dict[tuple[str, str], list[tuple[float, float, int]]] = {}
    for e, event in enumerate(scenario.event):
        if event.kind in KINDS:
            start_s, end_s = interval(event, scenario)
            spans.setdefault((event.kind, repr(event.scope)), []).append((start_s, end_s, e))
    for (kind, _), found in spans.items():
        found.sort()
        for (_, end_s, _), (start_s, _, e) in pairwise(found):
            if start_s < end_s:
                yield ("event", e), f"overlaps another {kind} on the same scope"


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"unknown {what} {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")


CHECKS: Final[tuple[Callable[[Scenario], Iterator[Fault]], ...]] = (
    _unique, _ties, _legs, _feeds, _uplinks, _agents,
    _kinds, _parameters, _scopes, _event_legs, _targets, _times, _overlaps,
)  # fmt: skip


def faults(scenario: Scenario) -> Iterator[Fault]:
    """Give everything that is wrong."""
    for check in CHECKS:
        yield from check(scenario)
