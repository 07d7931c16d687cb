"""Stretches of time as sorted, disjoint pairs [start, end) in milliseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Span = tuple[int, int]
Spans = list[Span]


def union(spans: Iterable[Span], gap_ms: int = 0) -> Spans:
    """Return what any of them covers; what lies ``gap_ms`` apart at most becomes one."""
    found: Spans = []
    for start, end in sorted(spans):
        if end <= start:
            continue
        if found and start <= found[-1][1] + gap_ms:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def overlap(spans: Iterable[Span], other: Span) -> int:
    """Return for how long ``other`` is covered."""
    return sum(max(0, min(end, other[1]) - max(start, other[0])) for start, end in spans)


def total(spans: Iterable[Span]) -> int:
    """Return how long they are together."""
    return sum(end - start for start, end in spans)


def touching(spans: Iterable[Span], other: Span) -> Spans:
    """Return those that overlap ``other``."""
    return [(start, end) for start, end in spans if start < other[1] and other[0] < end]


class Tracks:
    """Facts that hold and cease to hold, by name, while time goes forward."""

    def __init__(self) -> None:
        self._since: dict[str, int] = {}
        self._done: dict[str, Spans] = {}

    def note(self, name: str, t_ms: int, *, holds: bool) -> None:
        """Take how a fact stands from a time on."""
        if holds:
            self._since.setdefault(name, t_ms)
        elif name in self._since:
            self._done.setdefault(name, []).append((self._since.pop(name), t_ms))

    def close(self, t_ms: int) -> None:
        """End everything."""
        for name in list(self._since):
            self.note(name, t_ms, holds=False)

    def of(self, name: str) -> Spans:
        """Return when a fact held."""
        return union(self._done.get(name, ()))
