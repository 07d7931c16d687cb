"""Opens the store that the configuration names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.clock import SystemClock
from collector.config import secret

if TYPE_CHECKING:
    from collector.clock import Clock
    from collector.config import StoreConfig
    from collector.storage.port import Store


def open_store(config: StoreConfig, clock: Clock | None = None) -> Store:
    """Open the configured store; nothing is sent or created yet. ``ConfigError`` when a secret is missing."""
    clock = clock or SystemClock()
    if config.kind == "embedded":
        from collector.storage.embedded import EmbeddedStore  # noqa: PLC0415 - loads only what is used

        return EmbeddedStore(config, clock)
    from collector.storage.influx import InfluxStore  # noqa: PLC0415 - loads only what is used

    return InfluxStore(config, secret(config.influx.token_file, "VIGIA_INFLUX_TOKEN"), clock)
