"""What only InfluxDB has: outages, a wrong token, buckets with retention, the task that makes the means."""

from __future__ import annotations

import time

import pytest
from influxdb_client.client.influxdb_client import InfluxDBClient

from collector.clock import SystemClock
from collector.config import StoreConfig
from collector.errors import StoreUnavailableError
from collector.model import Point
from collector.storage import influx_lines
from collector.storage.influx import InfluxStore
from collector.storage.port import SeriesQuery
from tests.servers.ports import free_port
from tests.servers.wait import until


def load(time_ms, value):
    return Point("system", (("device", "r1"), ("site", "casa")), (("load1", value),), time_ms)


def test_lines():
    tags = (("device", "r1"), ("site", "a b"), ("ups_name", "x,y=z"))
    fields = (("ob", 1), ("flag", True), ("last_transfer", '"\\'))
    line = influx_lines.encode([Point("upsd", tags, fields, 5), load(6, 1e-9)])
    assert line.decode().splitlines() == [
        r'upsd,device=r1,site=a\ b,ups_name=x\,y\=z ob=1i,flag=true,last_transfer="\"\\" 5',
        "system,device=r1,site=casa load1=1e-09 6",
    ]


def test_nobody_there():
    config = StoreConfig.model_validate({"influx": {"url": f"http://127.0.0.1:{free_port()}"}})
    store = InfluxStore(config, "token", SystemClock())
    for call in (
        store.provision,
        store.check,
        store.latest,
        lambda: store.write([[load(1_760_000_000_000, 1.0)]]),
    ):
        with pytest.raises(StoreUnavailableError, match="InfluxDB at http://127"):
            call()
    store.close()


@pytest.mark.server
def test_a_wrong_token_or_a_missing_bucket_loses_nothing(influx):
    now_ms = time.time_ns() // 1_000_000
    config = StoreConfig(influx=influx.config())
    wrong = InfluxStore(config, "wrong", SystemClock())
    missing = InfluxStore(config, influx.token, SystemClock())
    for store in (wrong, missing):
        with pytest.raises(StoreUnavailableError):
            store.write([[load(now_ms, 1.0)]])
        with pytest.raises(StoreUnavailableError):
            store.check()
        store.close()


@pytest.mark.server
def test_buckets_keep_what_the_configuration_says(influx):
    section = influx.config()
    first = StoreConfig(influx=section, raw_retention_days=35)
    store = InfluxStore(first, influx.token, SystemClock())
    assert len(store.provision()) == 3
    store.close()
    second = InfluxStore(StoreConfig(influx=section, raw_retention_days=50), influx.token, SystemClock())
    assert second.provision() == [f"store: bucket {section.bucket} now keeps 50 days"]
    assert second.provision() == []
    second.close()


@pytest.mark.server
def test_the_task_makes_means_minima_and_maxima(influx):
    section = influx.config()
    store = InfluxStore(StoreConfig(influx=section), influx.token, SystemClock())
    store.provision()
    now_ms = time.time_ns() // 1_000_000
    window = now_ms - now_ms % 300_000 - 3_600_000
    text = Point("upsd", (("device", "r1"), ("site", "casa")), (("last_transfer", "x"), ("ob", 1)), window)
    store.write([[load(window + n * 60_000, float(n)) for n in range(5)], [text]])
    with InfluxDBClient(influx.url, token=influx.token, org=influx.org) as client:
        [task] = client.tasks_api().find_tasks(name=section.long_bucket)
        client.tasks_api().run_manually(task.id)
        query = f'from(bucket: "{section.long_bucket}") |> range(start: -6h)'

        def made():
            records = client.query_api().query_stream(query)
            return {(r.get_field(), r.get_time().timestamp() * 1000): r.get_value() for r in records}

        until(lambda: len(made()) == 6, "the task")
        assert made() == {
            ("load1_mean", window): 2.0,
            ("load1_min", window): 0.0,
            ("load1_max", window): 4.0,
            ("ob_mean", window): 1.0,
            ("ob_min", window): 1.0,
            ("ob_max", window): 1.0,
        }
    store.close()


@pytest.mark.server
def test_old_ranges_are_read_from_the_means(influx):
    section = influx.config()
    store = InfluxStore(StoreConfig(influx=section), influx.token, SystemClock())
    store.provision()
    old = (time.time_ns() // 1_000_000 - 60 * 86_400_000) // 300_000 * 300_000
    mean = Point("system", (("device", "r1"), ("site", "casa")), (("load1_mean", 3.5),), old)
    assert store.write([[mean]])[0].reason is None
    [series] = store.series(SeriesQuery("casa", "system", ("load1",), old, old + 600_000, every_ms=600_000))
    assert series.points == [(old - old % 600_000, 3.5)]
    store.close()
