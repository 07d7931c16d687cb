from __future__ import annotations

import pytest

from tests.cases import runner


@pytest.mark.parametrize(("reader", "device"), runner.cases())
def test_case_folder(reader, device):
    runner.check(reader, device)
