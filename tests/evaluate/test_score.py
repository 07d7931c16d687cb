"""What counts as right, missed and false."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.model import Cause
from simulators.evaluate.score import Notice, Run, Saying, Score, Truth, What, Word, match, quantile, wilson

MAINS, DEVICE, UNKNOWN = Cause.MAINS_SITE, Cause.DEVICE, Cause.UNKNOWN


def truth(start: float, end: float, cause: Cause = MAINS, site: str = "library", **more: bool) -> Truth:
    return Truth(site, What.SERVICE, start, end, cause, frozenset({cause}), **more)


def saying(
    started: float, end: float | None, *words: tuple[float, Cause, bool], site: str = "library"
) -> Saying:
    said = tuple(Word(*word) for word in words)
    opened = words[0][0] if words else started
    return Saying(site, What.SERVICE, started, opened, end, said, notified=True)


def table(*runs: Run) -> dict[str, object]:
    score = Score(limit_s=135)
    for run in runs:
        score.add(run)
    return score.table()


def test_a_verdict_is_judged_at_thirty_seconds_and_at_its_end() -> None:
    said = saying(0, 900, (90, DEVICE, False), (119, MAINS, False), (121, UNKNOWN, False), (950, MAINS, True))

    found = table(Run("one", (truth(0, 900),), (said,)))

    assert (found["final_right"], found["provisional_right"], found["missed"]) == (1.0, 1.0, 0)
    assert found["delay_p50_s"] == 90


def test_a_verdict_that_never_became_final_is_wrong() -> None:
    found = table(Run("one", (truth(0, 900),), (saying(0, 900, (90, MAINS, False)),)))

    assert (found["final_right"], found["provisional_right"]) == (0.0, 1.0)


def test_a_missed_outage_stays_in_every_denominator_and_a_late_one_is_missed_but_judged() -> None:
    late = saying(2000, 3000, (2136, MAINS, False), (3000, MAINS, True))

    found = table(Run("one", (truth(0, 900), truth(2000, 3000)), (late,)))

    assert (found["outages"], found["missed"]) == (2, 2)
    assert found["final_right"] == 0.5
    assert found["recall"] == {"mains-site": 0.5}


def test_a_notification_without_a_truth_is_false_one_that_nobody_was_told_is_not() -> None:
    quiet = Saying("market", What.SERVICE, 0, 60, 90, (Word(60, MAINS),), notified=False)
    loud = saying(0, 90, (60, MAINS, False), site="market")
    notices = (Notice("market", "overload", 5, true=True), Notice("market", "overload", 9, true=False))

    assert table(Run("q", (), (quiet,), quiet_site_days=2))["false_alarms"] == 0
    assert table(Run("l", (), (loud,)))["false_alarms"] == 1
    assert table(Run("n", (), (), notices))["false_alarms"] == 1


def test_a_second_incident_on_one_outage_is_false_and_the_longer_overlap_wins() -> None:
    short, long = saying(0, 100, (60, DEVICE, True)), saying(100, 900, (160, MAINS, True))

    pairs, rest = match([truth(0, 900)], [short, long])

    assert pairs[0].saying is long
    assert rest == [short]


def test_short_outages_are_neither_missed_nor_make_their_incident_false() -> None:
    flicker = truth(0, 50, optional=True)

    assert table(Run("a", (flicker,), ()))["outages"] == 0
    assert table(Run("b", (flicker,), (saying(0, 80, (70, MAINS, True)),)))["false_alarms"] == 0


def test_what_need_not_be_found_takes_nothing_from_what_must() -> None:
    """An outage that began while the store was down counts from when the centre hears again."""
    deaf, outage = truth(0, 2000, Cause.COLLECTOR, optional=True), truth(2045, 3000)
    said = saying(300, 3010, (2050, MAINS, True))

    found = table(Run("one", (deaf, outage), (said,)))

    assert (found["outages"], found["missed"], found["final_right"], found["false_alarms"]) == (1, 0, 1.0, 0)


def test_unknown_counts_against_those_outages_only_that_could_be_known() -> None:
    lone = Truth("park", What.SERVICE, 0, 100, DEVICE, frozenset({DEVICE, UNKNOWN}))
    said = saying(0, 100, (60, UNKNOWN, True))
    other = saying(0, 100, (60, UNKNOWN, True), site="park")

    found = table(Run("one", (truth(0, 100), lone), (said, other)))

    assert found["unknown_share"] == 1.0
    assert found["final_right"] == 0.5


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(1, 1e4)), max_size=6), st.data())
def test_matching_is_one_to_one(spans: list[tuple[float, float]], data: st.DataObject) -> None:
    truths = [truth(start, start + length) for start, length in spans]
    said = [saying(start, start + length, (start, MAINS, True)) for start, length in spans]
    shuffled = data.draw(st.permutations(said))

    pairs, rest = match(truths, shuffled)

    taken = [id(pair.saying) for pair in pairs if pair.saying]
    assert len(set(taken)) == len(taken)
    assert len(taken) + len(rest) == len(said)
    assert len(pairs) == len(truths)


def test_intervals_and_quantiles_are_the_textbooks() -> None:
    assert wilson(97, 100) == pytest.approx((0.9155, 0.9897), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)
    assert quantile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.0
    assert quantile([5.0], 0.99) == 5.0
    assert quantile([], 0.5) is None
