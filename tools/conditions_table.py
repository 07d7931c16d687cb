"""Write ``docs/conditions.md`` from the catalogue of the rules and the phrases that people read.

Usage: python tools/conditions_table.py [FILE]. A test holds the page to the catalogue.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from collector.alerts import phrases_en, phrases_es  # noqa: E402 - run as a script, not from the path
from collector.rules import catalogue  # noqa: E402 - same
from collector.rules.uses import USES  # noqa: E402 - same

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from collector.rules.catalogue import Condition, Threshold

HOLD_OFFS = {1: "as set", 2: "twice"}
INTRODUCTION = """# Conditions

Generated from `collector/rules/catalogue.py` by `python tools/conditions_table.py`; do not edit.

A condition is what the rules say of a site. It opens and ends by the thresholds below, with hysteresis both
ways, and every one of them can be set for all (`[rules.thresholds]`), per kind of facility
(`[rules.kinds.<kind>]`) and per facility (`[rules.sites.<id>]`). What is told to whom:

- **Severity**: `info` is recorded and shown; `warning` and `critical` go to the channels of their route; a
  `hazard` goes out at once, at any hour.
- **Route**: who can do something about it. For an outage the cause decides: `mains-area`, `backhaul-provider`
  and `collector` go to the dispatcher, `planned` to nobody.
- **Hours**: `any`, or the configured working hours for what can wait.
- **Hold-off**: how long it must have lasted before a person is told, at most; `as set` is
  `alerts.hold_off_ms` (60 s). What ends before is never told: a UPS that leaves the line for less than 30 s
  and goes back is counted among its transfers, no more. That holds for every hold-off from 40 s on.
  `twice` is two of them: a device of a site that speaks may only have been started twice by two blinks.

Voltages are per unit of the site's nominal voltage, never of what a UPS claims. A value counts when it was
measured anew since the last one that counted; one older than `value_stale_ms` shows nothing. What a device
kept of a silence opens nothing, but for what is latched: a box that was opened, a battery that its UPS gave
up. Such an incident says that it was found when the device came back.
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join([INTRODUCTION, *_overview(), *_details(), *_general(), *_causes()])


def _overview() -> Iterator[str]:
    yield "| Condition | Severity | Route | Hours | Hold-off | |"
    yield "|---|---|---|---|---|---|"
    for name, condition in catalogue.CONDITIONS.items():
        words = [f"[`{name}`](#{name})", condition.severity, condition.route, condition.hours]
        yield "| " + " | ".join([*words, _hold_off(condition), phrases_en.CONDITIONS[name]]) + " |"
    yield ""


def _hold_off(condition: Condition) -> str:
    if condition.severity == "hazard":
        return "none"
    if condition.hold_off_ms is None:
        return HOLD_OFFS[condition.hold_offs]
    return f"{condition.hold_off_ms / 1000:g} s" if condition.hold_off_ms else "none"


def _details() -> Iterator[str]:
    for name in catalogue.CONDITIONS:
        yield f"## {name}\n"
        for lang, phrases in (("English", phrases_en), ("Español", phrases_es)):
            yield f"*{lang}.* **{phrases.CONDITIONS[name]}.** {phrases.ADVICE[name]}\n"
        if names := USES.get(name):
            yield from _thresholds(names)


def _thresholds(names: Iterable[str]) -> Iterator[str]:
    known = {threshold.name: threshold for threshold in catalogue.THRESHOLDS}
    yield "| Threshold | Default | Unit | Source |"
    yield "|---|---|---|---|"
    yield from (_row(known[name]) for name in names)
    yield ""


def _row(threshold: Threshold) -> str:
    return f"| `{threshold.name}` | {threshold.default:,} | {threshold.unit} | {threshold.source} |"


def _general() -> Iterator[str]:
    """Give the thresholds of no condition in particular."""
    used = {name for names in USES.values() for name in names}
    yield "## Of all readings\n"
    yield from _thresholds(name for name in catalogue.DEFAULTS if name not in used)


def _causes() -> Iterator[str]:
    yield "## Causes of an outage\n"
    yield "| Cause | Route | English | Español |"
    yield "|---|---|---|---|"
    for cause in phrases_en.OUTAGE_ADVICE:
        route = catalogue.route("outage", catalogue.Cause(cause))
        texts = (
            f"{phrases.CAUSES[cause]}. {phrases.OUTAGE_ADVICE[cause]}" for phrases in (phrases_en, phrases_es)
        )
        yield f"| `{cause}` | {route} | {' | '.join(texts)} |"
    yield ""


def main() -> None:
    """Write the page to the file named on the command line, else to its place in the tree."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "conditions.md"
    target.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
