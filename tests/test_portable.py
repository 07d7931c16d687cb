"""The portable tests pass on CPython, on the real MicroPython, and on a big-endian MIPS build of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RUNNER = "tests/portable/run.py"
MODULES = sorted(path.stem for path in (ROOT / "tests" / "portable").glob("test_*.py"))


def run(interpreter: list[str], module: str, folder: Path) -> str:
    """Run one module; return its last line after checking that nothing failed."""
    done = subprocess.run(
        [*interpreter, RUNNER, module],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize("module", MODULES)
def test_on_cpython(module: str, tmp_path: Path) -> None:
    assert run([sys.executable, "-W", "error"], module, tmp_path).endswith(" passed, 0 failed")


@pytest.mark.server
@pytest.mark.parametrize("module", MODULES)
def test_on_micropython(module: str, tmp_path: Path, micropython_bin: str) -> None:
    assert run([micropython_bin], module, tmp_path).endswith(" passed, 0 failed")


SHORT = ("test_cbor", "test_p256", "test_spool", "test_mqtt_codec")  # bytes, numbers, files


@pytest.mark.server
@pytest.mark.parametrize(
    "module", [name if name in SHORT else pytest.param(name, marks=pytest.mark.mips) for name in MODULES]
)
def test_on_mips(module: str, tmp_path: Path, micropython_mips: list[str]) -> None:
    """Another byte order, another word size, other numbers of the kernel, no ffi."""
    assert run(micropython_mips, module, tmp_path).endswith(" passed, 0 failed")


@pytest.mark.server
def test_what_is_synced_is_synced_without_ffi(tmp_path: Path, micropython_mips: list[str]) -> None:
    """qemu-user shows the system calls: the file's fsync, then the folder's."""
    qemu, binary = micropython_mips
    program = "from agent.ports.files import Files; Files().append('a', b'1', sync=True)"
    done = subprocess.run(
        [qemu, "-strace", binary, "-c", f"import sys; sys.path[0] = {str(ROOT)!r}; {program}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert len([line for line in done.stderr.splitlines() if " fsync(" in line and "= 0" in line]) == 2


@pytest.mark.server
def test_both_interpreters_run_the_same_tests(tmp_path: Path, micropython_bin: str) -> None:
    both = [run(each, "test_cbor", tmp_path) for each in ([sys.executable], [micropython_bin])]
    assert both[0] == both[1]


@pytest.mark.parametrize(
    ("body", "status", "last"),
    [
        ("def test_a(): pass\nasync def test_b(): pass\n", 0, "2 passed, 0 failed"),
        ("def test_a(): assert False\n", 1, "0 passed, 1 failed"),
        ("async def test_a(): assert False\n", 1, "0 passed, 1 failed"),
        ("def other(): pass\n", 1, "0 passed, 0 failed"),
    ],
)
def test_the_runner_tells_failures(body: str, status: int, last: str, tmp_path: Path) -> None:
    folder = tmp_path / "tests" / "portable"
    folder.mkdir(parents=True)
    for each in (folder, folder.parent):
        (each / "__init__.py").write_text("")
    (folder / "run.py").write_text((ROOT / RUNNER).read_text())
    (folder / "test_one.py").write_text(body)
    done = subprocess.run(
        [sys.executable, str(folder / "run.py")], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.strip().splitlines()[-1]) == (status, last)
