"""What becomes of a probe's answers: one row for each probe, and one for each time it failed.

One failure is a doubt; ``FAILURES`` in a row are a fault, which began when the probe last succeeded. Only a
fault is evidence. ``saw`` works inside the caller's transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from collector.storage.state import CentreSpan, Probe

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

NAMES: Final = ("broker", "store", "uplink")
FAILURES: Final = 2
KEEP_MS: Final = 15_000  # what does not change is written so rarely


class Health(StrEnum):
    """Where a probe stands."""

    UNKNOWN = "unknown"
    GOOD = "good"
    DOUBT = "doubt"  # it failed, not often enough yet
    BAD = "bad"


class Answer(StrEnum):
    """What a probe was told; AGAIN is the record's own: it failed ``FAILURES`` times in a row."""

    GOOD = "good"
    FAILED = "failed"
    AGAIN = "again"


_GOOD: Final = {Answer.GOOD: Health.GOOD, Answer.FAILED: Health.DOUBT, Answer.AGAIN: Health.BAD}
TABLE: Final[dict[Health, dict[Answer, Health]]] = {
    Health.UNKNOWN: _GOOD,
    Health.GOOD: _GOOD,
    Health.DOUBT: _GOOD,
    Health.BAD: {Answer.GOOD: Health.GOOD, Answer.FAILED: Health.BAD, Answer.AGAIN: Health.BAD},
}


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer of a probe: good or not, how long it took, what went wrong."""

    good: bool
    latency_ms: float | None = None
    detail: str = ""


def health(row: Probe | None) -> Health:
    """Read where a probe stands."""
    if row is None or row.ok is None:
        return Health.UNKNOWN
    if not row.ok:
        return Health.BAD
    return Health.DOUBT if row.failures else Health.GOOD


def saw(session: Session, name: str, seen: Seen, now_ms: int) -> Health:
    """Take an answer; return where the probe stands now."""
    row = session.get(Probe, name)
    if row is None:
        row = Probe(name=name, since_ms=now_ms, checked_ms=now_ms, failures=0, detail="")
        session.add(row)
    before = health(row)
    failures = 0 if seen.good else row.failures + 1
    answer = Answer.GOOD if seen.good else Answer.AGAIN if failures >= FAILURES else Answer.FAILED
    after = TABLE[before][answer]
    if after == before == Health.GOOD and now_ms - row.checked_ms < KEEP_MS:
        return after
    row.failures, row.checked_ms, row.latency_ms = failures, now_ms, seen.latency_ms
    row.detail = seen.detail[:300]
    if after == Health.BAD and before != Health.BAD:
        row.ok, row.since_ms = False, row.good_ms or now_ms
        session.add(CentreSpan(what=name, since_ms=row.since_ms))
    elif after == Health.GOOD:
        if before in {Health.BAD, Health.UNKNOWN}:
            row.ok, row.since_ms = True, now_ms
            _end(session, name, now_ms)
        row.good_ms = now_ms
    session.flush()
    return after


def _end(session: Session, name: str, now_ms: int) -> None:
    query = select(CentreSpan).where(CentreSpan.what == name, CentreSpan.until_ms.is_(None))
    for span in session.scalars(query):
        span.until_ms = now_ms


def unobserved(session: Session, since_ms: int, until_ms: int) -> None:
    """Note a time in which nobody listened: what went dark in it is known only from the devices' stories."""
    session.add(CentreSpan(what="ingest", since_ms=since_ms, until_ms=until_ms))
