"""Acknowledgements go out in the order of arrival, in whatever order the messages were done with."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collector.ingest.owed import Owed


def owing(*mids: int) -> Owed:
    owed = Owed()
    for mid in mids:
        owed.came(mid)
    return owed


def test_who_overtook_waits_for_those_before():
    owed = owing(7, 3, 9)
    assert owed.settle([3]) == []
    assert len(owed) == 3
    assert owed.settle([7]) == [7, 3]
    assert owed.settle([9]) == [9]
    assert len(owed) == 0


def test_unknown_ids_are_not_acknowledged():
    owed = owing(1)
    assert owed.settle([2, 0]) == []
    assert owed.settle([1, 1]) == [1]
    assert owed.settle([1]) == []


def test_another_connection_owes_nothing():
    owed = owing(1, 2)
    owed.clear()
    owed.came(2)
    assert owed.settle([1, 2]) == [2]


@given(st.permutations(range(1, 30)), st.integers(1, 7))
def test_in_the_end_all_are_acknowledged_once_and_in_order(order: list[int], batch: int):
    owed = owing(*range(1, 30))
    told = [mid for at in range(0, len(order), batch) for mid in owed.settle(order[at : at + batch])]
    assert told == list(range(1, 30))
