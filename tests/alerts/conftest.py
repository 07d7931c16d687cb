from __future__ import annotations

import pytest

from tests.alerts.bench import Bench


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.close()
