"""Interval sets against Python's sets."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent.wire import intervals

NUMBERS = st.lists(st.integers(0, 60), max_size=60)


def ranges_of(numbers: list[int]) -> list[list[int]]:
    ranges: list[list[int]] = []
    for number in numbers:
        intervals.add(ranges, number)
    return ranges


def numbers_of(ranges: list[list[int]]) -> set[int]:
    return {number for lo, hi in ranges for number in range(lo, hi + 1)}


def is_normal(ranges: list[list[int]]) -> bool:
    ordered = all(lo <= hi for lo, hi in ranges)
    apart = all(left[1] + 1 < right[0] for left, right in pairwise(ranges))
    return ordered and apart


@given(NUMBERS)
def test_add_is_that_of_a_set(numbers: list[int]) -> None:
    ranges: list[list[int]] = []
    model: set[int] = set()
    for number in numbers:
        assert intervals.add(ranges, number) == (number not in model)
        model.add(number)
    assert is_normal(ranges)
    assert numbers_of(ranges) == model
    assert intervals.count(ranges) == len(model)
    assert all(intervals.contains(ranges, number) == (number in model) for number in range(-1, 62))


@given(NUMBERS, NUMBERS)
def test_merge_is_the_union(left: list[int], right: list[int]) -> None:
    merged = intervals.merge(ranges_of(left), ranges_of(right))
    assert is_normal(merged)
    assert numbers_of(merged) == set(left) | set(right)


@given(NUMBERS, st.integers(0, 61))
def test_holes_are_what_is_missing(numbers: list[int], start: int) -> None:
    missing = intervals.holes(ranges_of(numbers), start)
    assert is_normal(missing)
    assert numbers_of(missing) == set(range(start, max(numbers, default=-1))) - set(numbers)


@given(NUMBERS, st.integers(0, 61))
def test_collapse_keeps_what_is_at_the_floor_and_above(numbers: list[int], floor: int) -> None:
    ranges = ranges_of(numbers)
    intervals.collapse(ranges, floor)
    assert is_normal(ranges)
    assert numbers_of(ranges) == {number for number in numbers if number >= floor}
