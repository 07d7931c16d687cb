"""The queue of one client: order, window, bounds, what a lost connection does."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.broker.outbox import LAST_MID, Limits, Outbox
from collector.broker.packets import Message


def message(n: int, qos: int = 1, size: int = 0) -> Message:
    return Message("t", b"%d" % n + b" " * size, qos)


def drain(box: Outbox) -> list[tuple[int, bytes, bool]]:
    taken = []
    while (departure := box.take()) is not None:
        taken.append((departure.mid, departure.message.payload, departure.again))
    return taken


def test_in_order_within_the_window():
    box = Outbox(Limits(in_flight=2))
    assert [box.offer(message(n)) for n in range(3)] == [None, None, None]
    assert drain(box) == [(1, b"0", False), (2, b"1", False)]
    assert box.acked(2) is None
    assert drain(box) == [(3, b"2", False)]


def test_qos_0_does_not_wait_for_an_ack():
    box = Outbox(Limits(in_flight=1))
    box.offer(message(0, qos=0))
    box.offer(message(1, qos=0))
    assert drain(box) == [(0, b"0", False), (0, b"1", False)]
    assert len(box) == 0


def test_a_lost_connection_sends_again_first_and_forgets_qos_0():
    box = Outbox(Limits())
    for n in range(3):
        box.offer(message(n))
    drain(box)
    box.acked(2)
    box.offer(message(3, qos=0))
    box.offer(message(4))
    box.rewind()
    assert drain(box) == [(1, b"0", True), (3, b"2", True), (4, b"4", False)]


def test_an_ack_for_something_not_in_flight():
    box = Outbox(Limits())
    assert box.acked(7) == "unknown_mid"
    box.offer(message(0))
    drain(box)
    assert box.acked(1) is None
    assert box.acked(1) == "unknown_mid"


def test_bounded_by_number():
    box = Outbox(Limits(messages=2))
    assert [box.offer(message(n)) for n in range(3)] == [None, None, "queue_full"]


def test_bounded_by_bytes_including_those_in_flight():
    box = Outbox(Limits(bytes=25))
    assert [box.offer(message(n, size=9)) for n in range(3)] == [None, None, "queue_full"]
    drain(box)
    assert box.offer(message(3, size=9)) == "queue_full"
    box.acked(1)
    assert box.offer(message(3, size=9)) is None


def test_packet_ids_go_round_and_skip_those_in_flight():
    box = Outbox(Limits())
    box.offer(message(0))
    drain(box)
    for n in range(LAST_MID - 1):
        box.offer(message(n))
        (mid, _, _) = drain(box)[0]
        box.acked(mid)
    box.offer(message(1))
    assert drain(box)[0][0] == 2


def test_it_wakes_its_connection():
    woken = []
    box = Outbox(Limits())
    box.wake = lambda: woken.append(1)
    box.offer(message(0))
    drain(box)
    box.acked(1)
    assert len(woken) == 2


@settings(max_examples=50)
@given(st.lists(st.sampled_from(["offer", "take", "ack", "lose"]), max_size=60))
def test_nothing_is_lost_or_invented(steps):
    """Whatever happens, what was offered is acknowledged exactly once, in the end."""
    box = Outbox(Limits(in_flight=3))
    offered, done, sent = 0, [], {}
    for step in steps:
        if step == "offer":
            box.offer(message(offered))
            offered += 1
        elif step == "take" and (departure := box.take()) is not None:
            sent[departure.mid] = departure.message.payload
        elif step == "ack" and sent:
            mid = next(iter(sent))
            assert box.acked(mid) is None
            done.append(sent.pop(mid))
        elif step == "lose":
            box.rewind()
            sent.clear()
    box.rewind()
    while (departure := box.take()) is not None:
        box.acked(departure.mid)
        done.append(departure.message.payload)
    assert sorted(done, key=int) == [b"%d" % n for n in range(offered)]
    assert len(box) == 0
