"""Sets for one question each: so many outages of every cause, and so many quiet days.

Towns, nuisances, batteries and what the centre knows are drawn as in the ordinary mix, incidents by the same
weights among those that are meant for a cause. What an outage is called is asked of the truth: scenarios are
drawn until it has counted enough, and of one scenario only some of each cause, for what falls together is
judged together.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from simulators.generate import awkward, habits, nuisance
from simulators.generate.write import HOUR_S, begun
from simulators.scenario import load
from simulators.truth import outages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collector.model import Cause
    from simulators.generate.draft import Draft

CAUSES: Final = tuple(sorted({cause for _, _, cause in habits.INCIDENTS if cause is not None}))
MOST: Final = 6  # outages of one cause that count of one scenario
AIMED: Final = 6  # incidents of a scenario that are meant for what is still short
AWKWARD: Final = 3  # every so manieth scenario has a coincidence besides
QUIET_SITES: Final = 40


class ShortError(RuntimeError):
    """However much is drawn, some cause does not come up."""


def each_cause(seed: int, least: int) -> Iterator[Draft]:
    """Draw until the truth knows so many outages of every cause."""
    counted: Counter[Cause] = Counter()
    number = 0
    while short := [cause for cause in CAUSES if counted[cause] < least]:
        if number > 10 * least:
            raise ShortError(f"{number} scenarios, and still too few of: {', '.join(short)}")
        draft = aimed(seed, number, short)
        found = causes_of(draft)
        counted.update({cause: min(MOST, count) for cause, count in found.items()})
        number += 1
        yield draft


def causes_of(draft: Draft) -> Counter[Cause]:
    """Count the outages of a draft that have to be found, by their true cause."""
    truths = outages.of_scenario(load.parse(draft.text()))
    return Counter(one.cause for found in truths.values() for one in found.outages if not one.optional)


def quiet(seed: int, number: int) -> Draft:
    """Draw a day on which nobody is to be told anything, with twice the nuisances and more kinds of them."""
    draft = begun(f"{seed}/quiet", seed, number, "quiet", hours=24, sites=QUIET_SITES)
    habits.nuisances(draft, 1.0)
    nuisance.more(draft, 1.0)
    return draft


def aimed(seed: int, number: int, short: Sequence[Cause]) -> Draft:
    """Draw some hours of incidents that are mostly meant for these causes."""
    draft = begun(f"{seed}/causes", seed, number, "causes", hours=8, sites=12)
    rng, end_s = draft.rng, draft.head["duration_s"] - HOUR_S
    for _ in range(AIMED):
        habits.incident(draft, rng.uniform(habits.LEAD_S, end_s), rng.choice(short))
    for _ in range(rng.randint(0, 2)):
        habits.incident(draft, rng.uniform(habits.LEAD_S, end_s))
    if number % AWKWARD == 0:
        rng.choice(awkward.AWKWARD)(draft, rng.uniform(1800, end_s))
    habits.nuisances(draft, 0.5)
    return draft
