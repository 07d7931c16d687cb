"""Which lines of the modules under test a corpus reaches; prints one JSON object.

A process of its own: coverage has to watch the modules from their import on, without the engine's own
instrumentation.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import coverage

from tests.fuzz.worker import MODULES

ROOT = Path(__file__).resolve().parent.parent.parent


def inputs(folders: list[Path]) -> list[bytes]:
    """Return all inputs of these folders."""
    return [path.read_bytes() for folder in folders for path in sorted(folder.iterdir()) if path.is_file()]


def path_of(module: str) -> str:
    return str(ROOT / (module.replace(".", "/") + ".py"))


def measure(folders: list[Path]) -> dict[str, Any]:
    """Run the inputs; return lines, reached lines and missing lines of every module."""
    cover = coverage.Coverage(data_file=None, config_file=False, include=[path_of(name) for name in MODULES])
    cover.exclude("if TYPE_CHECKING:")
    cover.start()
    from tests.fuzz.target import Target

    target = Target()
    for data in inputs(folders):
        target.run(data)
    cover.stop()
    found = {}
    for name in MODULES:
        _, lines, _, missing, _ = cover.analysis2(path_of(name))
        found[name] = {"lines": len(lines), "reached": len(lines) - len(missing), "missing": missing}
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure([Path(name) for name in sys.argv[1:]])) + "\n")
