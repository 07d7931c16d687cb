"""When a frame is sent again."""

from __future__ import annotations

from agent.outstanding import LONGEST_MS, Outstanding
from agent.segment import Record
from agent.shelf import Entry


def frame(seq: int) -> Entry:
    entry = Entry(Record("data", 1, b"incarnat", seq, "vigia/v1/a/mx-001/data", b""), 40)
    if entry.state == "sealed":
        entry.fire("spooled")
    return entry


def test_a_delay_learned_from_an_outage_does_not_hold_a_frame_back_for_hours() -> None:
    outstanding = Outstanding(60_000, lambda: 0.0)
    outstanding.sent(frame(0), 1, 0)
    first = outstanding.due(10**9, lambda _entry: True)[0]
    outstanding.settle(first.entry, 6 * 3_600_000)  # answered after six hours without a centre
    outstanding.sent(frame(1), 2, 0)
    assert outstanding.next_due_ms(lambda _entry: True) == LONGEST_MS


def test_each_time_takes_twice_as_long_as_the_one_before() -> None:
    outstanding = Outstanding(60_000, lambda: 0.0)
    outstanding.sent(frame(0), 1, 0)
    waits = []
    for mid in range(2, 8):
        due_ms = outstanding.next_due_ms(lambda _entry: True)
        assert due_ms is not None
        waits.append(due_ms)
        outstanding.again(outstanding.due(due_ms, lambda _entry: True)[0], mid, 0)
    assert waits == [60_000, 120_000, 240_000, 480_000, LONGEST_MS, LONGEST_MS]
