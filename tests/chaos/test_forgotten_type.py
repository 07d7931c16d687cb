"""A store that forgot a field's type is told from a conflict that nobody refused."""

from __future__ import annotations

import pytest

from collector import config as configuration
from collector.clock import SystemClock
from collector.config import StoreConfig
from collector.storage.influx import InfluxStore
from collector.storage.influx_http import LineWriter
from simulators.chaos import centre, readers


@pytest.mark.server
def test_only_a_store_that_knows_the_other_type_has_forgotten(influx, tmp_path, monkeypatch):
    monkeypatch.setattr(centre, "TOKEN", influx.token)
    monkeypatch.setattr(centre, "ORG", influx.org)
    measurement, field = readers.CONFLICT
    found = []
    for value in ("1i", "1.5"):
        bucket = influx.config()
        store = InfluxStore(StoreConfig(influx=bucket), influx.token, SystemClock())
        store.provision()
        store.close()
        config = configuration.parse({}, tmp_path).model_copy(update={"store": StoreConfig(influx=bucket)})
        writer = LineWriter(bucket, influx.token)
        writer.write(bucket.bucket, f"{measurement},device=d {field}={value}".encode())
        writer.close()
        found.append(centre.has_forgotten_type(config))
    assert found == [False, True]
