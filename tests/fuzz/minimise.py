"""``python -m tests.fuzz.minimise SEEDS CORPUS...``: keep of all inputs the shortest that reach everything.

What is reached are the steps from line to line in the modules under test, the way an input was wrong and the
way it ended.
``SEEDS`` is emptied and filled anew.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.fuzz import seeds
from tests.fuzz.cover import inputs, path_of
from tests.fuzz.recipe import Recipe
from tests.fuzz.target import Target
from tests.fuzz.worker import MODULES

if TYPE_CHECKING:
    from types import FrameType

Reached = set[tuple[Any, ...]]
_FILES = {path_of(name) for name in MODULES}


class Tracer:
    """Collects the steps that one input takes."""

    def __init__(self) -> None:
        self.reached: Reached = set()

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> Any:
        """Entering a function of interest."""
        if frame.f_code.co_filename not in _FILES:
            return None
        before = frame.f_lineno

        def step(frame: FrameType, event: str, _argument: Any) -> Any:
            nonlocal before
            if event == "line":
                self.reached.add((frame.f_code.co_filename, before, frame.f_lineno))
                before = frame.f_lineno
            return step

        return step


def reached(data: bytes) -> Reached:
    """Return what one input reaches."""
    target, tracer = Target(), Tracer()
    sys.settrace(tracer)
    try:
        target.run(data)
    finally:
        sys.settrace(None)
    tally, recipe = target.tally, Recipe.read(data)
    ways = {("style", recipe.style), ("edit", recipe.edit), ("keys", recipe.pair, recipe.kid)}
    ends = {(mode, reason, tally.accepted) for mode in tally.modes for reason in (*tally.reasons, "")}
    return tracer.reached | ends | ways


def fewest(candidates: list[bytes]) -> list[bytes]:
    """Return the shortest inputs that together reach what all of them do."""
    kept: list[tuple[bytes, Reached]] = []
    known: Reached = set()
    for data in sorted(set(candidates), key=lambda data: (len(data), data)):
        found = reached(data)
        if found - known:
            known |= found
            kept.append((data, found))
    for entry in list(kept):  # what later ones reach too is not needed
        others = set().union(*(found for other, found in kept if other is not entry[0]))
        if not entry[1] - others:
            kept.remove(entry)
    return [data for data, _ in kept]


def main(folder: Path, corpora: list[Path]) -> None:
    """Rewrite the folder of seeds."""
    beginning = [recipe.write() for recipe in seeds.recipes()]
    kept = fewest(beginning + inputs([folder, *corpora]))
    for stale in folder.iterdir():
        stale.unlink()
    for data in kept:
        (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    sys.stdout.write(f"{len(kept)} seeds, {sum(map(len, kept))} bytes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
