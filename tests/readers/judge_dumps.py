"""Judge the sanitising of UPS values on labelled dumps: ``python -m tests.readers.judge_dumps <folder>``.

A dump is a file of ``variable: value`` lines, as NUT's device dumps library keeps them; a comment ``#BAD`` at
a value says that its maintainers know it to be wrong. Said are the values flagged without such a mark (false
alarms), those marked and not flagged (misses), and precision and recall: of all, and "leaving one out", with
every finding withheld whose reason no *other* dump bears out for the same variable. That is what rules made
after one device are worth for others. Bounds that hold for any UPS are withheld too where only one dump
breaks them, so this figure errs on the low side.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from agent.readers.ups_sane import sanitise
from tests.bench.say import say


class Verdict(NamedTuple):
    """One variable that is marked, flagged or both; ``reason`` is empty when it is not flagged."""

    dump: str
    variable: str
    value: str
    marked: bool
    reason: str


def parse(text: str) -> tuple[dict[str, str], set[str]]:
    """Return the variables of a dump, and the names of those that are marked."""
    texts, marked = {}, set()
    for line in text.splitlines():
        name, colon, rest = line.partition(":")
        if line.startswith("#") or not colon:
            continue
        value, _, comment = rest.partition("#")
        texts[name.strip()] = value.strip()
        if comment.startswith("BAD"):
            marked.add(name.strip())
    return texts, marked


def judge(name: str, text: str) -> list[Verdict]:
    """Return what there is to say of one dump."""
    texts, marked = parse(text)
    flagged = sanitise(texts)[1]
    return [
        Verdict(name, variable, texts[variable], variable in marked, flagged.get(variable, ""))
        for variable in sorted(marked | set(flagged))
    ]


def score(verdicts: list[Verdict]) -> str:
    """Return counts, precision and recall in one line."""
    right = sum(1 for one in verdicts if one.marked and one.reason)
    flagged = sum(1 for one in verdicts if one.reason)
    marked = sum(1 for one in verdicts if one.marked)
    precision, recall = right / flagged if flagged else 1.0, right / marked if marked else 1.0
    counts = f"{right} right of {flagged} flagged and {marked} marked"
    return f"{counts}: precision {precision:.2f} recall {recall:.2f}"


def left_out(verdicts: list[Verdict]) -> list[Verdict]:
    """Return the verdicts without the findings whose reason no other dump bears out for that variable."""
    support: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in verdicts:
        if one.marked and one.reason:
            support[one.reason, one.variable].add(one.dump)
    return [
        one if support[one.reason, one.variable] - {one.dump} else one._replace(reason="") for one in verdicts
    ]


def main(arguments: list[str]) -> int:
    """Judge every file of the folder that is named."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        say(__doc__ or "")
        return 2
    files = sorted(path for path in Path(arguments[0]).iterdir() if path.is_file())
    verdicts = [
        one for path in files for one in judge(path.name, path.read_text(encoding="utf-8", errors="replace"))
    ]
    for one in verdicts:
        if one.marked != bool(one.reason):
            kind = "miss       " if one.marked else "false alarm"
            say(f"{kind}  {one.dump}  {one.variable}: {one.value}  {one.reason}")
    say(f"{len(files)} dumps, {score(verdicts)}")
    say(f"leaving one out, {score(left_out(verdicts))}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
