"""The publisher in virtual time: what is sent, when, in which order, and what an ack may do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.exceptions import InvalidSignature

from agent import loop
from agent.build import build
from agent.outbox import BACKLOG_BURST, BACKLOG_EVERY_MS
from agent.outstanding import LIMIT, RESERVED
from agent.publisher import MEMORY_MS
from agent.samples import Sample, packed
from agent.shards import RESET_MS
from agent.wire import cose, topics
from tests.agent.centre import DEVICE, SITE, Centre, Received, status
from tests.agent.virtual import ScriptedTransport, VirtualClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    Runner = Callable[[Callable[["Bench"], Awaitable[None]]], None]

SHARD = topics.shard_of(SITE)
STATUS = topics.status(SHARD)
ACK = topics.make(SHARD, DEVICE, "ack")


class Bench:
    """An agent without readers on a scripted link."""

    def __init__(
        self, config: dict[str, Any], folder: Path, transport: ScriptedTransport | None = None
    ) -> None:
        config["intervals"] |= {"frame_s": 86_400, "resend_s": 60, "reconnect_s": 30}
        config["readers"] = {}
        self.clock = VirtualClock()
        self.transport = transport or ScriptedTransport()
        self.agent = build(config, clock=self.clock, readers=[], transport=self.transport)
        self.centre = Centre(folder)
        self.stop = asyncio.Event()
        self._seen = 0

    async def start(self) -> Bench:
        self.task = asyncio.create_task(self.agent.run(self.stop))
        await self.clock.settle()
        return self

    async def data(self, count: int = 1) -> None:
        for _ in range(count):
            await self.agent.parts.sealer.data(
                packed([Sample(self.clock.now_ms, "system", None, {"load1": 1.0})])
            )
        await self.clock.settle()

    async def event(self) -> None:
        await self.agent.event([Sample(self.clock.now_ms, "net", "eth0", {"carrier": 0})])
        await self.clock.settle()

    def new(self) -> list[Received]:
        """What was sent since the last call, verified."""
        fresh = self.transport.sent[self._seen :]
        self._seen = len(self.transport.sent)
        return [self.centre.take(topic, message) for topic, message in fresh]

    def ack(self, received: Received, **how: Any) -> None:
        self.transport.deliver(*self.centre.ack(received, **how))

    def counts(self) -> dict[str, int]:
        return dict(self.agent.status()["counts"])

    async def end(self) -> None:
        self.stop.set()
        await self.clock.advance(10_000)
        await self.task


@pytest.fixture(autouse=True)
def _no_early_frame(monkeypatch):
    monkeypatch.setattr(loop, "FIRST_FRAME_MS", 86_400_000)


@pytest.fixture
def bench(config, device_folder):
    """Runs a scenario with a bench that is connected, and stops it."""

    def run(scenario: Callable[[Bench], Awaitable[None]], *, refuse: str | None = None) -> None:
        async def whole() -> None:
            transport = ScriptedTransport()
            transport.refuse = refuse
            made = await Bench(config, device_folder, transport).start()
            await scenario(made)
            await made.end()

        asyncio.run(whole())

    return run


def scenario(test: Callable[[Bench], Awaitable[None]]) -> Callable[[Runner], None]:
    """A test that is itself the scenario."""

    def run(bench: Runner) -> None:
        bench(test)

    return run


def kinds(received: list[Received]) -> list[str]:
    return [one.kind for one in received]


@scenario
async def test_birth_follows_connack_and_the_will_names_the_session(bench: Bench):
    (birth,) = bench.new()
    assert (birth.kind, birth.seq, birth.payload.session) == ("birth", 0, 1)
    assert bench.transport.subscriptions == [(f"vigia/v1/+/{DEVICE}/ack", 1), (STATUS, 1)]
    assert bench.transport.will is not None
    death = bench.centre.take(*bench.transport.will)
    assert (death.kind, death.seq, death.payload.session) == ("death", None, 1)
    assert death.payload.incarnation == birth.payload.incarnation


@scenario
async def test_only_an_ack_clears_the_spool(bench: Bench):
    (birth,) = bench.new()
    assert bench.agent.status()["spooled"] == 1
    bench.ack(birth)
    assert bench.agent.status()["spooled"] == 0
    assert bench.counts()["acked"] == 1


@scenario
async def test_a_refused_frame_is_dropped_and_counted(bench: Bench):
    (birth,) = bench.new()
    bench.ack(birth, refused="bad_payload")
    assert bench.agent.status()["spooled"] == 0
    assert bench.agent.status()["dropped"] == {"refused": 1}
    await bench.data()
    assert bench.new()[0].payload.dropped == {"refused": 1}


@scenario
async def test_a_frame_there_is_no_memory_for_goes_out_later_and_nothing_ends(bench: Bench):
    bench.new()
    spool = bench.agent.parts.spool
    read = spool.read

    def full(_entry: Any) -> bytes:
        raise MemoryError

    spool.read = full  # type: ignore[assignment, method-assign]  # what a full heap does
    await bench.data(2)
    assert bench.new() == []
    spool.read = read  # type: ignore[method-assign]
    await bench.clock.advance(MEMORY_MS)
    assert {received.seq for received in bench.new()} == {1, 2}
    assert bench.counts()["no_memory"] >= 1


@scenario
async def test_a_wrong_mac_is_counted_and_ignored(bench: Bench):
    (birth,) = bench.new()
    topic, message = bench.centre.ack(birth)
    bench.transport.deliver(topic, message[:-1] + bytes([message[-1] ^ 1]))
    bench.transport.deliver(topics.make("0" if SHARD != "0" else "1", DEVICE, "ack"), message)
    bench.transport.deliver(topic, b"no COSE")
    assert bench.agent.status()["spooled"] == 1
    assert bench.counts()["ack_wrong_mac"] == 2
    assert bench.counts()["ack_malformed"] == 1


@scenario
async def test_an_unknown_incarnation_is_counted_and_ignored(bench: Bench):
    (birth,) = bench.new()
    bench.transport.deliver(*bench.centre.answer(birth, [[0, 0]], [], b"\1" * 8))
    assert bench.agent.status()["spooled"] == 1
    assert bench.counts()["ack_unknown_incarnation"] == 1


@scenario
async def test_a_seq_never_sealed_is_counted_and_ignored(bench: Bench):
    (birth,) = bench.new()
    bench.transport.deliver(*bench.centre.answer(birth, [[0, 1]], []))
    assert bench.agent.status()["spooled"] == 1
    assert bench.counts()["ack_never_sealed"] == 1


@scenario
async def test_another_key_in_the_ack_is_counted_and_ignored(bench: Bench):
    (birth,) = bench.new()
    birth.kid = b"\2" * 8
    bench.ack(birth)
    assert bench.agent.status()["spooled"] == 1
    assert bench.counts()["ack_other_key"] == 1


@scenario
async def test_no_resend_while_the_collector_is_not_known_to_be_online(bench: Bench):
    bench.new()
    await bench.clock.advance(3_600_000)
    assert "birth" not in kinds(bench.new())


@scenario
async def test_resends_double_with_jitter_while_online(bench: Bench):
    bench.new()
    bench.transport.deliver(STATUS, status("online"))
    begin_ms = bench.clock.now_ms
    times: list[int] = []
    while len(times) < 3:
        await bench.clock.advance(1000)
        if "birth" in kinds(bench.new()):
            times.append(bench.clock.now_ms)
    first, second, third = times[0] - begin_ms, times[1] - times[0], times[2] - times[1]
    assert 60_000 <= first <= 76_000
    assert 119_000 <= second <= 151_000
    assert 239_000 <= third <= 301_000


@scenario
async def test_offline_stops_resends_and_online_counts_anew(bench: Bench):
    bench.new()
    bench.transport.deliver(STATUS, status("online"))
    bench.transport.deliver(STATUS, status("offline"))
    await bench.clock.advance(600_000)
    assert kinds(bench.new()) == []
    bench.transport.deliver(STATUS, status("online"))
    await bench.clock.advance(59_000)
    assert kinds(bench.new()) == []
    await bench.clock.advance(17_000)
    assert kinds(bench.new()) == ["birth"]


@scenario
async def test_a_lower_epoch_and_nonsense_have_no_say(bench: Bench):
    bench.transport.deliver(STATUS, status("online", 5))
    bench.transport.deliver(STATUS, status("offline", 4))
    bench.transport.deliver(STATUS, b"{}")
    bench.transport.deliver(STATUS, b"\xff")
    assert bench.counts()["status_old_epoch"] == 1
    assert bench.counts()["status_malformed"] == 2
    bench.new()
    await bench.clock.advance(76_000)
    assert kinds(bench.new()) == ["birth"]


@scenario
async def test_the_usual_delay_stretches_the_resend(bench: Bench):
    (birth,) = bench.new()
    bench.transport.deliver(STATUS, status("online"))
    await bench.clock.advance(50_000)
    bench.ack(birth)
    await bench.data()
    bench.new()
    await bench.clock.advance(199_000)  # 4 x 50 s
    assert kinds(bench.new()) == []
    await bench.clock.advance(52_000)
    assert kinds(bench.new()) == ["data"]


@scenario
async def test_data_leave_room_for_events(bench: Bench):
    bench.new()
    await bench.data(40)
    assert len(bench.new()) == LIMIT - RESERVED - 1  # the birth is outstanding too
    await bench.event()
    assert kinds(bench.new()) == ["event"]
    for _ in range(20):
        await bench.event()
    assert bench.agent.status()["outstanding"] == LIMIT


@scenario
async def test_acks_let_the_next_frames_go(bench: Bench):
    (birth,) = bench.new()
    await bench.data(40)
    bench.ack(birth)
    await bench.clock.settle()
    sent = bench.new()
    assert len(sent) == LIMIT - RESERVED
    bench.transport.deliver(*bench.centre.answer(birth, [[1, LIMIT - RESERVED]], []))
    await bench.clock.settle()
    assert len(bench.new()) == 40 - len(sent)


@scenario
async def test_after_a_reconnect_newest_state_first_then_events_then_backlog_at_a_bounded_rate(bench: Bench):
    bench.new()
    bench.transport.cut()
    assert len(bench.transport.published_wills) == 1
    await bench.data(30)
    await bench.event()
    await bench.data()
    newest = bench.agent.status()["sealed"] - 1
    while not bench.transport.connected:
        await bench.clock.advance(100)
    sent = bench.new()
    assert (sent[0].kind, sent[0].payload.session) == ("birth", 2)
    assert sent[1].seq == newest
    assert sent[2].kind == "event"
    assert [one.seq for one in sent[3:]] == list(range(len(sent) - 3))  # the rest, oldest first
    assert len(sent) <= 2 + BACKLOG_BURST + 1
    before = len(sent)
    await bench.clock.advance(4 * BACKLOG_EVERY_MS)
    assert 3 <= len(bench.new()) <= 5
    await bench.event()  # what happens now does not wait behind the backlog
    assert kinds(bench.new()) == ["event"]
    assert before < 31


@scenario
async def test_what_is_outstanding_goes_again_at_once_after_a_reconnect(bench: Bench):
    bench.new()
    await bench.data(3)
    bench.new()
    bench.transport.cut()
    assert bench.agent.status()["outstanding"] == 0
    while not bench.transport.connected:
        await bench.clock.advance(100)
    assert {one.seq for one in bench.new()} >= {1, 2, 3}


@scenario
async def test_a_lost_link_is_made_again_within_the_spread(bench: Bench):
    delays = []
    for _ in range(20):
        bench.transport.cut()
        lost_ms = bench.clock.now_ms
        while not bench.transport.connected:
            await bench.clock.advance(500)
        delays.append(bench.clock.now_ms - lost_ms)
        await bench.clock.settle()
    assert max(delays) <= 30_500
    assert max(delays) - min(delays) > 10_000


def test_attempts_back_off_with_jitter(bench):
    async def scenario(made: Bench) -> None:
        assert made.transport.attempts == 1
        await made.clock.advance(600_000)
        assert 10 <= made.transport.attempts <= 24
        assert made.agent.status()["counts"]["link_unreachable"] == made.transport.attempts
        assert made.agent.status()["link"] == "down"

    bench(scenario, refuse="unreachable")


@scenario
async def test_a_connect_that_hangs_is_given_up(bench: Bench):
    bench.transport.hang = True
    bench.transport.cut()
    await bench.clock.advance(65_000)
    assert bench.counts()["link_timeout"] >= 1


@scenario
async def test_a_stop_interrupts_a_connect_that_hangs(bench: Bench):
    bench.transport.hang = True
    bench.transport.cut()
    await bench.clock.advance(31_000)
    assert bench.agent.status()["link"] == "connecting"
    bench.stop.set()
    await bench.clock.advance(100)
    assert bench.task.done()


@scenario
async def test_the_planned_stop_goes_out_before_disconnect(bench: Bench):
    bench.new()
    bench.stop.set()
    await bench.clock.advance(100)
    assert bench.task.done()
    assert [one.payload.stop for one in bench.new() if one.kind == "event"] == [True]
    assert bench.transport.published_wills == []
    assert not bench.transport.connected
    status_now = bench.agent.status()
    assert status_now["link"] == "closed"
    assert status_now["on_flash"] == status_now["spooled"] == status_now["sealed"]


@scenario
async def test_a_broker_that_does_not_answer_does_not_hold_the_stop(bench: Bench):
    bench.transport.pubacks = False
    bench.stop.set()
    await bench.clock.advance(2000)
    assert not bench.task.done()
    await bench.clock.advance(2000)
    assert bench.task.done()


@scenario
async def test_frames_of_an_earlier_site_keep_their_topic_and_its_status_is_asked_for(bench: Bench):
    other = "0" if SHARD != "0" else "1"
    identity = bench.agent.parts.identity
    identity.shard = other
    await bench.data()
    identity.shard = SHARD
    bench.transport.cut()
    while not bench.transport.connected:
        await bench.clock.advance(100)
    assert (topics.status(other), 1) in bench.transport.subscriptions
    moved = [one for one in bench.new() if one.topic == topics.make(other, DEVICE, "data")]
    assert moved
    bench.ack(moved[-1])  # the ack comes where the frame went
    assert bench.counts()["acked"] == 1


@scenario
async def test_a_spool_that_vanished_is_counted_and_harms_nothing(bench: Bench):
    bench.new()
    bench.transport.cut()
    await bench.data(2)
    for segment in bench.agent.parts.spool._segments():
        segment.shelf._files.remove(segment.path)
    while not bench.transport.connected:
        await bench.clock.advance(100)
    await bench.clock.advance(2000)
    assert bench.agent.status()["dropped"]["unreadable"] == 3
    assert bench.agent.status()["link"] == "up"


def test_a_signature_binds_frame_and_topic(config, device_folder):
    async def run() -> None:
        made = await Bench(config, device_folder).start()
        topic, message = made.transport.sent[0]
        with pytest.raises(InvalidSignature):
            made.centre.take(topic.replace("birth", "event"), message)
        assert cose.parse_sign1(message)[0] == made.agent.parts.publisher._acks._kid
        await made.end()

    asyncio.run(run())


@scenario
async def test_a_frames_life_follows_the_link_and_the_collectors_word(bench: Bench):
    entries = bench.agent.parts.spool.entries
    assert [entry.state for entry in entries()] == ["broker_acked"]
    bench.transport.pubacks = False
    await bench.data()
    assert [entry.state for entry in entries()] == ["broker_acked", "outstanding"]
    birth, data = entries()
    bench.transport.cut()
    assert [entry.state for entry in entries()] == ["spooled", "spooled"]
    while not bench.transport.connected:
        await bench.clock.advance(100)
    assert {entry.state for entry in entries()} == {"outstanding"}
    received = {one.seq: one for one in bench.new()}
    bench.ack(received[0])
    bench.ack(received[1], refused="bad_payload")
    assert (birth.state, data.state) == ("stored", "refused")


@scenario
async def test_a_puback_of_a_settled_frame_changes_nothing(bench: Bench):
    bench.transport.pubacks = False
    await bench.data()
    data = bench.new()[-1]
    mid = len(bench.transport.sent)
    bench.ack(data)
    bench.transport.on_puback(mid)
    bench.transport.on_puback(12345)
    assert data.seq not in {entry.seq for entry in bench.agent.parts.spool.entries()}


@scenario
async def test_a_rebuilt_collector_gets_lost_frames_again(bench: Bench):
    """Its epochs begin anew; the fleet does not wait for ever for the old ones."""
    bench.transport.deliver(STATUS, status("online", 40))
    bench.transport.deliver(STATUS, status("offline", 40))
    bench.new()
    bench.transport.deliver(STATUS, status("online", 1))
    assert bench.counts()["status_old_epoch"] == 1
    await bench.clock.advance(RESET_MS - 1000)
    assert kinds(bench.new()) == []
    await bench.clock.advance(120_000)
    assert "birth" in kinds(bench.new())


@scenario
async def test_status_messages_of_other_topics_are_nonsense(bench: Bench):
    for topic in ("vigia/v1/zz/collector", "vigia/v1/collector", "/collector"):
        bench.transport.deliver(topic, status("online"))
    assert bench.counts()["status_malformed"] == 3


@scenario
async def test_a_transport_without_room_is_given_nothing_until_it_has_room(bench: Bench) -> None:
    """What a slow line cannot take yet stays in the spool, not in the transport's memory."""
    bench.new()
    bench.transport.full = True
    await bench.data(3)
    await bench.clock.advance(600_000)  # resends wait too
    assert bench.new() == []
    bench.transport.full = False
    bench.transport.on_room()
    await bench.clock.settle()
    assert {received.seq for received in bench.new()} >= {1, 2, 3}
