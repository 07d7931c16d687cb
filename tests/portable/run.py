"""Run portable test modules on whichever interpreter runs this file.

Usage: python|micropython tests/portable/run.py [MODULE ...]

MODULE is a name like ``test_cbor``; without one, every ``test_*.py`` of this folder is run. A module is plain
Python: functions ``test_*`` without arguments, ``async`` or not, that assert. Files go to ``TMPDIR``.
The last line says ``N passed, N failed``; the exit status is 1 when something failed or nothing ran.
"""

import asyncio
import os
import sys

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

_HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path.insert(0, _HERE + "/../..")


def modules() -> list[str]:
    """Return the names of all portable test modules."""
    return sorted(
        [name[:-3] for name in os.listdir(_HERE) if name.startswith("test_") and name.endswith(".py")]
    )


def run_function(function: "Any") -> None:
    """Call one test; what it returns is run to its end when it is a coroutine."""
    result = function()
    if hasattr(result, "send"):
        asyncio.run(result)


def run_module(name: str) -> tuple[int, int]:
    """Run the tests of one module; return how many passed and failed."""
    package = __import__("tests.portable." + name)
    module = getattr(package.portable, name)
    passed = failed = 0
    for test in sorted([each for each in dir(module) if each.startswith("test_")]):
        try:
            run_function(getattr(module, test))
            passed += 1
        except Exception as error:  # noqa: BLE001 - whatever a test raises is its failure
            failed += 1
            print("FAILED " + name + "." + test)
            show(error)
    return passed, failed


def show(error: Exception) -> None:
    """Print an exception with its traceback."""
    if hasattr(sys, "print_exception"):  # MicroPython
        sys.print_exception(error)
    else:
        sys.excepthook(type(error), error, error.__traceback__)


def main(names: list[str]) -> int:
    """Run the named modules, or all; return the exit status."""
    passed = failed = 0
    for name in names or modules():
        good, bad = run_module(name)
        passed += good
        failed += bad
    print(str(passed) + " passed, " + str(failed) + " failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
