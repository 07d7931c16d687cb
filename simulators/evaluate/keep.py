"""What came of scenarios, kept as they end: a long evaluation that was broken off goes on where it was.

A file of one JSON line for each. A line counts only for the same scenario, judged in the same way by the same
code: all that is in the key, and another key is run again. A torn last line is run again as well.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from collector.model import Cause
from simulators.evaluate.score import Notice, Run, Saying, Truth, What, Word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parents[2]
CODE: Final = ("agent", "collector", "simulators")  # what an outcome depends on

Row = dict[str, Any]


def code() -> str:
    """Return a digest of the code."""
    digest = hashlib.sha256()
    for path in sorted(path for name in CODE for path in (ROOT / name).rglob("*.py")):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def key(path: Path, ways: Sequence[str], world: Mapping[str, float], of_code: str) -> str:
    """Name what an outcome depends on."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        text = ""  # whoever runs it will say what is wrong
    told = json.dumps([text, ways, sorted(world.items()), of_code])
    return hashlib.sha256(told.encode()).hexdigest()


class Kept:
    """The file; without one nothing is kept."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._runs: dict[str, tuple[dict[str, Run], float]] = {}
        if file is not None and file.exists():
            self._read(file)

    def get(self, name: str) -> tuple[dict[str, Run], float] | None:
        """Return the outcome of a key, by each way to watch, and how long it took."""
        return self._runs.get(name)

    def put(self, name: str, runs: Mapping[str, Run], seconds: float) -> None:
        """Keep an outcome at once."""
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="utf-8") as out:
                found = {way: dumped(run) for way, run in runs.items()}
                out.write(json.dumps({"key": name, "seconds": round(seconds, 2), "runs": found}) + "\n")

    def _read(self, file: Path) -> None:
        text = file.read_text(encoding="utf-8")
        for line in text.splitlines():
            try:
                row = json.loads(line)
                found = {way: restored(run) for way, run in row["runs"].items()}
                self._runs[row["key"]] = found, float(row["seconds"])
            except (ValueError, KeyError, TypeError):
                continue
        if text and not text.endswith("\n"):
            with file.open("a", encoding="utf-8") as out:
                out.write("\n")


def dumped(run: Run) -> Row:
    """Return a run as JSON can hold it."""
    row = asdict(run)
    for truth in row["truths"]:
        truth["accepted"] = sorted(truth["accepted"])
    return row


def restored(row: Row) -> Run:
    """Return the run that was dumped."""
    return Run(
        row["name"],
        tuple(_truth(one) for one in row["truths"]),
        tuple(_saying(one) for one in row["sayings"]),
        tuple(Notice(**one) for one in row["notices"]),
        row["quiet_site_days"],
    )


def _truth(row: Row) -> Truth:
    accepted = frozenset(Cause(name) for name in row["accepted"])
    return Truth(**row | {"what": What(row["what"]), "cause": Cause(row["cause"]), "accepted": accepted})


def _saying(row: Row) -> Saying:
    words = tuple(Word(**one | {"cause": Cause(one["cause"]), "facts": tuple(one["facts"])})
                  for one in row["words"])  # fmt: skip
    return Saying(**row | {"what": What(row["what"]), "words": words})
