"""``python -m tests.fuzz``: fuzz decode, verify and admit, and say what was reached and found.

Starts the workers, waits for them, measures which lines their corpora reach, prints figures and, as the last
line, one JSON object. Exit code 1 when anything was found or a worker died.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
_COUNTED = ("executions", "parsed", "signed", "accepted", "forged", "wrongly_accepted")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000, help="executions of all workers; 0: no limit")
    parser.add_argument("--seconds", type=float, default=0, help="stop after so many seconds; 0: no limit")
    parser.add_argument("--seeds", type=Path, default=HERE / "seeds", help="folder of inputs to begin with")
    parser.add_argument("--folder", type=Path, help="where corpora, crashes and figures stay")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--seed", type=int, default=1, help="of chance; each worker adds its number")
    parser.add_argument("--engine", choices=("atheris", "plain"), default="atheris", help="plain: unguided")
    return parser.parse_args()


def start(given: argparse.Namespace, folder: Path, number: int) -> subprocess.Popen[bytes]:
    """Start one worker; what it says goes to its log."""
    folder.mkdir(parents=True, exist_ok=True)
    share = -(-given.runs // given.workers)
    command = [
        sys.executable, "-m", "tests.fuzz.worker", "--engine", given.engine, "--runs", str(share),
        "--seconds", str(given.seconds), "--seed", str(given.seed + number),
        "--seeds", str(given.seeds), "--folder", str(folder),
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)


def wait(workers: list[subprocess.Popen[bytes]]) -> int:
    """Wait for the workers; return how many failed. None is left behind."""
    try:
        return sum(worker.wait() != 0 for worker in workers)
    finally:
        for worker in workers:
            if worker.poll() is None:
                worker.terminate()
                worker.wait()


def tally(folders: list[Path]) -> dict[str, Any]:
    """Add up what the workers wrote."""
    total: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    crashes: Counter[str] = Counter()
    for folder in folders:
        written = folder / "tally.json"
        if not written.is_file():
            continue
        figures = json.loads(written.read_text(encoding="utf-8"))
        total.update({name: figures[name] for name in _COUNTED})
        reasons.update(figures["reasons"])
        crashes.update(figures["crashes"])
    return {**{name: total[name] for name in _COUNTED}, "reasons": reasons, "crashes": crashes}


def covered(folders: list[Path]) -> dict[str, Any]:
    """Return the lines that the inputs of these folders reach, by module."""
    command = [sys.executable, "-m", "tests.fuzz.cover", *map(str, folders)]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    if answer.returncode:
        raise SystemExit(f"an input of the corpus fails:\n{answer.stderr}")
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def percent(part: float, whole: float) -> float:
    return round(100 * part / whole, 1) if whole else 0.0


def report(figures: dict[str, Any], lines: dict[str, Any]) -> dict[str, Any]:
    """Print the figures; return the last line."""
    runs = figures["executions"]
    reached = percent(
        sum(one["reached"] for one in lines.values()), sum(one["lines"] for one in lines.values())
    )
    say(f"{runs} executions")
    say(f"  past the COSE parse  {figures['parsed']} ({percent(figures['parsed'], runs)} %)")
    say(f"  past the signature   {figures['signed']} ({percent(figures['signed'], runs)} %)")
    say(f"  taken                {figures['accepted']} ({percent(figures['accepted'], runs)} %)")
    say(f"  forged, well formed  {figures['forged']} ({percent(figures['forged'], runs)} %)")
    say(f"  taken wrongly        {figures['wrongly_accepted']}")
    say("refused: " + ", ".join(f"{name} {times}" for name, times in figures["reasons"].most_common()))
    for name, one in lines.items():
        missing = f"  not: {', '.join(map(str, one['missing']))}" if one["missing"] else ""
        say(f"  {name:28} {percent(one['reached'], one['lines']):5} % of {one['lines']} lines{missing}")
    for place, times in figures["crashes"].items():
        say(f"CRASH {times} x {place}")
    return {
        "runs": runs,
        "past_cose": percent(figures["parsed"], runs),
        "past_signature": percent(figures["signed"], runs),
        "accepted": figures["accepted"],
        "forged": figures["forged"],
        "wrongly_accepted": figures["wrongly_accepted"],
        "coverage": reached,
        "crashes": len(figures["crashes"]),
    }


def run(given: argparse.Namespace, folder: Path) -> int:
    homes = [folder / f"worker-{number}" for number in range(given.workers)]
    failed = wait([start(given, home, number) for number, home in enumerate(homes)])
    figures = tally(homes)
    if not figures["executions"]:
        sys.stderr.write((homes[0] / "log").read_text(encoding="utf-8", errors="replace")[-2000:])
        return 1
    corpora = [home / "corpus" for home in homes if (home / "corpus").is_dir()]
    lines = {} if figures["crashes"] else covered([given.seeds, *corpora])
    last = report(figures, lines)
    say(json.dumps(last | {"crashes": last["crashes"] + failed}))
    return int(bool(last["crashes"] or failed))


def main() -> int:
    given = options()
    if given.folder is not None:
        return run(given, given.folder)
    with tempfile.TemporaryDirectory(prefix="vigia-fuzz-") as folder:
        return run(given, Path(folder))


if __name__ == "__main__":
    sys.exit(main())
