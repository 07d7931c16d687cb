"""The demonstration verifies itself over the public API, on both stores."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.server, pytest.mark.timeout(180)]


@pytest.mark.parametrize("store", ["embedded", "influx"])
def test_the_story_is_told_delivered_and_cleared(store: str, influxd_bin: str, tmp_path: Path) -> None:
    program = Path(sys.executable).parent / "vigia-demo"
    done = subprocess.run(
        [program, "--check", "--store", store, "--dir", str(tmp_path / "demo")],
        env={**os.environ, "VIGIA_INFLUXD": influxd_bin},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures.pop("seconds") <= 120
    assert figures == {
        "devices": 45,
        "alerts_raised": 3,
        "alerts_delivered": 3,
        "alerts_cleared": 3,
        "wrong_cause": 0,
        "ok": True,
    }
