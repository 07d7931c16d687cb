"""What the rules concluded is in the store: every change once, states when they change and each minute."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy.orm import Session

from agent.wire import topics
from collector.config import parse
from collector.errors import StoreUnavailableError
from collector.log import Reporter
from collector.metrics import Metrics
from collector.storage.chronicle import PAUSE_MS, REPEAT_MS, Chronicle
from collector.storage.embedded import EmbeddedStore
from collector.storage.port import SeriesQuery
from collector.storage.state import Base, Incident, IncidentChange, RuleState, Site, open_engine

NOW = 1_772_000_000_000
SITE = "cdc-el-cuernito"
MINE = topics.shard_of(SITE)


class Clock:
    def now_ms(self) -> int:
        return NOW

    def mono(self) -> float:
        return NOW / 1000


class Bench:
    def __init__(self, tmp_path: Path) -> None:
        self.engine = open_engine(f"sqlite:///{tmp_path}/state.db")
        Base.metadata.create_all(self.engine)
        with Session(self.engine) as session, session.begin():
            session.add(Site(id=SITE, name_es="x", name_en="x", kind="library"))
            session.flush()
            session.add(RuleState(site_id=SITE, status="ok", state={}, updated_ms=NOW))
            incident = Incident(
                id=7,
                site_id=SITE,
                condition="supply_lost",
                severity="critical",
                started_ms=NOW,
                opened_ms=NOW,
            )
            session.add(incident)
            session.flush()
            session.add(IncidentChange(incident_id=7, at_ms=NOW + 1, kind="opened"))
        self.store = EmbeddedStore(parse({"store": {"kind": "embedded"}}, tmp_path).store, Clock())
        self.store.provision()
        self.metrics = CollectorRegistry()

    def chronicle(self, shards: str = MINE) -> Chronicle:
        return Chronicle(self.engine, self.store, Reporter("test", Metrics(CollectorRegistry())), shards)

    def change(self, kind: str, at_ms: int) -> None:
        with Session(self.engine) as session, session.begin():
            session.add(IncidentChange(incident_id=7, at_ms=at_ms, kind=kind))

    def status(self, status: str) -> None:
        with Session(self.engine) as session, session.begin():
            session.get_one(RuleState, SITE).status = status

    def points(self, measurement: str, field: str) -> list[tuple[int, float]]:
        found = self.store.series(SeriesQuery(SITE, measurement, (field,), NOW - 1, NOW + 10**7))
        return [point for series in found for point in series.points]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_each_change_of_an_incident_is_one_point_even_when_written_twice(bench: Bench) -> None:
    bench.chronicle().write(NOW + 10)
    bench.chronicle().write(NOW + 20)
    assert bench.points("power_event", "value") == [(NOW + 1, 1.0)]
    bench.change("acknowledged", NOW + 25)
    bench.change("cleared", NOW + 30)
    bench.chronicle().write(NOW + 40)
    assert bench.points("power_event", "value") == [(NOW + 1, 1.0), (NOW + 30, 0.0)]


def test_a_state_is_written_when_it_changes_and_again_after_a_minute(bench: Bench) -> None:
    chronicle = bench.chronicle()
    for at_ms in (NOW, NOW + 1000, NOW + REPEAT_MS):
        chronicle.write(at_ms)
    bench.status("dark")
    chronicle.write(NOW + REPEAT_MS + 1000)
    assert bench.points("site_state", "dark") == [
        (NOW, 0.0),
        (NOW + REPEAT_MS, 0.0),
        (NOW + REPEAT_MS + 1000, 1.0),
    ]
    assert {value for _, value in bench.points("site_state", "supply_lost")} == {1.0}


def test_another_workers_sites_are_left_to_it(bench: Bench) -> None:
    bench.chronicle("".join(shard for shard in topics.SHARDS if shard != MINE)).write(NOW)
    assert bench.points("site_state", "status") == []
    assert bench.points("power_event", "value") == []
    bench.chronicle().write(NOW)
    assert bench.points("power_event", "value") == [(NOW + 1, 1.0)]


def test_what_a_store_did_not_take_is_written_when_it_answers_again(bench: Bench, monkeypatch) -> None:
    chronicle = bench.chronicle()
    with monkeypatch.context() as broken:

        def refuse(_frames: object) -> None:
            raise StoreUnavailableError("no answer")

        broken.setattr(bench.store, "write", refuse)
        chronicle.write(NOW)
    chronicle.write(NOW + PAUSE_MS - 1)
    assert bench.points("power_event", "value") == []
    chronicle.write(NOW + PAUSE_MS)
    assert bench.points("power_event", "value") == [(NOW + 1, 1.0)]
