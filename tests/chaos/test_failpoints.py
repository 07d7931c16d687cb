from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from collector import failpoints
from collector.errors import ConfigError

PASSES = """
from collector import failpoints
told = failpoints.armed()
for n in range(1, 5):
    for stage in ("write", "commit"):
        print(n, stage, flush=True)
        told(stage)
"""


def test_nothing_unless_set(monkeypatch):
    monkeypatch.delenv(failpoints.VARIABLE, raising=False)
    assert failpoints.armed() is None


@pytest.mark.parametrize(
    "said", ["commit:3", "after_commit", "after_commit:", "after_commit:0", "after_commit:x"]
)
def test_nonsense_is_refused(monkeypatch, said):
    monkeypatch.setenv(failpoints.VARIABLE, said)
    with pytest.raises(ConfigError, match="is not after_<stage>:<n>"):
        failpoints.armed()


def test_kills_the_process_after_the_nth_end_of_the_stage():
    done = subprocess.run(
        [sys.executable, "-c", PASSES],
        env={failpoints.VARIABLE: "after_commit:2"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.splitlines() == ["1 write", "1 commit", "2 write", "2 commit"]
    assert done.stderr == "failpoint after_commit\n"
