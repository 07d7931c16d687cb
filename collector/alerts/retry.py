"""When a message is tried again: the only place that puts anything off.

Waits double from 5 s to half an hour, with some scatter so that messages of one failure do not come back
together; after ``MAX_ATTEMPTS`` (some 12 hours) a message is given up and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

FIRST_MS: Final = 5_000
LONGEST_MS: Final = 30 * 60_000
MAX_ATTEMPTS: Final = 32
_SCATTER: Final = 0.1


class Result(StrEnum):
    """How a run through the stages ended."""

    DELIVERED = "delivered"
    CANCELLED = "cancelled"  # nobody needs it any more
    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    EARLY = "early"  # an earlier message of the incident is still on its way


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result and its reason."""

    result: Result
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """What becomes of the row: a status, and when it is due again."""

    status: str
    due_ms: int | None = None


def settle(outcome: Outcome, attempts: int, row_id: int, now_ms: int) -> Settled:
    """Decide what becomes of a message after its ``attempts``-th attempt."""
    if outcome.result in {Result.DELIVERED, Result.CANCELLED}:
        return Settled(outcome.result.value)
    if outcome.result == Result.EARLY:
        return Settled("deferred", now_ms + FIRST_MS)
    if outcome.result == Result.PERMANENT or attempts >= MAX_ATTEMPTS:
        return Settled("failed")
    return Settled("deferred", now_ms + wait_ms(attempts, row_id))


def wait_ms(attempts: int, row_id: int) -> int:
    """Return the wait after the ``attempts``-th attempt; the row's number scatters it, repeatably."""
    base = min(LONGEST_MS, FIRST_MS * 2 ** min(20, max(0, attempts - 1)))
    return int(base * (1 + _SCATTER * (row_id % 10) / 10))
