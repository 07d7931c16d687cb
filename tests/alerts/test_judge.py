"""Rules, state and incidents together, inside real transactions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from prometheus_client import CollectorRegistry
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from collector import config as configuration
from collector.errors import ConfigError
from collector.judge import Judge, RuleError
from collector.metrics import Metrics
from collector.model import Arrival, Born, Died
from collector.registry import DeviceEntry, SiteEntry
from collector.storage.state import Incident, IncidentChange, Outbox, RuleState
from tests.alerts.bench import Bench
from tests.rules.test_engine import STEPS
from tests.rules.timeline import T0, ms, ups


class Places:
    """A registry of one site with two devices."""

    def __init__(self) -> None:
        none: dict[str, Any] = dict.fromkeys(("service", "premises", "circuit", "provider", "lat", "lon"))
        self.entry = SiteEntry("casa", "Casa", "House", "culture", 127.0, priority=3, **none)
        self.devices = tuple(
            DeviceEntry(name, "router", "ups:u", "ups:u", None, (("casa", 0, None),)) for name in "ab"
        )

    def site(self, site_id: str) -> SiteEntry | None:
        return self.entry if site_id == "casa" else None

    def sites(self) -> list[SiteEntry]:
        return [self.entry]

    def devices_of(self, site_id: str) -> tuple[DeviceEntry, ...]:
        return self.devices


class Court:
    """A judge over a bench's database; each call is one transaction."""

    def __init__(self, bench: Bench, rules: dict[str, Any] | None = None) -> None:
        self.bench = bench
        channels = {"crew": {"routes": ["crew"]}}
        self.config = configuration.parse(
            {"rules": rules or {}, "alerts": {"channels": channels}}, bench.config.base
        )
        self.restart()

    def restart(self) -> None:
        self.judge = Judge(Places(), self.config, Metrics(CollectorRegistry()))

    def hear(self, second: int, *observations: Any) -> None:
        with Session(self.bench.engine) as session, session.begin():
            self.judge.observe(session, "casa", observations, ms(second))

    def ticks(self, first: int, last: int) -> None:
        for second in range(first, last + 1):
            with Session(self.bench.engine) as session, session.begin():
                self.judge.tick(session, ["casa", "elsewhere"], ms(second))

    def state(self) -> RuleState:
        with Session(self.bench.engine, expire_on_commit=False) as session:
            return session.get_one(RuleState, "casa")


@pytest.fixture
def court(bench):
    return Court(bench)


def test_a_loss_of_supply_becomes_an_incident_and_a_message(court, bench):
    court.hear(0, Arrival("a", ms(0)), Born("a", ms(0), "k1", {"intervals": {"frame": 30_000}}))
    court.hear(2, Arrival("a", ms(2)), ups(2, "OB", input_voltage=0.0, age_input_ms=0))
    assert (court.state().status, court.state().since_ms) == ("degraded", ms(2))
    row = bench.incident()
    assert (row.condition, row.subject, row.severity, row.started_ms) == (
        "supply_lost",
        "a/u",
        "critical",
        ms(2),
    )
    assert bench.outbox() == [("crew", "alert", "pending")]


def test_silence_after_ticks(court, bench):
    court.hear(0, Arrival("a", ms(0)))
    court.ticks(1, 75)
    assert bench.incidents() == []
    court.ticks(76, 76)
    assert (court.state().status, court.state().since_ms) == ("dark", ms(0))
    assert bench.incident().condition == "outage"


def test_a_restart_neither_repeats_nor_forgets(court, bench):
    court.hear(0, Arrival("a", ms(0)), ups(0, "OB"))
    court.restart()
    court.hear(5, Arrival("a", ms(5)), ups(5, "OB"))
    court.ticks(6, 10)
    assert bench.history() == ["opened"]
    assert len(bench.outbox()) == 1


def test_a_collector_that_was_away_blames_nobody(court, bench):
    court.hear(0, Arrival("a", ms(0)))
    court.ticks(1, 5)
    court.restart()
    court.ticks(3600, 3675)
    assert bench.incidents() == []
    court.ticks(3676, 3676)
    assert bench.incident().condition == "outage"


def test_a_pause_in_the_ticks_blames_nobody(court, bench):
    court.hear(0, Arrival("a", ms(0)), Died("a", ms(1)))
    court.ticks(1, 3)
    court.ticks(600, 604)
    assert bench.incidents() == []
    court.ticks(605, 606)
    assert bench.incident().condition == "outage"


def test_a_tick_without_change_writes_nothing(court):
    court.hear(0, Arrival("a", ms(0)))
    court.ticks(1, 20)
    assert court.state().updated_ms == ms(0)


def test_a_transaction_that_is_rolled_back_leaves_nothing(court, bench):
    with Session(bench.engine) as session:
        court.judge.observe(session, "casa", (Arrival("a", ms(0)), ups(0, "OB")), ms(0))
        session.rollback()
    assert bench.incidents() == []
    court.hear(1, Arrival("a", ms(1)), ups(1, "OB"))
    assert len(bench.incidents()) == 1


def test_a_site_that_is_not_in_the_registry_is_left_alone(court, bench):
    with Session(bench.engine) as session:
        assert court.judge.observe(session, "elsewhere", (Arrival("a", ms(0)),), ms(0)) == []


def test_a_broken_memory_stops_its_own_site_only(court, bench):
    court.hear(0, Arrival("a", ms(0)))
    with Session(bench.engine) as session, session.begin():
        session.get_one(RuleState, "casa").state = {"devices": {"a": 5}}
    court.ticks(1, 1)
    with pytest.raises(RuleError, match="casa"):
        court.hear(2, Arrival("a", ms(2)))


def test_thresholds_by_kind_and_site(bench):
    rules = {"kinds": {"culture": {"death_grace_ms": 50_000}}, "sites": {"casa": {"silence_intervals": 1}}}
    court = Court(bench, rules)
    court.hear(0, Arrival("a", ms(0)))
    court.hear(1, Died("a", ms(1)))
    court.ticks(2, 30)
    assert bench.incidents() == []
    court.ticks(31, 31)
    assert len(bench.incidents()) == 1


def test_a_threshold_that_there_is_not_is_a_configuration_error(bench):
    with pytest.raises(ConfigError, match=r"rules\.sites\.casa: unknown threshold 'death_grace'"):
        Court(bench, {"sites": {"casa": {"death_grace": 1}}})


@given(STEPS)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_no_open_condition_is_without_an_incident(bench, steps):
    with Session(bench.engine) as session, session.begin():
        for table in (Outbox, IncidentChange, Incident, RuleState):
            session.execute(delete(table))
    court, now_ms = Court(bench), T0
    for observations, wait in steps:
        now_ms += wait
        with Session(bench.engine) as session, session.begin():
            court.judge.observe(session, "casa", observations, now_ms)
            conditions = session.get_one(RuleState, "casa").state["conditions"].items()
            held = {key for key, entry in conditions if entry["phase"] in {"raised", "falling"}}
            rows = session.scalars(select(Incident).where(Incident.cleared_ms.is_(None)))
            assert {f"{row.condition}|{row.subject}" for row in rows} == held


@pytest.mark.parametrize(("back_on_line", "told"), [(25, []), (90, ["Aviso", "Recuperado"])])
def test_a_lone_flicker_is_shown_and_not_sent(court, bench, back_on_line, told):
    """The clearing of a flicker waits for no further frame: the hold-off is over before the next one."""
    court.hear(0, Arrival("a", ms(0)), ups(0, "OB"))
    for second in range(1, 240):
        if second == back_on_line:
            court.hear(second, Arrival("a", ms(second)), ups(second, "OL"))
        elif second % 30 == 0:
            court.hear(second, Arrival("a", ms(second)))
        court.ticks(second, second)
        bench.clock.ms = ms(second)
        bench.service.deliver("crew")
    assert bench.crew.kinds == told
    assert bench.incident().status == "closed"
    assert court.state().status == "ok"
