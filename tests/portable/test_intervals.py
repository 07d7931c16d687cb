"""Sets of sequence numbers, against a set."""

from agent.wire import intervals

# a small linear congruential generator (Numerical Recipes), the same on every interpreter
_STATE = [1]


def _random(below: int) -> int:
    _STATE[0] = (_STATE[0] * 1664525 + 1013904223) % (1 << 32)
    return (_STATE[0] >> 8) % below


def _of(numbers: set[int]) -> list[list[int]]:
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ranges


def test_any_order_gives_the_same_set():
    for _ in range(50):
        ranges: list[list[int]] = []
        model: set[int] = set()
        for _ in range(60):
            number = _random(80)
            assert intervals.add(ranges, number) == (number not in model)
            model.add(number)
            assert ranges == _of(model)
        for number in range(-1, 82):
            assert intervals.contains(ranges, number) == (number in model)
        assert intervals.count(ranges) == len(model)


def test_in_order_is_one_interval():
    ranges: list[list[int]] = []
    for number in range(1000):
        assert intervals.add(ranges, number)
    assert ranges == [[0, 999]]


def test_union():
    assert intervals.merge([[0, 3], [8, 9]], [[4, 5], [9, 12], [20, 20]]) == [[0, 5], [8, 12], [20, 20]]
    left = [[1, 2]]
    assert intervals.merge(left, []) == [[1, 2]]
    intervals.merge(left, [[3, 3]])
    assert left == [[1, 2]]


def test_holes():
    assert intervals.holes([]) == []
    assert intervals.holes([[0, 5]]) == []
    assert intervals.holes([[2, 3], [6, 6]]) == [[0, 1], [4, 5]]
    assert intervals.holes([[2, 3], [6, 6]], 3) == [[4, 5]]
    assert intervals.holes([[2, 3], [6, 6]], 5) == [[5, 5]]


def test_collapse_forgets_what_is_below():
    for floor, rest in ((0, [[1, 4], [7, 9]]), (3, [[3, 4], [7, 9]]), (5, [[7, 9]]), (9, [[9, 9]]), (10, [])):
        ranges = [[1, 4], [7, 9]]
        intervals.collapse(ranges, floor)
        assert ranges == rest, (floor, ranges)
