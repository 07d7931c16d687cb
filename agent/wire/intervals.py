"""Sets of sequence numbers as sorted, disjoint, closed intervals: ``[[lo, hi], ...]``.

Neighbouring intervals are always joined, so that a set has one form. Lists, because they go into CBOR and
JSON as they are.
"""


def add(ranges: list[list[int]], number: int) -> bool:
    """Add one number in place; True when it was new."""
    at = _position(ranges, number)
    if at and ranges[at - 1][1] >= number:
        return False
    joins_left = at > 0 and ranges[at - 1][1] == number - 1
    joins_right = at < len(ranges) and ranges[at][0] == number + 1
    if joins_left and joins_right:
        ranges[at - 1][1] = ranges.pop(at)[1]
    elif joins_left:
        ranges[at - 1][1] = number
    elif joins_right:
        ranges[at][0] = number
    else:
        ranges.insert(at, [number, number])
    return True


def contains(ranges: list[list[int]], number: int) -> bool:
    """Tell whether the number is in the set."""
    at = _position(ranges, number)
    return at > 0 and ranges[at - 1][1] >= number


def merge(left: list[list[int]], right: list[list[int]]) -> list[list[int]]:
    """Return the union as a new list."""
    merged: list[list[int]] = []
    for lo, hi in sorted(left + right):
        if merged and lo <= merged[-1][1] + 1:
            merged[-1][1] = max(merged[-1][1], hi)
        else:
            merged.append([lo, hi])
    return merged


def count(ranges: list[list[int]]) -> int:
    """Return how many numbers the set holds."""
    return sum([hi - lo + 1 for lo, hi in ranges])


def holes(ranges: list[list[int]], start: int = 0) -> list[list[int]]:
    """Return what is missing between ``start`` and the highest number of the set, as intervals."""
    missing = []
    for lo, hi in ranges:
        if lo > start:
            missing.append([start, lo - 1])
        start = max(start, hi + 1)
    return missing


def collapse(ranges: list[list[int]], floor: int) -> None:
    """Forget in place what lies below ``floor``; who calls keeps the floor and judges nothing below it."""
    while ranges and ranges[0][1] < floor:
        ranges.pop(0)
    if ranges and ranges[0][0] < floor:
        ranges[0][0] = floor


def _position(ranges: list[list[int]], number: int) -> int:
    """Return how many intervals begin at or below the number."""
    low, high = 0, len(ranges)
    if high and ranges[-1][0] <= number:  # the usual case: at the end
        return high
    while low < high:
        middle = (low + high) // 2
        if ranges[middle][0] <= number:
            low = middle + 1
        else:
            high = middle
    return low
