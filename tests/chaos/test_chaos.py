"""Ten runs with every fault: nothing lost, nothing doubled. `make chaos RUNS=200` does more of the same."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from simulators.chaos.plan import WINDOWS

RUNS = 10


@pytest.mark.server
@pytest.mark.timeout(1200)
def test_ten_runs_lose_and_double_nothing(tmp_path, mosquitto_bin, influxd_bin):
    command = [sys.executable, "-m", "simulators.chaos", "--runs", str(RUNS), "--seed", "20"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path)], capture_output=True, text=True, timeout=1180, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    account = json.loads(done.stdout.splitlines()[-1])
    assert account["runs"] == RUNS
    assert (account["lost"], account["doubled"]) == (0, 0)
    ends = ("stored", "refused", "dropped", "power_lost")
    assert account["sealed"] == sum(account[end] for end in ends)
    assert all(account["windows_hit"][window] for window in WINDOWS)
