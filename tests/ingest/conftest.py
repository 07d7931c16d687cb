from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.ingest.world import Sealer, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def device() -> Sealer:
    return Sealer()


@pytest.fixture
def world(tmp_path: Path, device: Sealer) -> Iterator[World]:
    made = World(tmp_path, [device])
    yield made
    made.close()
