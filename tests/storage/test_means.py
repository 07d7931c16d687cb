"""Means of readings that came late: noted with the frames, made again once, whatever happens in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from influxdb_client.client.influxdb_client import InfluxDBClient
from prometheus_client import CollectorRegistry
from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.wire import topics
from collector.clock import SystemClock
from collector.config import StoreConfig
from collector.errors import StoreUnavailableError
from collector.log import Reporter
from collector.metrics import Metrics
from collector.model import Point
from collector.storage.influx import InfluxStore
from collector.storage.means import PATIENCE_MS, SETTLED_MS, Means, note
from collector.storage.points import HOUR_MS
from collector.storage.state import Base, LateHour, open_engine
from tests.ingest.world import START_MS, Sealer, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

HOUR = START_MS - START_MS % HOUR_MS
DAY_MS = 24 * HOUR_MS


@pytest.fixture
def engine(tmp_path) -> Iterator[Engine]:
    made = open_engine(f"sqlite:///{tmp_path / 'state.db'}")
    Base.metadata.create_all(made)
    yield made
    made.dispose()


class Asked:
    """A store that remembers which means were wanted, and does not answer when told so."""

    def __init__(self) -> None:
        self.made: list[tuple[str, int, int]] = []
        self.fails = False
        self.meanwhile: Any = None

    def make_means(self, site: str, start_ms: int, stop_ms: int) -> None:
        if self.fails:
            raise StoreUnavailableError("busy")
        self.made.append((site, (start_ms - HOUR) // HOUR_MS, (stop_ms - HOUR) // HOUR_MS))
        if self.meanwhile:
            self.meanwhile()


def noted(engine, *hours, at_ms=START_MS, site="casa"):
    with Session(engine) as session, session.begin():
        note(session, [(site, HOUR + hour * HOUR_MS) for hour in hours], at_ms)


def waiting(engine):
    with Session(engine) as session:
        return [(row.site_id, (row.hour_ms - HOUR) // HOUR_MS) for row in session.scalars(select(LateHour))]


def means(engine, store, shards=topics.SHARDS):
    return Means(engine, store, Reporter("ingest", Metrics(CollectorRegistry())), shards)


def test_adjacent_hours_are_made_once_nothing_more_comes(engine):
    store = Asked()
    noted(engine, 3, 4, 7)
    noted(engine, 4, 5, at_ms=START_MS + 30_000)
    worker = means(engine, store)
    assert not worker.work(START_MS + SETTLED_MS - 1)
    assert worker.work(START_MS + 30_000 + SETTLED_MS)
    assert worker.work(START_MS + 30_000 + SETTLED_MS)
    assert not worker.work(START_MS + 30_000 + SETTLED_MS)
    assert store.made == [("casa", 3, 6), ("casa", 7, 8)]
    assert waiting(engine) == []


def test_what_keeps_coming_is_not_waited_for_for_ever(engine):
    store = Asked()
    for at_ms in range(START_MS, START_MS + PATIENCE_MS + 1, SETTLED_MS // 2):
        assert not store.made
        noted(engine, 3, at_ms=at_ms)
        means(engine, store).work(at_ms)
    assert store.made == [("casa", 3, 4)]


def test_what_comes_while_means_are_made_makes_them_again(engine):
    store = Asked()
    noted(engine, 3)
    store.meanwhile = lambda: noted(engine, 3, at_ms=START_MS + SETTLED_MS)
    worker = means(engine, store)
    assert worker.work(START_MS + SETTLED_MS)
    store.meanwhile = None
    assert waiting(engine) == [("casa", 3)]
    assert not worker.work(START_MS + SETTLED_MS)
    assert worker.work(START_MS + 2 * SETTLED_MS)
    assert waiting(engine) == []


def test_a_store_that_does_not_answer_is_asked_for_less(engine):
    store = Asked()
    noted(engine, *range(40))
    worker = means(engine, store)
    store.fails = True
    assert not worker.work(START_MS + SETTLED_MS)
    assert len(waiting(engine)) == 40
    store.fails = False
    assert worker.work(START_MS + SETTLED_MS)
    assert store.made == [("casa", 0, 12)]


def test_workers_make_the_sites_of_their_shards(engine):
    store = Asked()
    for site in ("casa", "deportivo"):
        noted(engine, 3, site=site)
    worker = means(engine, store, topics.shard_of("casa"))
    assert worker.work(START_MS + SETTLED_MS)
    assert not worker.work(START_MS + SETTLED_MS)
    assert waiting(engine) == [("deportivo", 3)]


def test_the_ingest_notes_the_hours_of_what_it_stores(tmp_path):
    device = Sealer()
    world = World(tmp_path, [device])
    late = {("casa-cultura", HOUR), ("casa-cultura", HOUR - HOUR_MS)}
    world.store.late_hours = lambda frames: late if any(frames) else set()
    world.take(device.seal("birth", seq=0))
    assert waiting(world.engine) == []
    world.take(device.data(1))
    assert sorted(waiting(world.engine)) == [("casa-cultura", -1), ("casa-cultura", 0)]
    world.close()


# --- the real InfluxDB --------------------------------------------------------------------------------


def load(time_ms, value, site="casa"):
    return Point("system", (("device", "r1"), ("site", site)), (("load1", value),), time_ms)


@pytest.mark.server
def test_readings_three_days_late_appear_in_the_means(influx, engine):
    section, clock = influx.config(), SystemClock()
    store = InfluxStore(StoreConfig(influx=section), influx.token, clock)
    store.provision()
    now_ms = clock.now_ms()
    hour = now_ms - 3 * DAY_MS
    hour -= hour % HOUR_MS
    text = Point("upsd", (("device", "r1"), ("site", "casa")), (("last_transfer", "x"), ("ob", 1)), hour)
    frames = [[load(hour + n * 60_000, float(n)) for n in range(5)], [text], [load(hour, 9.0, "deportivo")]]
    fresh = [load(now_ms, 1.0)]
    assert store.late_hours([*frames, fresh]) == {("casa", hour), ("deportivo", hour)}
    assert not any(written.reason for written in store.write([*frames, fresh]))
    with Session(engine) as session, session.begin():
        note(session, store.late_hours(frames[:2]), now_ms)
    worker = means(engine, store)
    assert worker.work(now_ms + SETTLED_MS)
    expected = {
        ("casa", "load1_mean", hour): 2.0,
        ("casa", "load1_min", hour): 0.0,
        ("casa", "load1_max", hour): 4.0,
        ("casa", "ob_mean", hour): 1.0,
        ("casa", "ob_min", hour): 1.0,
        ("casa", "ob_max", hour): 1.0,
    }
    assert stored(influx, section.long_bucket) == expected
    # more comes, and all is made again: what was there is replaced, nothing stands twice
    store.write([[load(hour + 300_000 - 1, 95.0), load(hour + 300_000, 7.0)]])
    store.make_means("casa", hour, hour + HOUR_MS)
    store.make_means("casa", hour, hour + HOUR_MS)
    again = {("casa", f"load1_{name}", hour + 300_000): 7.0 for name in ("mean", "min", "max")}
    changed = {("casa", "load1_mean", hour): 17.5, ("casa", "load1_max", hour): 95.0}
    assert stored(influx, section.long_bucket) == expected | changed | again
    store.close()


@pytest.mark.server
def test_hours_that_the_raw_bucket_begins_to_lose_keep_their_means(influx):
    clock = SystemClock()
    store = InfluxStore(StoreConfig(influx=influx.config()), influx.token, clock)
    store.provision()
    border = clock.now_ms() - 35 * DAY_MS
    old = border + HOUR_MS + 600_000
    assert store.late_hours([[load(border - DAY_MS, 1.0)], [load(old, 1.0)]]) == set()
    store.make_means("casa", old, old + 60_000)  # nothing happens, and nothing is asked
    store.close()


def stored(influx, bucket) -> dict[tuple[str, str, int], float]:
    with InfluxDBClient(influx.url, token=influx.token, org=influx.org) as client:
        records = client.query_api().query_stream(f'from(bucket: "{bucket}") |> range(start: -40d)')
        return {
            (r["site"], r.get_field(), int(r.get_time().timestamp()) * 1000): r.get_value() for r in records
        }
