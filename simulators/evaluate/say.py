"""What the rules said, in the shape that is scored, out of a run's record.

An incident that was reopened says two things: each time from its opening to its clearing. Incidents of two
UPSes of one site that overlap say one thing. A verdict is final when the rules mark it so, and a loss of
supply's when it clears.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from simulators.evaluate.score import Notice, Saying, What, Word
from simulators.truth import notices

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simulators.scenario.model import Scenario
    from simulators.truth.outages import SiteTruth
    from simulators.virtual.record import Record, Step, Told

OUTAGES: Final = {"outage": What.SERVICE, "supply_lost": What.MAINS}
AREA: Final = "area"  # told of for its members: their notifications are these
BEGIN: Final = ("opened", "reopened")


def sayings(record: Record) -> tuple[Saying, ...]:
    """Return everything that was said of outages."""
    found = [said for told in record.incidents if told.condition in OUTAGES for said in _episodes(told)]
    return tuple(sorted(_merged(found), key=lambda said: (said.opened_s, said.site, said.what)))


def told(scenario: Scenario, truths: dict[str, SiteTruth], record: Record) -> tuple[Notice, ...]:
    """Return the notifications of everything else, and whether each was justified.

    The alert of an area is one notification. Its outages are judged as outages; where it has none, it was
    justified if anything was that it was told for.
    """
    others = [one for one in record.incidents if one.condition not in OUTAGES and one.condition != AREA]
    with_outages = {area for one in record.incidents if one.condition in OUTAGES for area, _ in one.through}

    def notice(one: Told, at_s: float) -> Notice:
        right = notices.justified(scenario, truths[one.site], one.condition, one.subject, at_s)
        return Notice(one.site, one.condition, at_s, right)

    found = [notice(one, at_s) for one in others for at_s in _own_s(one) if at_s >= 0]
    areas: dict[int, list[Notice]] = defaultdict(list)
    for one in others:
        for area, at_s in one.through:
            if at_s >= 0 and area not in with_outages:
                areas[area].append(notice(one, at_s))
    found += [next((each for each in members if each.true), members[0]) for members in areas.values()]
    return tuple(found)


def _own_s(told: Told) -> list[float]:
    """Return when the incident's own alerts were delivered."""
    own = list(told.notified_s)
    for _, at_s in told.through:
        own.remove(at_s)
    return own


def _episodes(told: Told) -> Iterator[Saying]:
    for steps in _split(told.steps):
        first, last = steps[0], steps[-1]
        cleared = last.kind == "cleared"
        closing = cleared and told.condition != "outage"
        words = [
            Word(step.at_s, step.cause, step.final, step.confidence, step.facts)
            for step in steps
            if step.cause is not None
        ]
        if closing and words:
            words[-1] = replace(words[-1], final=True)
        until_s = last.at_s if cleared else float("inf")
        yield Saying(
            told.site,
            OUTAGES[told.condition],
            first.since_s,
            first.at_s,
            last.since_s if cleared else None,
            tuple(words),
            notified=any(max(0.0, first.at_s) <= at_s <= until_s for at_s in told.notified_s),
        )


def _split(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """Part an incident's steps where it was opened again; what follows a clearing belongs to nothing."""
    part: list[Step] = []
    for step in steps:
        if step.kind in BEGIN:
            if part:
                yield part
            part = []
        if part or step.kind in BEGIN:
            part.append(step)
        if part and step.kind == "cleared":
            yield part
            part = []
    if part:
        yield part


def _merged(found: list[Saying]) -> list[Saying]:
    """Make one of what overlaps: two UPSes lose one supply."""
    whole: list[Saying] = []
    for said in sorted(found, key=lambda one: (one.site, one.what, one.started_s)):
        last = whole[-1] if whole else None
        same = last is not None and (last.site, last.what) == (said.site, said.what)
        if last is not None and same and (last.ended_s is None or said.started_s < last.ended_s):
            ends = (last.ended_s, said.ended_s)
            whole[-1] = Saying(
                last.site,
                last.what,
                last.started_s,
                min(last.opened_s, said.opened_s),
                None if None in ends else max(end for end in ends if end is not None),
                tuple(sorted((*last.words, *said.words), key=lambda word: word.at_s)),
                notified=last.notified or said.notified,
            )
        else:
            whole.append(said)
    return whole
