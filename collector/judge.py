"""The rules inside a transaction: load a site's memory, step, save it, apply what changed.

The caller owns the transaction. Nothing is kept here that matters: the memory is in SQL, so that a restart
neither repeats nor forgets. What is kept is since when each site is watched without a pause: time in which
nobody listened is not held against a device.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sqlalchemy import select

from collector.alerts import lifecycle, storm
from collector.alerts.routes import Routing
from collector.around.surroundings import Surroundings
from collector.errors import ConfigError, VigiaError
from collector.log import Reporter
from collector.model import Arrival
from collector.rules import area, catalogue, engine
from collector.rules.catalogue import Thresholds, UnknownThresholdError
from collector.rules.site import DeviceFacts, SiteFacts
from collector.storage.state import RuleState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.orm import Session

    from collector.config import Config
    from collector.metrics import Metrics
    from collector.model import Observation, Transition
    from collector.registry import DeviceEntry, SiteEntry
    from collector.rules.board import Memory

PAUSE_TICKS = 10  # this many ticks left out are a pause
CHUNK = 5_000  # sites that are loaded at once


class RuleError(VigiaError):
    """A rule broke on a site: our own fault; nothing of this step was taken."""


class Places(Protocol):
    """What the rules ask of the registry."""

    def site(self, site_id: str) -> SiteEntry | None:
        """Return a facility."""

    def sites(self) -> Iterable[SiteEntry]:
        """Return all facilities."""

    def devices_of(self, site_id: str) -> Sequence[DeviceEntry]:
        """Return the devices that are at a site now."""


class Judge:
    """Judges sites. ``ConfigError`` when the configuration names a threshold that there is not."""

    def __init__(self, registry: Places, config: Config, metrics: Metrics) -> None:
        self._registry = registry
        self._rules = config.rules
        self._routing = Routing.of(config.alerts)
        self._metrics = metrics
        self._reporter = Reporter("rules", metrics)
        self._watch: dict[str, tuple[int, int]] = {}  # site -> watched since, last step
        self._pause_ms = PAUSE_TICKS * config.rules.tick_ms
        self._thresholds: dict[tuple[str, str], Thresholds] = {}
        self._check_thresholds()
        self._due: dict[str, int] = {}  # when time alone can next change something; not in it: now
        self._around = Surroundings(registry, self._limits_of)

    def deaf_by(self, session: Session, now_ms: int) -> bool:
        """Say whether the centre's probes tell why nobody is heard: then silence is judged all the same."""
        return self._around.deaf_by(session, now_ms)

    def observe(
        self, session: Session, site_id: str, observations: Sequence[Observation], now_ms: int
    ) -> list[Transition]:
        """Take observations of one site, in order of arrival; ``RuleError`` when a rule breaks on them."""
        if any(isinstance(item, Arrival) for item in observations):
            self._around.heard(site_id, now_ms)
        return self._step(session, site_id, session.get(RuleState, site_id), observations, now_ms)

    def tick(self, session: Session, site_ids: Sequence[str], now_ms: int) -> list[Transition]:
        """Let time pass for these sites; what does not change is not written, and mostly not looked at.

        A rule that breaks on one site is reported, the others go on.
        """
        for site_id in site_ids:
            self._watched_since(site_id, now_ms)
        stirred = self._around.refresh(session, site_ids, now_ms)
        due = [name for name in site_ids if self._due.get(name, 0) <= now_ms or name in stirred]
        found: list[Transition] = []
        for start in range(0, len(due), CHUNK):
            part = due[start : start + CHUNK]
            query = select(RuleState).where(RuleState.site_id.in_(part))
            rows = {row.site_id: row for row in session.scalars(query)}
            for site_id in part:
                try:
                    found += self._step(session, site_id, rows.get(site_id), (), now_ms)
                except RuleError as error:
                    self._reporter.problem("rules_failed", str(error))
        storm.tick(session, now_ms, self._routing, self._resolved("", ""))
        return found

    def due_ms(self, site_id: str) -> int:
        """Return when time alone can next change something at a site; 0: it was not looked at yet."""
        return self._due.get(site_id, 0)

    def _step(
        self,
        session: Session,
        site_id: str,
        row: RuleState | None,
        observations: Sequence[Observation],
        now_ms: int,
    ) -> list[Transition]:
        facts = self._facts(site_id, now_ms)
        if facts is None:
            return []
        before = row.state if row is not None else {}
        limits = self._limits(facts)
        self._due.pop(site_id, None)
        try:
            state, transitions = engine.step(before, facts, observations, now_ms, limits)
        except Exception as error:
            raise RuleError(f"{site_id}: {type(error).__name__}: {error}") from error
        if state != before:
            self._save(session, site_id, row, state, now_ms)
        if transitions:
            self._around.note(session, transitions, now_ms)
            lifecycle.apply(session, transitions, now_ms, self._routing)
        self._due[site_id] = engine.next_look_ms(state, facts, now_ms, limits)
        for said in transitions:
            self._metrics.transitions.labels(condition=said.condition, change=said.change.value).inc()
        return transitions

    def _save(
        self, session: Session, site_id: str, row: RuleState | None, state: Memory, now_ms: int
    ) -> None:
        if row is None:
            row = RuleState(site_id=site_id)
            session.add(row)
        row.state = state
        row.status, row.since_ms = state["status"]["value"], state["status"]["since_ms"]
        row.updated_ms = now_ms
        known = area.standing(state)
        row.heard_ms, row.mains = known.heard_ms, known.mains

    def _facts(self, site_id: str, now_ms: int) -> SiteFacts | None:
        site = self._registry.site(site_id)
        if site is None:
            return None
        devices = tuple(
            DeviceFacts(entry.id, entry.kind, entry.feed, entry.modem_feed, entry.uplink)
            for entry in self._registry.devices_of(site_id)
        )
        return SiteFacts(
            id=site.id,
            nominal_v=site.nominal_v,
            devices=devices,
            kind=site.kind,
            watched_since_ms=self._watched_since(site_id, now_ms),
            neighbours=self._around.around(site_id),
            planned=self._around.planned(site_id),
            centre=self._around.centre,
        )

    def _watched_since(self, site_id: str, now_ms: int) -> int:
        since_ms, last_ms = self._watch.get(site_id, (now_ms, now_ms))
        if now_ms - last_ms > self._pause_ms:
            since_ms = now_ms
        self._watch[site_id] = (since_ms, max(last_ms, now_ms))
        return since_ms

    def _limits(self, site: SiteFacts) -> Thresholds:
        return self._resolved(site.kind, site.id)

    def _limits_of(self, site_id: str) -> Thresholds:
        site = self._registry.site(site_id)
        return self._resolved(site.kind if site else "", site_id)

    def _resolved(self, kind: str, site_id: str) -> Thresholds:
        key = (kind, site_id)
        if key not in self._thresholds:
            rules = self._rules
            layers = (rules.thresholds, rules.kinds.get(kind, {}), rules.sites.get(site_id, {}))
            self._thresholds[key] = catalogue.resolve(*layers)
        return self._thresholds[key]

    def _check_thresholds(self) -> None:
        layers = {"thresholds": self._rules.thresholds}
        layers |= {f"kinds.{name}": layer for name, layer in self._rules.kinds.items()}
        layers |= {f"sites.{name}": layer for name, layer in self._rules.sites.items()}
        for name, layer in layers.items():
            try:
                catalogue.resolve(layer)
            except UnknownThresholdError as error:
                raise ConfigError(f"rules.{name}: {error}") from error
