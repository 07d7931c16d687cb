"""Stages ``write`` and ``commit``: points into the store, then everything else in one transaction.

The order matters: what is committed here says that a frame is stored, so its points must be there before.
A crash in between only means that the same points are written again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from collector.ingest import clones, sessions, suspicion
from collector.ingest.ledger import Ledgers
from collector.model import Arrival, Born, ClockFault, Died, Outcome, Quality
from collector.storage import means
from collector.storage.state import DeviceState, RuleState

if TYPE_CHECKING:
    from collections import Counter

    from sqlalchemy.orm import Session

    from collector.clock import Clock
    from collector.ingest.batch import Batch, Item
    from collector.ingest.lease import Leases
    from collector.ingest.names import Names
    from collector.ingest.ports import Judge, Registry
    from collector.ingest.quarantine import Quarantine
    from collector.log import Reporter
    from collector.model import Frame, Observation
    from collector.storage.port import Store
    from collector.storage.state import Incarnation


_DISBELIEVED = frozenset({Quality.ANCHORED, Quality.ARRIVAL})  # of a frame that has a time of its own


class WriteStage:
    """Writes points; a frame that the store refuses is refused."""

    name = "write"

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, batch: Batch) -> None:
        """Write the points of every open frame."""
        items = [item for item in batch.open() if item.work.points]
        if not items:
            return
        frames = [item.work.points for item in items]
        batch.late = self._store.late_hours(frames)
        for item, written in zip(items, self._store.write(frames), strict=True):
            if written.reason is not None:
                item.finish(Outcome.REFUSED, written.reason, written.detail)


class CommitStage:
    """Reception, device states, quarantine and what the rules make of it, in one transaction."""

    name = "commit"

    def __init__(  # noqa: PLR0913, PLR0917 - everything that a transaction holds meets here
        self,
        leases: Leases,
        registry: Registry,
        judge: Judge,
        quarantine: Quarantine,
        names: Names,
        reporter: Reporter,
        clock: Clock,
    ) -> None:
        self._leases = leases
        self._registry = registry
        self._judge = judge
        self._quarantine = quarantine
        self._names = names
        self._reporter = reporter
        self._clock = clock

    def __call__(self, batch: Batch) -> None:
        """Commit the batch."""
        session = batch.database()
        self._leases.check(session, batch.shards)
        twice: list[str] = []
        ledgers = Ledgers()
        for item in batch.items:
            if item.frame is not None and item.work.incarnation is not None:
                twice += self._take(batch, ledgers, item, item.frame, item.work.incarnation)
        ledgers.write()
        for device in sorted(set(self._quarantine.keep(session, batch.items))):
            self._reporter.problem("held_full", f"{device}: no room to hold more tables for requeue")
        self._names.save(session)
        means.note(session, batch.late, self._clock.now_ms())
        session.flush()
        doubts = suspicion.doubts(batch.items)
        doubts.update((device, suspicion.CLONE) for device in twice)
        self._tell_rules(batch, doubts)
        session.commit()
        self._names.saved()

    def _take(self, batch: Batch, ledgers: Ledgers, item: Item, frame: Frame, row: Incarnation) -> list[str]:
        """Take a frame into the state; return its device when it shows that its key is in use twice."""
        state = _state_of(batch, frame.device)
        changed, cloned = None, False
        if frame.seq is None:
            changed = sessions.advance(frame, row.order, state)
            item.finish(Outcome.STORED if changed else Outcome.DUPLICATE)
        elif item.work.new:
            if item.verdict is None:
                item.finish(Outcome.STORED)
            ledger = ledgers.of(frame, row)
            live = clones.is_live(item, frame, ledger)
            ledger.take(item, frame)
            ledgers.standing(state).take(item, frame, row)
            changed = sessions.advance(frame, row.order, state)
            cloned = live and clones.hear(batch.database(), frame, row, state)
        self._observe(item, frame, changed)
        return [frame.device] if cloned else []

    def _observe(self, item: Item, frame: Frame, changed: Born | Died | None) -> None:
        """Put what the rules are told in order: it came, a session began, readings, it ended.

        Of a refused frame they see no readings: nobody could look them up.
        """
        site = self._registry.site_of(frame.device, frame.arrival_ms)
        refused = item.verdict is not None and item.verdict.outcome is Outcome.REFUSED
        readings = [] if refused else item.work.observations
        told: list[Observation] = []
        if item.work.new:
            told.append(Arrival(frame.device, frame.arrival_ms))
        if isinstance(changed, Born):
            told.append(changed)
        ended = [changed] if isinstance(changed, Died) else []
        if frame.wall_ms is not None and item.work.quality in _DISBELIEVED and item.work.current:
            told.append(ClockFault(frame.device, frame.arrival_ms, frame.wall_ms - item.work.time_ms))
        begin = [(site, what) for what in told] if site else []
        end: list[tuple[str, Observation]] = [(site, what) for what in ended] if site else []
        item.work.observations = [*begin, *readings, *end]

    def _tell_rules(self, batch: Batch, doubts: Counter[tuple[str, str]]) -> None:
        told: dict[str, list[Observation]] = {}
        for item in batch.items:
            for site, observation in item.work.observations:
                told.setdefault(site, []).append(observation)
        now_ms = self._clock.now_ms()
        for site, suspects in suspicion.by_site(doubts, now_ms, self._registry.site_of).items():
            told.setdefault(site, []).extend(suspects)
        session = batch.database()
        # one query for all; while they are held here, the rules find them in the session
        memories = session.scalars(select(RuleState).where(RuleState.site_id.in_(told))).all()
        if not self._judge_all(session, told, now_ms):
            for site, observations in told.items():
                self._judge_one(session, site, observations, now_ms)
        del memories

    def _judge_all(self, session: Session, told: dict[str, list[Observation]], now_ms: int) -> bool:
        """Judge all sites under one savepoint; False when a rule failed, and then nothing was done."""
        try:
            with session.begin_nested():
                for site, observations in told.items():
                    self._judge.observe(session, site, observations, now_ms)
        except OperationalError:  # the database, not the rule: the batch comes again
            raise
        except Exception:  # noqa: BLE001 - each site under its own savepoint finds and reports the one
            return False
        return True

    def _judge_one(self, session: Session, site: str, observations: list[Observation], now_ms: int) -> None:
        try:
            with session.begin_nested():
                self._judge.observe(session, site, observations, now_ms)
        except OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 - a rule that fails on one site must not stop the readings of all
            self._reporter.problem("rules_failed", f"{site}: {type(error).__name__}: {error}")


def _state_of(batch: Batch, device: str) -> DeviceState:
    state = batch.states.get(device)
    if state is None:
        state = batch.states[device] = DeviceState(
            device_id=device, incarnation_order=-1, seq=-1, session_order=-1, session=-1,
            session_phase="none", hello={},
        )  # fmt: skip
        batch.database().add(state)
    return state
