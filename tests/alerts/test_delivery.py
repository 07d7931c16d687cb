"""From the outbox to the channels: crashes, failures, slow channels, restarts."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from collector.alerts import retry, stages
from collector.alerts.outbox import Told, told
from collector.alerts.retry import MAX_ATTEMPTS, Outcome, Result
from collector.model import Change
from collector.storage.state import Incident, Outbox
from tests.alerts.bench import MINUTE, PERMANENT, TEMPORARY, Bench

RAISED, CLEARED = Change.RAISED, Change.CLEARED


def row(bench: Bench, channel: str = "crew", kind: str = "alert") -> Outbox:
    with Session(bench.engine, expire_on_commit=False) as session:
        query = select(Outbox).where(Outbox.channel == channel, Outbox.kind == kind)
        return session.scalars(query).one()


def until(wanted, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def test_nothing_is_repeated_after_a_restart(bench):
    bench.say(RAISED)
    bench.after(MINUTE)
    bench.restart()
    bench.after(MINUTE)
    bench.say(CLEARED)
    bench.restart()
    bench.after(10 * MINUTE)
    bench.restart()
    bench.after(60 * MINUTE)
    assert bench.crew.kinds == ["Aviso", "Recuperado"]


def test_a_crash_between_claim_and_delivered_sends_again(bench):
    bench.say(RAISED)
    bench.clock.ms += MINUTE
    post = bench.service._post("crew")
    stages.Claim(post)(stages.Job(row(bench).id))
    assert row(bench).status == "claimed"
    bench.restart()
    bench.after(stages.CLAIM_MS)
    assert bench.crew.sent == []
    bench.after(1)
    assert bench.crew.kinds == ["Aviso"]
    assert (row(bench).status, row(bench).attempts) == ("delivered", 2)


def test_a_claim_is_taken_once(bench):
    bench.say(RAISED)
    bench.clock.ms += MINUTE
    post, row_id = bench.service._post("crew"), row(bench).id
    first, second = stages.Job(row_id), stages.Job(row_id)
    assert stages.Claim(post)(first) is None
    assert stages.Claim(post)(second) is not None
    assert second.row is None
    assert stages.run(post, stages.assemble(post), row_id) is None


def test_a_late_settle_does_not_undo_another_ones_claim(bench):
    bench.say(RAISED)
    bench.clock.ms += MINUTE
    post, job = bench.service._post("crew"), stages.Job(row(bench).id)
    stages.Claim(post)(job)
    bench.clock.ms += stages.CLAIM_MS + 1
    stages.Claim(post)(stages.Job(job.row_id))
    stages.Settle(post)(job, Outcome(Result.TEMPORARY, "timeout"))
    assert row(bench).status == "claimed"


def test_a_temporary_failure_comes_again_later(bench):
    bench.crew.fault = TEMPORARY
    bench.say(RAISED)
    bench.after(MINUTE)
    assert (row(bench).status, row(bench).reason) == ("deferred", "busy")
    bench.after(0)
    assert bench.crew.tried == 1
    bench.crew.fault = None
    bench.after(retry.FIRST_MS * 2)
    assert bench.crew.kinds == ["Aviso"]
    assert bench.incident().status == "notified"


def test_a_permanent_failure_does_not(bench):
    bench.crew.fault = PERMANENT
    bench.say(RAISED)
    bench.after(MINUTE)
    bench.after(60 * MINUTE)
    assert (bench.crew.tried, row(bench).status) == (1, "failed")


def test_what_breaks_on_one_message_does_not_stop_the_others(bench):
    bench.say(RAISED, "on_battery", subject="a/u")
    bench.say(RAISED, "on_battery", subject="b/u")
    with Session(bench.engine) as session, session.begin():
        session.execute(update(Incident).where(Incident.id == 1).values(facts=["poison"]))
    bench.after(MINUTE)
    assert [title.split()[1] for title, _ in bench.crew.sent] == ["#2"]
    statuses = [status for channel, _, status in bench.outbox() if channel == "crew"]
    assert statuses == ["deferred", "delivered"]


def test_attempts_are_bounded_and_waits_grow():
    waits = [retry.wait_ms(attempt, 0) for attempt in range(1, MAX_ATTEMPTS + 1)]
    assert waits[:4] == [5_000, 10_000, 20_000, 40_000]
    assert waits == sorted(waits)
    assert 10 * 3_600_000 < sum(waits) < 14 * 3_600_000
    failed = retry.settle(Outcome(Result.TEMPORARY, "x"), MAX_ATTEMPTS, 1, 0)
    assert failed.status == "failed"


def test_an_alert_that_failed_is_not_followed_by_a_recovery(bench):
    bench.crew.fault = TEMPORARY
    bench.say(RAISED)
    bench.after(MINUTE)
    bench.say(CLEARED)
    bench.crew.fault = None
    bench.after(60 * MINUTE)
    assert bench.crew.sent == []
    assert bench.office.kinds == ["Alert", "Recovered"]


def test_a_recovery_waits_for_the_alert_that_is_on_its_way(bench):
    """Cleared while the alert was being sent, and the sender died: no recovery before, none without it."""
    bench.say(RAISED)
    bench.clock.ms += MINUTE
    stages.Claim(bench.service._post("crew"))(stages.Job(row(bench).id))
    bench.say(CLEARED)
    bench.after(MINUTE)
    assert row(bench, kind="recovery").status == "deferred"
    bench.after(stages.CLAIM_MS)
    bench.after(MINUTE)
    assert bench.crew.sent == []
    assert row(bench, kind="recovery").status == "cancelled"


def test_a_slow_or_failing_channel_does_not_delay_others(tmp_path):
    bench = Bench(tmp_path, {"poll_ms": 50, "hold_off_ms": 0, "timeout_ms": 100})
    bench.crew.gate = threading.Event()
    stop = threading.Event()
    runner = threading.Thread(target=bench.service.run, args=(stop,))
    runner.start()
    try:
        for name in "abc":
            bench.say(RAISED, "on_battery", subject=f"{name}/u")
        until(lambda: bench.crew.tried and len(bench.office.sent) == 3)
        assert (bench.crew.tried, bench.crew.sent) == (1, [])
        bench.crew.gate.set()
        until(lambda: len(bench.crew.sent) == 3)
    finally:
        stop.set()
        bench.crew.gate.set()
        runner.join(10)
    assert not runner.is_alive()
    bench.close()


def test_messages_to_a_channel_that_is_gone_are_cancelled(bench):
    bench.say(RAISED)
    del bench.service._channels["crew"]
    bench.service.upkeep()
    assert bench.outbox() == [("crew", "alert", "cancelled"), ("office", "alert", "pending")]


@pytest.mark.parametrize(
    ("rows", "knows"),
    [
        ([], None),
        ([("alert", "pending")], Told.SOON),
        ([("alert", "deferred")], Told.SOON),
        ([("alert", "claimed")], Told.TOLD),
        ([("alert", "delivered")], Told.TOLD),
        ([("alert", "cancelled")], None),
        ([("alert", "failed")], None),
        ([("alert", "delivered"), ("update", "failed")], Told.TOLD),
        ([("alert", "delivered"), ("recovery", "pending")], Told.TOLD),
        ([("alert", "delivered"), ("recovery", "cancelled")], Told.TOLD),
        ([("alert", "delivered"), ("recovery", "delivered")], Told.NOTHING),
        ([("alert", "delivered"), ("recovery", "delivered"), ("alert", "pending")], Told.SOON),
    ],
)
def test_what_a_channel_knows(rows, knows):
    made = [Outbox(kind=kind, status=status, channel="crew") for kind, status in rows]
    assert told(made).get("crew") == knows
