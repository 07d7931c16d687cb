"""Who gets what: filters, sessions, retained messages, wills. No sockets."""

from __future__ import annotations

import pytest

from collector.broker.acl import Identity
from collector.broker.outbox import Departure, Limits
from collector.broker.packets import REFUSED_FILTER, Message
from collector.broker.router import MAX_FILTERS, Router, matches

DEVICE = Identity("router-a", "device")
COLLECTOR = Identity("vigia-collector", "collector")
DATA = "vigia/v1/0/router-a/data"
DEATH = "vigia/v1/0/router-a/death"


class Line:
    """A connection that does what a real one does with its session."""

    def __init__(self, router: Router, identity=COLLECTOR, client_id="vigia-ingest-0", **options):
        self.router = router
        self.superseded = False
        options = {"clean": False, "will": None} | options
        self.session, self.present = router.attach(self, identity, client_id, **options)

    def wake(self) -> None:
        pass

    def supersede(self) -> None:
        self.superseded = True
        self.router.detach(self.session, orderly=False)

    def next(self) -> Departure:
        departure = self.session.outbox.take()
        assert departure is not None
        return departure

    def payloads(self) -> list[bytes]:
        taken = []
        while (departure := self.session.outbox.take()) is not None:
            taken.append(departure.message.payload)
        return taken


@pytest.fixture
def problems():
    return []


@pytest.fixture
def router(problems):
    return Router(lambda reason, _text: problems.append(reason), Limits(messages=3))


@pytest.mark.parametrize(
    ("name", "topic", "expected"),
    [
        ("a/b", "a/b", True),
        ("a/+", "a/b", True),
        ("a/+", "a/b/c", False),
        ("a/+", "a", False),
        ("a/#", "a/b/c", True),
        ("a/#", "a", True),
        ("#", "a/b", True),
        ("+/+", "/a", True),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("a/b", "a/c", False),
    ],
)
def test_matches(name, topic, expected):
    assert matches(name, topic) == expected


def test_overlapping_filters_deliver_once_at_the_higher_qos(router):
    line = Line(router)
    router.subscribe(line.session, "vigia/v1/0/+/+", 0)
    router.subscribe(line.session, DATA, 1)
    router.publish(Message(DATA, b"x", 1))
    departure = line.next()
    assert (departure.message.payload, departure.message.qos) == (b"x", 1)
    assert line.session.outbox.take() is None


def test_the_lower_qos_counts(router):
    line = Line(router)
    router.subscribe(line.session, DATA, 1)
    router.publish(Message(DATA, b"x", 0))
    assert line.next().message.qos == 0


def test_a_sleeping_session_keeps_qos_1_only(router):
    line = Line(router)
    router.subscribe(line.session, DATA, 1)
    router.detach(line.session, orderly=True)
    router.publish(Message(DATA, b"zero", 0))
    router.publish(Message(DATA, b"one", 1))
    again = Line(router)
    assert again.present
    assert again.payloads() == [b"one"]


def test_a_full_queue_says_so(router, problems):
    line = Line(router)
    router.subscribe(line.session, DATA, 1)
    for n in range(4):
        router.publish(Message(DATA, b"%d" % n, 1))
    assert line.payloads() == [b"0", b"1", b"2"]
    assert problems == ["queue_full"]


def test_a_clean_session_leaves_nothing(router):
    line = Line(router, clean=True)
    router.subscribe(line.session, DATA, 1)
    router.detach(line.session, orderly=True)
    router.publish(Message(DATA, b"x", 1))
    again = Line(router)
    assert not again.present
    assert again.payloads() == []


def test_a_clean_connection_deletes_the_session(router):
    line = Line(router)
    router.subscribe(line.session, DATA, 1)
    router.detach(line.session, orderly=True)
    clean = Line(router, clean=True)
    router.detach(clean.session, orderly=True)
    assert not Line(router).present


def test_takeover_sends_the_will_before_the_new_session_speaks(router):
    collector = Line(router)
    router.subscribe(collector.session, "vigia/v1/0/+/+", 1)
    will = Message(DEATH, b"death", 1)
    old = Line(router, DEVICE, "router-a", clean=True, will=will)
    new = Line(router, DEVICE, "router-a", clean=True, will=will)
    assert old.superseded
    router.publish(Message(DATA, b"alive", 1))
    assert collector.payloads() == [b"death", b"alive"]
    router.detach(new.session, orderly=True)
    assert collector.payloads() == []


def test_retained(router):
    line = Line(router)
    router.publish(Message("vigia/v1/0/collector", b"online", 1, retain=True))
    router.send_retained(line.session, "vigia/v1/+/collector", 1)
    departure = line.next()
    assert (departure.message.payload, departure.message.retain) == (b"online", True)
    router.publish(Message("vigia/v1/0/collector", b"", 1, retain=True))
    router.send_retained(line.session, "vigia/v1/+/collector", 1)
    assert line.payloads() == []


def test_a_session_has_a_bounded_number_of_filters(router, problems):
    line = Line(router)
    granted = [router.subscribe(line.session, f"vigia/probe/{n}", 1) for n in range(MAX_FILTERS + 1)]
    assert granted == [1] * MAX_FILTERS + [REFUSED_FILTER]
    assert router.subscribe(line.session, "vigia/probe/0", 0) == 0
    assert problems == ["too_many_filters"]


def test_unsubscribing_what_was_never_subscribed(router):
    router.unsubscribe(Line(router).session, "vigia/v1/+/collector")
