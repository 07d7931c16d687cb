"""What is told to the rules of one site beyond the site itself, made for all sites of a tick at once.

Queries per tick: the falls that changed and the centre's failures; and only while somebody is down how its
neighbours are, for at most ``AT_ONCE`` sites. In a storm of thousands the others wait a few ticks for their
turn. Sites, groups and windows are looked at every ``SLOW_MS``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from sqlalchemy import or_, select

from collector.around import learned, windows
from collector.around.falls import FallBook
from collector.rules import area
from collector.rules.site import Centre, Deaf
from collector.storage.state import Area, AreaMember, CentreSpan, Incident, Probe, RuleState, SiteGroup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy.orm import Session

    from collector.model import Transition
    from collector.registry import DeviceEntry, SiteEntry
    from collector.rules.catalogue import Thresholds
    from collector.rules.site import Around, Window
    from collector.storage.state import WorkWindow

SLOW_MS: Final = 5_000
AT_ONCE: Final = 100
PROBED_MS: Final = 60_000  # a probe that was not asked for so long says nothing
DEAF_MS: Final = 7 * 86_400_000  # failures of the centre explain outages that were not settled for so long
HEARD_MS: Final = 75_000  # who is heard so long after a failure began is heard in spite of it
RETURN_MS: Final = 15_000  # of two probes, with their timeouts
REACH: Final = {"broker": 0.0, "uplink": 0.2}  # faults that silence all, and the share that may pass
_CHUNK: Final = 5_000
_NONE: Final[tuple[Window, ...]] = ()


class Places(Protocol):
    """What is asked of the registry."""

    def sites(self) -> Iterable[SiteEntry]:
        """Return all facilities."""

    def devices_of(self, site_id: str) -> Sequence[DeviceEntry]:
        """Return the devices that are at a site now."""


@dataclass
class _Seen:
    """What a site was told last."""

    around: Around | None = None
    at_ms: int = 0


@dataclass
class _Land:
    """What changes rarely."""

    entries: list[SiteEntry] = field(default_factory=list)
    groups: list[tuple[str, str]] = field(default_factory=list)
    map: area.Map = field(default_factory=lambda: area.Map(()))
    on_mains: frozenset[str] = frozenset()
    windows: list[WorkWindow] = field(default_factory=list)
    planned: dict[str, tuple[Window, ...]] = field(default_factory=dict)
    read_ms: int | None = None


class Surroundings:
    """Everything around the sites of one worker."""

    def __init__(self, registry: Places, limits: Callable[[str], Thresholds]) -> None:
        self._registry = registry
        self._limits = limits
        self._book = FallBook()
        self._land = _Land()
        self._seen: dict[str, _Seen] = {}
        self._centre = Centre()
        self._heard: dict[str, int] = {}  # site -> its last word
        self._learned: tuple[dict[tuple[str, str], int], dict[str, int]] = ({}, {})

    # --- what the rules ask -----------------------------------------------------------------------

    def around(self, site: str) -> Around | None:
        """Return who fell with a site, as of the last look."""
        seen = self._seen.get(site)
        return seen.around if seen else None

    def planned(self, site: str) -> tuple[Window, ...]:
        """Return the announced windows of a site."""
        land = self._land
        if not land.windows:
            return _NONE
        if site not in land.planned:
            place = land.map.places.get(site)
            land.planned[site] = windows.of(land.windows, place) if place else _NONE
        return land.planned[site]

    @property
    def centre(self) -> Centre:
        """Return what is known of the centre itself."""
        return self._centre

    # --- what is told and read --------------------------------------------------------------------

    def heard(self, site: str, now_ms: int) -> None:
        """Take that somebody was heard."""
        self._heard[site] = now_ms

    def deaf_by(self, session: Session, now_ms: int) -> bool:
        """Say whether a probe tells why nobody is heard."""
        self._read_centre(session, now_ms)
        return any(span.what in REACH and span.until_ms is None for span in self._centre.deaf)

    def note(self, session: Session, said: Sequence[Transition], now_ms: int) -> None:
        """Write down who fell and who came back, and learn from what is over."""
        for fall in self._book.note(session, said, now_ms):
            if not self._book.falls.episode(fall.site):
                self._learn(session, fall)

    def _learn(self, session: Session, fall: area.Fall) -> None:
        limits = self._limits(fall.site)
        view = area.View(self._land.map, self._book.falls, {})
        learned.learn(session, fall.site, area.partners(view, fall.site, fall, limits))

    def refresh(self, session: Session, sites: Iterable[str], now_ms: int) -> set[str]:
        """Look around; return the sites that are told something else than before."""
        self._read_centre(session, now_ms)
        land = self._land
        if land.read_ms is None or now_ms - land.read_ms >= SLOW_MS:
            self._read_land(session, now_ms)
        changed = self._book.refresh(session, now_ms)
        down = set(self._book.falls.still())
        stirred = {site for site in self._seen if site not in down}
        for site in stirred:
            del self._seen[site]
        mine = down.intersection(sites)
        return stirred | (self._look(session, mine, now_ms, anew=changed) if mine else set())

    def _look(self, session: Session, mine: set[str], now_ms: int, *, anew: bool) -> set[str]:
        """Look at those first who were looked at longest ago."""
        turn = sorted(mine, key=lambda site: self._seen[site].at_ms if site in self._seen else 0)[:AT_ONCE]
        if anew:
            self._learned = learned.recall(session, turn)
        land = self._land
        company: set[str] = set()
        for site in turn:
            if site in land.map.places:
                company |= land.map.company(site, self._limits(site)).everybody()
        view = area.View(
            land.map, self._book.falls, _standings(session, company), land.on_mains, *self._learned
        )
        backs = _backs(session, turn)
        return {
            site
            for site in turn
            if self._told(site, area.around(view, site, self._limits(site), backs.get(site)), now_ms)
        }

    def _told(self, site: str, around: Around | None, now_ms: int) -> bool:
        seen = self._seen.setdefault(site, _Seen())
        seen.at_ms = now_ms
        changed, seen.around = seen.around != around, around
        return changed

    def _read_land(self, session: Session, now_ms: int) -> None:
        land = self._land
        land.read_ms = now_ms
        entries = list(self._registry.sites())
        groups = [(row.site_id, row.name) for row in session.scalars(select(SiteGroup))]
        if entries != land.entries or groups != land.groups:
            land.entries, land.groups = entries, groups
            land.map = area.Map(_places(entries, groups))
            land.on_mains = frozenset(entry.id for entry in entries if self._on_mains(entry.id))
        land.windows, land.planned = windows.current(session, now_ms), {}

    def _on_mains(self, site: str) -> bool:
        feeds = [device.feed for device in self._registry.devices_of(site)]
        return bool(feeds) and all(feed == "mains" for feed in feeds)

    def _read_centre(self, session: Session, now_ms: int) -> None:
        """Read the centre's failures; what somebody was heard through is none."""
        checked = {row.name: row.checked_ms for row in session.execute(select(Probe.name, Probe.checked_ms))}
        query = select(CentreSpan).where(
            CentreSpan.what.in_(checked),
            CentreSpan.refuted.is_(False),
            or_(CentreSpan.until_ms.is_(None), CentreSpan.until_ms > now_ms - DEAF_MS),
        )
        spans = []
        for span in session.scalars(query.order_by(CentreSpan.since_ms)):
            until_ms = span.until_ms
            after_ms, before_ms = span.since_ms + HEARD_MS, checked[span.what] - RETURN_MS
            if until_ms is None and self._refutes(span.what, after_ms, before_ms):
                span.refuted = True
                continue
            if until_ms is None and now_ms - checked[span.what] >= PROBED_MS:
                until_ms = checked[span.what]  # nobody asks any more
            spans.append(Deaf(span.what, span.since_ms, until_ms))
        probed = bool(checked) and now_ms - max(checked.values()) < PROBED_MS
        self._centre = Centre(probed, tuple(spans))

    def _refutes(self, what: str, after_ms: int, before_ms: int) -> bool:
        """Say whether so many were heard amid the fault that it explains nobody's silence.

        Those who come back when it ends are heard before the probe sees the end. Nobody gets past a broker
        that does not pass messages; some may reach the centre without its uplink.
        """
        heard = sum(after_ms < at_ms < before_ms for at_ms in self._heard.values())
        least = REACH.get(what, 0.0) * len(self._heard)
        return what in REACH and heard > least


def _places(entries: Iterable[SiteEntry], groups: Iterable[tuple[str, str]]) -> Iterable[area.Place]:
    of: dict[str, set[str]] = {}
    for site, group in groups:
        of.setdefault(site, set()).add(group)
    for entry in entries:
        yield area.Place(
            entry.id, entry.name_es, entry.premises, entry.lat, entry.lon, entry.circuit, entry.provider,
            frozenset(of.get(entry.id, ())),
        )  # fmt: skip


def _standings(session: Session, sites: set[str]) -> dict[str, area.Standing]:
    names, found = sorted(sites), {}
    columns = (RuleState.site_id, RuleState.heard_ms, RuleState.mains)
    for start in range(0, len(names), _CHUNK):
        query = select(*columns).where(RuleState.site_id.in_(names[start : start + _CHUNK]))
        found.update(
            {site: area.Standing(heard_ms, mains) for site, heard_ms, mains in session.execute(query)}
        )
    return found


def _backs(session: Session, sites: Iterable[str]) -> dict[str, int]:
    """Return since when the areas are back that left these sites behind."""
    query = (
        select(AreaMember.site_id, Area.back_ms)
        .join(Area, Area.incident_id == AreaMember.area_id)
        .join(Incident, Incident.id == AreaMember.incident_id)
        .where(
            Incident.cleared_ms.is_(None),
            AreaMember.site_id.in_(list(sites)),
            Area.back_ms.is_not(None),
            AreaMember.reason == "left_behind",
        )
        .order_by(Area.back_ms)
    )
    return {site: back_ms for site, back_ms in session.execute(query) if back_ms is not None}
