"""The compiled agent in a heap of 256 KiB: nothing grows, and a long outage fits."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.micropython.conftest import INTERPRETERS

START = Path(__file__).with_name("start.py")
pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]


def soak(command: list[str], folder: Path, config: Path, what: str, number: int) -> dict[str, Any]:
    done = subprocess.run(
        [*command, "-X", "heapsize=256k", str(START), str(folder), str(config), what, str(number)],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
        cwd="/",
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_ten_thousand_samples_leave_nothing_behind(interpreter: Any, folder: Path, config: Path) -> None:
    said = soak(interpreter(), folder, config, "samples", 10_000)
    assert said["acked"] >= said["sealed"] - 20
    assert said["dropped"] == {}
    assert said["last"] - said["low"] < 1024


@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_an_outage_of_hours_fits_and_returns(interpreter: Any, folder: Path, config: Path) -> None:
    """The index is bounded: what is over it is thinned and counted, the rest comes home after a restart."""
    away = soak(interpreter(), folder, config, "offline", 400)
    assert away["troubles"] == 0
    assert away["spooled"] > 100
    assert away["dropped"] == {"data": away["sealed"] - away["spooled"]}
    back = soak(interpreter(), folder, config, "return", 0)
    assert (back["spooled"], back["boot"], back["troubles"]) == (0, 2, 0)
    assert back["acked"] + back["dropped"].get("data", 0) >= away["spooled"]
