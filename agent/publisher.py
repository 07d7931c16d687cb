"""Keeps the link, sends what the spool holds, and clears the spool by the collector's acks alone.

One task runs the link through its table; transport callbacks only note what happened and wake it. It owns
the waiting between attempts; nobody else retries.
"""

import asyncio

from agent.acks import AckReader
from agent.backoff import Backoff
from agent.errors import LinkError, SpoolError
from agent.outbox import Outbox
from agent.outstanding import Outstanding
from agent.shards import Shards
from agent.timing import LimitReached, wait_for_event, within
from agent.transport import link
from agent.wire import topics

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from agent.log import Log
    from agent.sealer import Sealer
    from agent.shelf import Entry
    from agent.spool import Spool
    from agent.timing import Clock
    from agent.transport.contract import Transport

CONNECT_LIMIT_MS = 30_000  # TCP, a TLS handshake on a slow router (1.2 s of processor), CONNACK
SUBSCRIBE_LIMIT_MS = 15_000
STOP_LIMIT_MS = 3000  # of waiting for the PUBACK of the planned stop: procd kills after 5 s
DISCONNECT_LIMIT_MS = 1000
IDLE_MS = 60_000
MEMORY_MS = 1000  # until a frame that there was no memory for is tried again
QOS = 1
REASONS = ("sent", "resent", "acked", "refused")


class Timers:
    """The two intervals of the configuration that the publisher needs, in ms."""

    def __init__(self, resend_ms: int, spread_ms: int) -> None:
        """``spread_ms``: devices return over this time after a lost link."""
        self.resend_ms = resend_ms
        self.spread_ms = spread_ms


class Publisher:
    """The link's task. ``counts`` has what was sent, acked, refused, and every reason to ignore a message."""

    def __init__(  # noqa: PLR0913, PLR0917 - the composition root hands over the six parts by name
        self,
        clock: "Clock",
        transport: "Transport",
        spool: "Spool",
        sealer: "Sealer",
        acks: AckReader,
        timers: Timers,
        log: "Log",
    ) -> None:
        """Take over the transport's and the sealer's callbacks."""
        self._clock = clock
        self._transport = transport
        self._spool = spool
        self._sealer = sealer
        self._acks = acks
        self._log = log
        self._shards = Shards()
        self._outbox = Outbox()
        self._outstanding = Outstanding(timers.resend_ms, self._chance)
        self._backoff = Backoff(timers.spread_ms, self._chance)
        self._wake = asyncio.Event()
        self._stopping = False
        self._opening: "asyncio.Task[None] | None" = None
        self._stop_entry: "Entry | None" = None
        self.link = link.Link(clock.uptime_ms)
        self.counts = dict.fromkeys(REASONS, 0)
        self.heard_ms: "int | None" = None  # when the collector last said something that was believed
        transport.on_message = self._on_message
        transport.on_puback = self._on_puback
        transport.on_lost = self._on_lost
        transport.on_room = self._wake.set
        sealer.sealed = self._on_sealed

    async def run(self) -> None:
        """Keep the link until ``stop``; then say goodbye if it is up."""
        try:
            while not self._stopping:
                await self._cycle()
            await self._close()
        finally:
            self._transport.close()

    async def _cycle(self) -> None:
        """Wait as long as the last attempt taught, then make one connection and use it to its end."""
        await self._pause(self._backoff.wait_ms())
        if not self._stopping and await self._open():
            await self._serve()

    def stop(self, last: "Entry | None") -> None:
        """End ``run``, after ``last`` (the planned stop's event) has reached the broker if the link is up."""
        self._stopping = True
        self._stop_entry = last
        self._wake.set()
        if self._opening is not None:
            self._opening.cancel()

    def outstanding(self) -> int:
        """Return how many frames were sent and are not settled."""
        return len(self._outstanding)

    # --- the link ---

    async def _pause(self, wait_ms: int) -> None:
        until_ms = self._clock.uptime_ms() + wait_ms
        while not self._stopping and self._clock.uptime_ms() < until_ms:
            self._wake.clear()
            await wait_for_event(self._clock, self._wake, until_ms - self._clock.uptime_ms())

    async def _open(self) -> bool:
        """Connect and subscribe; True when the link is up."""
        self.link.fire("connect")
        self._opening = asyncio.create_task(self._connect())
        try:
            await self._opening
        except asyncio.CancelledError:
            if not self._stopping:
                raise
            return False
        except (LinkError, LimitReached) as error:
            await self._failed(error)
            return False
        finally:
            self._opening = None
        self._outbox.fill(self._spool.entries())
        self.link.fire("suback")
        self._log.info("link_up", "connected, session " + str(self.link.sessions))
        await self._sealer.birth(self.link.sessions)
        return True

    async def _connect(self) -> None:
        will_topic, will = await self._sealer.death(self.link.sessions)
        await within(self._clock, self._transport.connect(will_topic, will), CONNECT_LIMIT_MS)
        self.link.fire("connack")
        await within(self._clock, self._transport.subscribe(self._subscriptions()), SUBSCRIBE_LIMIT_MS)
        self._still_connected()

    def _still_connected(self) -> None:
        if self.link.state == link.DOWN:
            raise LinkError("lost", "the connection ended while subscribing")

    async def _failed(self, error: "LinkError | LimitReached") -> None:
        self._backoff.failed()
        self._count("link_" + error.reason)
        self._log.trouble("link_" + error.reason, "no link to the broker: " + str(error))
        if self.link.state == link.SUBSCRIBING:  # connected, but of no use
            await self._disconnect()
        if self.link.state != link.DOWN:
            self.link.fire("lost")

    def _subscriptions(self) -> list[tuple[str, int]]:
        """Acks, and the collector's status for every shard that frames in the spool were sealed for."""
        _, device, _ = topics.parse(self._sealer.own_topic())
        shards = {self._sealer.own_topic()} | {entry.topic for entry in self._spool.entries()}
        wanted = sorted({_status_topic(topic) for topic in shards})
        return [("vigia/v1/+/" + device + "/ack", QOS)] + [(topic, QOS) for topic in wanted]

    async def _serve(self) -> None:
        """Send until the link is lost or the agent stops."""
        while self.link.up() and not self._stopping:
            self._wake.clear()
            wait_ms = await self._pump()
            if self.link.up() and not self._stopping:
                await wait_for_event(self._clock, self._wake, wait_ms)

    async def _close(self) -> None:
        """End the link in good order, from whatever state it is in."""
        if self.link.up():
            await self._deliver_stop()
        self.link.fire("stop")
        if self.link.state == link.CLOSING:
            await self._disconnect()
        if self.link.state == link.CLOSING:  # not lost meanwhile
            self.link.fire("disconnected")

    async def _deliver_stop(self) -> None:
        """Wait, not for long, until the broker has the planned stop: DISCONNECT discards the will."""
        until_ms = self._clock.uptime_ms() + STOP_LIMIT_MS
        while self.link.up() and self._clock.uptime_ms() < until_ms:
            self._wake.clear()
            await self._pump()
            if self._stop_entry is None or self._stop_entry.safe():
                return
            await wait_for_event(self._clock, self._wake, until_ms - self._clock.uptime_ms())

    async def _disconnect(self) -> None:
        try:
            await within(self._clock, self._transport.disconnect(), DISCONNECT_LIMIT_MS)
        except (LinkError, LimitReached) as error:
            self._log.trouble("link_disconnect", str(error))

    # --- sending ---

    async def _pump(self) -> int:
        """Send all that may go now; return in how many ms there may be more."""
        now_ms = self._clock.uptime_ms()
        try:
            self._send_all(now_ms)
        except LinkError as error:
            await self._disconnect()  # nothing more comes from that connection
            if self.link.up():
                self._on_lost(error.reason)
        except MemoryError:  # a small heap has no place for a frame now; the readers will give theirs back
            self._count("no_memory")
            self._log.trouble("no_memory", "no memory to send a frame")
            return MEMORY_MS
        return self._next_ms(now_ms)

    def _send_all(self, now_ms: int) -> None:
        self._outstanding.forget_gone()
        while self._room(urgent=True) and self._send(self._outbox.urgent(), now_ms):
            pass
        for item in self._outstanding.due(now_ms, self._online):
            if not self._transport.room():
                break
            mid = self._publish(item.entry)
            if mid is not None:
                self._count("resent")
                self._outstanding.again(item, mid, now_ms)
        while self._room(urgent=False) and self._send(self._outbox.other(now_ms), now_ms):
            pass

    def _room(self, *, urgent: bool) -> bool:
        return self._outstanding.room(urgent=urgent) and self._transport.room()

    def _next_ms(self, now_ms: int) -> int:
        waits = [IDLE_MS]
        if not self._transport.room():  # on_room wakes
            return IDLE_MS
        due_ms = self._outstanding.next_due_ms(self._online)
        if due_ms is not None:
            waits.append(max(0, due_ms - now_ms))
        backlog_ms = self._outbox.wait_ms(now_ms)
        if backlog_ms is not None and self._outstanding.room(urgent=False):
            waits.append(backlog_ms)
        return min(waits)

    def _send(self, entry: "Entry | None", now_ms: int) -> bool:
        """Send a frame for the first time on this connection; False when there is none."""
        if entry is None:
            return False
        try:
            mid = self._publish(entry)
        except MemoryError:
            self._outbox.add(entry)
            raise
        if mid is not None:
            self._count("sent")
            self._outstanding.sent(entry, mid, now_ms)
        return True

    def _publish(self, entry: "Entry") -> "int | None":
        """Hand a frame to the transport; return its message id, None when the spool has it no more."""
        try:
            frame = self._spool.read(entry)
        except SpoolError as error:
            self._spool.lose(entry, "unreadable")
            self._log.trouble("spool_" + error.reason, str(error))
            return None
        return self._transport.publish(entry.topic, frame)

    def _online(self, entry: "Entry") -> bool:
        return self._shards.online(_status_topic(entry.topic), self._clock.uptime_ms())

    # --- what happens ---

    def _on_sealed(self, entry: "Entry") -> None:
        if self.link.up():
            self._outbox.add(entry)
            self._wake.set()

    def _on_puback(self, mid: int) -> None:
        entry = self._outstanding.puback(mid)
        if entry is not None and entry is self._stop_entry:
            self._wake.set()

    def _on_lost(self, reason: str) -> None:
        self._count("lost")
        self._log.trouble("link_lost", "the link is lost: " + reason)
        self.link.fire("lost")
        self._backoff.lost()
        self._outstanding.clear()
        self._outbox.clear()
        self._wake.set()

    def _on_message(self, topic: str, payload: bytes) -> None:
        if topic.endswith("/collector"):
            self._on_status(topic, payload)
        else:
            self._on_ack(topic, payload)
        self._wake.set()

    def _on_status(self, topic: str, payload: bytes) -> None:
        now_ms = self._clock.uptime_ms()
        was_online = self._shards.online(topic, now_ms)
        said = self._shards.take(topic, payload, now_ms)
        self._count("status_" + said)
        if said == "online" and not was_online:
            self._outstanding.restart(lambda entry: _status_topic(entry.topic) == topic, now_ms)

    def _on_ack(self, topic: str, payload: bytes) -> None:
        verdict = self._acks.read(topic, payload, self._sealer.next_seq)
        now_ms = self._clock.uptime_ms()
        if verdict.trouble:
            self._count(verdict.trouble)
            self._log.trouble(verdict.trouble, "an ack on " + topic + " is ignored")
        else:
            self.heard_ms = now_ms
        for entry in verdict.stored:
            self._count("acked")
            self._outstanding.settle(entry, now_ms)
            self._spool.done(entry)
        for entry, reason in verdict.refused:
            self._count("refused")
            self._log.trouble("refused", "the collector refused seq " + str(entry.seq) + ": " + reason)
            self._outstanding.settle(entry, now_ms)
            self._spool.lose(entry, "refused")

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    def _chance(self) -> float:
        return int.from_bytes(self._clock.random_bytes(2), "big") / 65536


def _status_topic(topic: str) -> str:
    return topics.status(topics.parse(topic)[0])
