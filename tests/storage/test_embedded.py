"""What only the embedded store has: two processes, old rows that become means, files that fail."""

from __future__ import annotations

import subprocess
import sys

import pytest

from collector.config import EmbeddedConfig, StoreConfig
from collector.errors import StoreUnavailableError
from collector.model import Point
from collector.storage.embedded import EmbeddedStore
from collector.storage.port import SeriesQuery
from tests.ingest.world import START_MS, SteppedClock

DAY_MS = 86_400_000
READ = """
import sys, pathlib
from collector.clock import SystemClock
from collector.config import EmbeddedConfig, StoreConfig
from collector.storage.embedded import EmbeddedStore
config = StoreConfig(kind="embedded", embedded=EmbeddedConfig(path=pathlib.Path(sys.argv[1])))
store = EmbeddedStore(config, SystemClock())
print(store.latest()[0].fields)
store.close()
"""


@pytest.fixture
def clock():
    return SteppedClock()


@pytest.fixture
def store(tmp_path, clock):
    config = StoreConfig(kind="embedded", embedded=EmbeddedConfig(path=tmp_path / "readings.db"))
    made = EmbeddedStore(config, clock)
    yield made
    made.close()


def load(time_ms, value):
    return Point("system", (("device", "r1"), ("site", "casa")), (("load1", value), ("n_cpus", 4)), time_ms)


def series(store, start_ms, stop_ms, field="load1"):
    found = store.series(SeriesQuery("casa", "system", (field,), start_ms, stop_ms))
    return [point for one in found for point in one.points]


def test_another_process_reads_what_was_written(store, tmp_path):
    store.write([[load(START_MS, 0.5)]])
    done = subprocess.run(
        [sys.executable, "-c", READ, str(tmp_path / "readings.db")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "{'load1': 0.5, 'n_cpus': 4}"


def test_old_rows_become_means_and_then_go(store, clock):
    window = START_MS - START_MS % 300_000
    store.write([[load(window + n * 1000, float(n)) for n in range(5)]])
    clock.step(36 * DAY_MS)
    store.write([[load(clock.now_ms(), 9.0)]])
    assert series(store, window, window + 300_000) == [(window, 2.0)]
    # a frame that comes even later is counted in
    store.write([[load(window + 60_000, 8.0)]])
    clock.step(700_000)
    store.write([[load(clock.now_ms(), 9.0)]])
    assert series(store, window, window + 300_000) == [(window, 3.0)]
    clock.step(2000 * DAY_MS)
    store.write([[load(clock.now_ms(), 9.0)]])
    assert series(store, window, window + 300_000) == []


def test_types_are_remembered_by_a_new_process(tmp_path, store, clock):
    store.write([[load(START_MS, 0.5)]])
    store.close()
    again = EmbeddedStore(
        StoreConfig(kind="embedded", embedded=EmbeddedConfig(path=tmp_path / "readings.db")), clock
    )
    [answer] = again.write([[load(START_MS, 1)]])
    assert answer.reason == "type_conflict"
    again.close()


def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path, clock):
    config = StoreConfig(kind="embedded", embedded=EmbeddedConfig(path=tmp_path / "missing" / "readings.db"))
    store = EmbeddedStore(config, clock)
    with pytest.raises(StoreUnavailableError, match="readings"):
        store.check()
    with pytest.raises(StoreUnavailableError):
        store.write([[load(START_MS, 0.5)]])
    store.close()
