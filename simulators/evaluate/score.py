"""Match what was said to what was true, one to one, and count. Pure.

Times are seconds after the warm-up. An outage is one truth of one site; an incident of an area counts once
per member, by its membership times. Matching is per site and service, by overlap: the pair that overlaps
longest first, what need not be found after all that must, and each truth and each saying at most once.
Intervals are Wilson's (95 %).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from collector.model import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PROVISIONAL_S: Final = 30.0  # the provisional verdict is the one that stands so long after the opening
_Z: Final = 1.959964  # 95 %, two-sided


class What(StrEnum):
    """What is gone."""

    SERVICE = "service"
    MAINS = "mains"


@dataclass(frozen=True, slots=True)
class Truth:
    """An outage of a site: ``cause`` names it in the tables, any of ``accepted`` is right.

    ``optional``: too short to be demanded; neither missed nor false.
    """

    site: str
    what: What
    start_s: float
    end_s: float
    cause: Cause
    accepted: frozenset[Cause]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """A verdict as it stood from ``at_s`` on, how sure it was, and the codes of the facts behind it."""

    at_s: float
    cause: Cause
    final: bool = False
    confidence: float | None = None
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Saying:
    """An incident at a site. ``started_s``: since when it says it holds; ``ended_s`` None: still open.

    ``notified``: a person was told of it.
    """

    site: str
    what: What
    started_s: float
    opened_s: float
    ended_s: float | None
    words: tuple[Word, ...]
    notified: bool = False

    def standing(self) -> Word | None:
        """Return what was said 30 s after the opening."""
        said = [word for word in self.words if word.at_s <= self.opened_s + PROVISIONAL_S]
        return said[-1] if said else None

    def closing(self) -> Word | None:
        """Return what was said and marked as final; None when nothing ever was."""
        said = [word for word in self.words if word.final]
        return said[-1] if said else None

    def provisional(self) -> Cause | None:
        """Return the verdict that stood 30 s after the opening."""
        word = self.standing()
        return word.cause if word else None

    def final(self) -> Cause | None:
        """Return the verdict marked as final; None when there never was one."""
        word = self.closing()
        return word.cause if word else None


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification that is no outage's (a condition of the supply, of a device) and when it was true.

    ``true`` is decided by whoever knows the world: an event of that kind, there and then.
    """

    site: str
    condition: str
    at_s: float
    true: bool


@dataclass(frozen=True, slots=True)
class Run:
    """One scenario: what was true, what was said, how many quiet days of sites it holds."""

    name: str
    truths: tuple[Truth, ...]
    sayings: tuple[Saying, ...]
    notices: tuple[Notice, ...] = ()
    quiet_site_days: float = 0.0


@dataclass(frozen=True, slots=True)
class Pair:
    """A truth and what was said of it, in the scenario of that name."""

    truth: Truth
    saying: Saying | None
    scenario: str = ""


@dataclass(slots=True)
class Score:
    """Everything that is counted over any number of runs."""

    limit_s: float  # an outage is detected when its incident opened so long after its start at most
    scenarios: int = 0
    pairs: list[Pair] = field(default_factory=list)
    false_alarms: list[tuple[str, Saying | Notice]] = field(default_factory=list)
    quiet_site_days: float = 0.0

    def add(self, run: Run) -> list[Pair]:
        """Count a run; return its pairs, for its picture."""
        pairs, rest = match(run.truths, run.sayings)
        self.scenarios += 1
        self.quiet_site_days += run.quiet_site_days
        self.pairs += [replace(pair, scenario=run.name) for pair in pairs if not pair.truth.optional]
        self.false_alarms += [(run.name, saying) for saying in rest if saying.notified]
        self.false_alarms += [(run.name, notice) for notice in run.notices if not notice.true]
        return pairs

    def table(self) -> dict[str, object]:
        """Return the figures, rates as shares of all outages: a missed one stays in every denominator."""
        outages = self.pairs
        certain = [pair for pair in outages if Cause.UNKNOWN not in pair.truth.accepted]
        unknown = [pair for pair in certain if pair.saying and pair.saying.final() == Cause.UNKNOWN]
        delays = sorted(self.delay_s(pair) for pair in outages if pair.saying)
        return {
            "scenarios": self.scenarios,
            "outages": len(outages),
            "final_right": share(sum(map(final_right, outages)), len(outages)),
            "provisional_right": share(sum(map(provisional_right, outages)), len(outages)),
            "recall": self.recall(),
            "unknown_share": share(len(unknown), len(certain)),
            "missed": sum(not self.detected(pair) for pair in outages),
            "false_alarms": len(self.false_alarms),
            "quiet_site_days": round(self.quiet_site_days, 1),
            "delay_p50_s": quantile(delays, 0.5),
            "delay_p99_s": quantile(delays, 0.99),
        }

    def recall(self) -> dict[str, float | None]:
        """Return for each cause the share of its outages that ended with a right verdict."""
        by_cause: dict[Cause, list[bool]] = defaultdict(list)
        for pair in self.pairs:
            by_cause[pair.truth.cause].append(final_right(pair))
        return {cause.value: share(sum(right), len(right)) for cause, right in sorted(by_cause.items())}

    def confusion(self) -> dict[Cause, Counter[str]]:
        """Return for each true cause how often which final verdict was given ("missed", "open": none)."""
        table: dict[Cause, Counter[str]] = defaultdict(Counter)
        for pair in self.pairs:
            table[pair.truth.cause][_said(pair)] += 1
        return dict(sorted(table.items()))

    def detected(self, pair: Pair) -> bool:
        """Tell whether the incident opened in time."""
        return pair.saying is not None and self.delay_s(pair) <= self.limit_s

    @staticmethod
    def delay_s(pair: Pair) -> float:
        """Return how long after the outage's start the incident opened."""
        return math.inf if pair.saying is None else max(0.0, pair.saying.opened_s - pair.truth.start_s)


def match(truths: Iterable[Truth], sayings: Iterable[Saying]) -> tuple[list[Pair], list[Saying]]:
    """Return a pair for every truth, in their order, and the sayings that belong to none."""
    asked, left = list(truths), list(sayings)
    overlaps = [
        (truth.optional, -_overlap_s(truth, saying), t, s)
        for t, truth in enumerate(asked)
        for s, saying in enumerate(left)
        if (truth.site, truth.what) == (saying.site, saying.what) and _overlap_s(truth, saying) > 0
    ]
    by_truth: dict[int, int] = {}
    for *_, t, s in sorted(overlaps):
        if t not in by_truth and s not in by_truth.values():
            by_truth[t] = s
    pairs = [Pair(truth, left[by_truth[t]] if t in by_truth else None) for t, truth in enumerate(asked)]
    taken = set(by_truth.values())
    return pairs, [saying for s, saying in enumerate(left) if s not in taken]


def _overlap_s(truth: Truth, saying: Saying) -> float:
    end_s = math.inf if saying.ended_s is None else saying.ended_s
    return min(truth.end_s, end_s) - max(truth.start_s, saying.started_s)


def final_right(pair: Pair) -> bool:
    """Tell whether a final verdict was given and is one of the right ones."""
    return pair.saying is not None and pair.saying.final() in pair.truth.accepted


def provisional_right(pair: Pair) -> bool:
    """Tell whether the verdict that stood 30 s after the opening is one of the right ones."""
    return pair.saying is not None and pair.saying.provisional() in pair.truth.accepted


def _said(pair: Pair) -> str:
    if pair.saying is None:
        return "missed"
    final = pair.saying.final()
    return final.value if final else "open"


def share(count: int, of: int) -> float | None:
    """Return a share rounded to four digits; None of nothing."""
    return round(count / of, 4) if of else None


def wilson(count: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927); (0, 1) when nothing was counted."""
    if not of:
        return 0.0, 1.0
    p, z2 = count / of, _Z * _Z
    middle = (p + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z / (1 + z2 / of) * math.sqrt(p * (1 - p) / of + z2 / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def quantile(values: Sequence[float], q: float) -> float | None:
    """Return the smallest of the sorted values that a share ``q`` of them does not exceed."""
    return round(values[min(len(values) - 1, math.ceil(q * len(values)) - 1)], 1) if values else None
