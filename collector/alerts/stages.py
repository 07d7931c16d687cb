"""A message's way out: claim, still wanted, render, send, settle; same-shaped stages in one list.

A stage takes a job and returns None to go on or an outcome that ends it; ``settle`` sees every outcome.
Claimed and delivered are apart: after a crash in between the claim runs out and the message goes again
(at least once). Nothing here waits; ``retry`` decides what is tried again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import CursorResult, and_, or_, select, update
from sqlalchemy.orm import Session

from collector.alerts import lifecycle, retry, texts
from collector.alerts.channels.errors import PermanentChannelError
from collector.alerts.lifecycle import Move, Status
from collector.alerts.outbox import WAITING
from collector.alerts.retry import Outcome, Result
from collector.errors import TemporaryError
from collector.storage.state import Incident, Outbox, Site

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine

    from collector.alerts.channels import Channel
    from collector.alerts.routes import Routing
    from collector.clock import Clock
    from collector.config import ChannelConfig
    from collector.metrics import Metrics

CLAIM_MS: Final = 120_000  # several times the longest send; then the claimer is taken for dead


@dataclass(slots=True)
class Job:
    """One message on its way. ``incident`` and ``site`` are read by ``claim`` and detached."""

    row_id: int
    row: Outbox | None = None
    incident: Incident | None = None
    site: Site | None = None
    title: str = ""
    body: str = ""


Stage = Callable[[Job], Outcome | None]


@dataclass(frozen=True, slots=True)
class Post:
    """What the stages of one channel share."""

    engine: Engine
    clock: Clock
    metrics: Metrics
    routing: Routing
    owner: str
    name: str
    config: ChannelConfig
    channel: Channel
    public_url: str = ""


def assemble(post: Post) -> list[Stage]:
    """List the stages in order; ``run`` closes with ``settle``."""
    return [Claim(post), Wanted(post), Render(post), Send(post)]


def run(post: Post, stages: Sequence[Stage], row_id: int) -> Outcome | None:
    """Take one message through the stages; None when another one has it."""
    job = Job(row_id)
    try:
        outcome = next((found for stage in stages if (found := stage(job)) is not None), None)
    except TemporaryError as error:
        outcome = Outcome(Result.TEMPORARY, str(error))
    except PermanentChannelError as error:
        outcome = Outcome(Result.PERMANENT, str(error))
    except Exception as error:
        if job.row is None:
            raise
        outcome = Outcome(Result.TEMPORARY, f"{type(error).__name__}: {error}")
    if job.row is None or outcome is None:
        return None
    Settle(post)(job, outcome)
    return outcome


def claimable(now_ms: int) -> Any:
    """Say which rows may be taken: due ones, and those whose claimer died."""
    due = and_(Outbox.status.in_(WAITING), Outbox.due_ms <= now_ms)
    return or_(due, and_(Outbox.status == "claimed", Outbox.claimed_ms < now_ms - CLAIM_MS))


class Claim:
    """Takes a row, so that no other process sends it, and reads what it is about."""

    def __init__(self, post: Post) -> None:
        self._post = post

    def __call__(self, job: Job) -> Outcome | None:
        """Claim; ends without a row when somebody else was faster."""
        now_ms = self._post.clock.now_ms()
        with Session(self._post.engine, expire_on_commit=False) as session, session.begin():
            claimed = session.execute(
                update(Outbox)
                .where(Outbox.id == job.row_id, claimable(now_ms))
                .values(
                    status="claimed",
                    claimed_by=self._post.owner,
                    claimed_ms=now_ms,
                    attempts=Outbox.attempts + 1,
                )
                .execution_options(synchronize_session=False)
            )
            if not cast("CursorResult[Any]", claimed).rowcount:
                return Outcome(Result.CANCELLED, "claimed by another")
            row = session.get_one(Outbox, job.row_id)
            job.incident = session.get_one(Incident, row.incident_id)
            job.site = session.get_one(Site, job.incident.site_id)
            job.row = row
        return None


class Wanted:
    """Looks whether the message still tells somebody something new."""

    def __init__(self, post: Post) -> None:
        self._post = post

    def __call__(self, job: Job) -> Outcome | None:
        """Cancel, or put off what an earlier message must precede."""
        row, incident = _claimed(job)
        with Session(self._post.engine) as session:
            query = select(Outbox).where(
                Outbox.incident_id == incident.id, Outbox.channel == row.channel, Outbox.id < row.id
            )
            earlier = list(session.scalars(query.order_by(Outbox.id)))
        return unwanted(row, incident, earlier, self._post.routing)


def unwanted(row: Outbox, incident: Incident, earlier: Sequence[Outbox], routing: Routing) -> Outcome | None:
    """Return why a message is not to be sent now, None when it is."""
    if row.kind == "alert":
        return _unwanted_alert(row, incident, routing)
    if row.kind == "update" and incident.cleared_ms is not None:
        return Outcome(Result.CANCELLED, "cleared")
    if row.kind == "recovery" and incident.cleared_ms is None:
        return Outcome(Result.CANCELLED, "relapsed")
    alerts = [other for other in earlier if other.kind == "alert"]
    if any(other.status == "claimed" for other in alerts):
        return Outcome(Result.EARLY, "the alert is on its way")
    if not any(other.status == "delivered" for other in alerts):
        return Outcome(Result.CANCELLED, "no alert was delivered")
    return None


def _unwanted_alert(row: Outbox, incident: Incident, routing: Routing) -> Outcome | None:
    if incident.cleared_ms is not None:
        return Outcome(Result.CANCELLED, "cleared")
    if incident.status not in {Status.OPEN, Status.NOTIFIED}:
        return Outcome(Result.CANCELLED, incident.status)  # somebody has it already
    if row.channel not in routing.names(incident.condition, incident.severity, incident.cause):
        return Outcome(Result.CANCELLED, "not for this channel any more")
    return None


class Render:
    """Puts the incident into words, as it stands now."""

    def __init__(self, post: Post) -> None:
        self._post = post

    def __call__(self, job: Job) -> Outcome | None:
        """Fill title and body."""
        row, incident = _claimed(job)
        language = self._post.config.language
        site = cast("Site", job.site)
        job.title, job.body = texts.message(row.kind, incident, site, language, self._post.public_url)
        return None


class Send:
    """Hands the message to the channel."""

    def __init__(self, post: Post) -> None:
        self._post = post

    def __call__(self, job: Job) -> Outcome | None:
        """Send; what the channel raises is the outcome."""
        self._post.channel.send(job.title, job.body)
        return Outcome(Result.DELIVERED)


class Settle:
    """Writes down what became of it; of a first alert also that people know."""

    def __init__(self, post: Post) -> None:
        self._post = post

    def __call__(self, job: Job, outcome: Outcome) -> None:
        """Settle the row, unless its claim ran out and another one has it."""
        row, incident = _claimed(job)
        now_ms = self._post.clock.now_ms()
        settled = retry.settle(outcome, row.attempts, row.id, now_ms)
        with Session(self._post.engine) as session, session.begin():
            session.execute(
                update(Outbox)
                .where(Outbox.id == row.id, Outbox.status == "claimed", Outbox.claimed_ms == row.claimed_ms)
                .values(
                    status=settled.status,
                    due_ms=row.due_ms if settled.due_ms is None else settled.due_ms,
                    delivered_ms=now_ms if outcome.result == Result.DELIVERED else None,
                    reason=outcome.reason[:300] or None,
                )
                .execution_options(synchronize_session=False)
            )
            if outcome.result == Result.DELIVERED and row.kind == "alert":
                self._tell(session, incident.id, row.channel, now_ms)
        self._post.metrics.notifications.labels(channel=row.channel, result=settled.status).inc()

    def _tell(self, session: Session, incident_id: int, channel: str, now_ms: int) -> None:
        incident = lifecycle.find(session, incident_id)
        if lifecycle.move(session, incident, Move.NOTIFIED):
            lifecycle.record(session, incident, "notified", now_ms, {"channel": channel}, "alerts")


def _claimed(job: Job) -> tuple[Outbox, Incident]:
    """Return what ``claim`` has read."""
    if job.row is None or job.incident is None:
        raise RuntimeError("stages run out of order: claim comes first")
    return job.row, job.incident
