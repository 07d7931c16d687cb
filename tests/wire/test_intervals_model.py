"""Interval sets through a life of additions, unions and collapses, against Python's sets and a floor."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agent.wire import intervals

TOP = 80
BASES = (0, (1 << 31) - 40, (1 << 63) - 1 - TOP)  # where MicroPython's small integers and the wire's end
NUMBERS = st.integers(0, TOP)


class Life(RuleBasedStateMachine):
    """A reception set: ``base`` moves all numbers to where integers change their kind."""

    def __init__(self) -> None:
        super().__init__()
        self.ranges: list[list[int]] = []
        self.model: set[int] = set()
        self.floor = 0
        self.base = 0

    @rule(base=st.sampled_from(BASES))
    def move(self, base: int) -> None:
        if not self.ranges:
            self.base = base

    @rule(number=NUMBERS)
    def add(self, number: int) -> None:
        assert intervals.add(self.ranges, self.base + number) == (number not in self.model)
        self.model.add(number)

    @rule(numbers=st.sets(NUMBERS))
    def unite(self, numbers: set[int]) -> None:
        other: list[list[int]] = []
        for number in numbers:
            intervals.add(other, self.base + number)
        kept = [list(each) for each in self.ranges], [list(each) for each in other]
        merged = intervals.merge(self.ranges, other)
        assert intervals.merge(other, self.ranges) == merged
        assert (self.ranges, other) == kept  # as they were
        self.ranges = merged
        self.model |= numbers

    @rule(floor=NUMBERS)
    def collapse(self, floor: int) -> None:
        intervals.collapse(self.ranges, self.base + floor)
        self.model = {number for number in self.model if number >= floor}
        before = [list(each) for each in self.ranges]
        intervals.collapse(self.ranges, self.base + floor)
        assert self.ranges == before  # again changes nothing

    @invariant()
    def it_is_the_set(self) -> None:
        found = {number - self.base for lo, hi in self.ranges for number in range(lo, hi + 1)}
        assert found == self.model
        assert intervals.count(self.ranges) == len(self.model)
        for number in range(-1, TOP + 2):
            assert intervals.contains(self.ranges, self.base + number) == (number in self.model)

    @invariant()
    def it_has_its_one_form(self) -> None:
        assert all(lo <= hi for lo, hi in self.ranges)
        assert all(left[1] + 1 < right[0] for left, right in pairwise(self.ranges))

    @invariant()
    def holes_and_set_make_the_whole(self) -> None:
        missing = intervals.holes(self.ranges, self.base)
        if self.ranges:
            top = self.ranges[-1][1]
            assert intervals.merge(missing, self.ranges) == [[self.base, top]]
            assert intervals.count(missing) + len(self.model) == top - self.base + 1
        else:
            assert missing == []


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
