from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.chain import Chain


@pytest.fixture(scope="module")
def chain(
    tmp_path_factory: pytest.TempPathFactory, mosquitto_bin: str, influxd_bin: str, upsd_tools: dict[str, str]
) -> Iterator[Chain]:
    """Everything running; a test leaves it as it found it."""
    folder: Path = tmp_path_factory.mktemp("chain")
    chain = Chain(folder, mosquitto_bin, influxd_bin, upsd_tools)
    try:
        chain.start()
        yield chain
    finally:
        chain.stop()
