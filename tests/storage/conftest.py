from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.clock import SystemClock
from collector.config import EmbeddedConfig, StoreConfig
from collector.storage.embedded import EmbeddedStore
from collector.storage.influx import InfluxStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from collector.storage.port import Store


@pytest.fixture(params=["embedded", pytest.param("influx", marks=pytest.mark.server)])
def store(request, tmp_path: Path) -> Iterator[Store]:
    made: Store
    if request.param == "embedded":
        config = StoreConfig(kind="embedded", embedded=EmbeddedConfig(path=tmp_path / "readings.db"))
        made = EmbeddedStore(config, SystemClock())
    else:
        server = request.getfixturevalue("influx")
        made = InfluxStore(StoreConfig(influx=server.config()), server.token, SystemClock())
    made.provision()
    yield made
    made.close()
