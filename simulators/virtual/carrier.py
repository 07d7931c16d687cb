"""MQTT without a network: a broker in memory, and the line of each device to it.

A line has a delay, loses packets (TCP sends them again, later) and can be dead. On a dead line messages wait;
the broker closes the session and publishes the will one and a half keepalives after it heard the device last,
and the device notices at its next ping. A process that dies closes its sockets; a machine without power does
not.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import TYPE_CHECKING, Final

from agent.errors import LinkError
from agent.wire import topics
from simulators.world import noise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from simulators.virtual.loop import VirtualTime
    from simulators.world.place import Way

KEEPALIVE_S: Final = 20
LAPSE_S: Final = 1.5 * KEEPALIVE_S
NOTICE_S: Final = 2.0 * KEEPALIVE_S  # a ping, and as long for its answer
SYN_S: Final = 15.0  # nobody answers
RETRANSMIT_S: Final = 0.3  # TCP's first, doubled each time
_ROUND_TRIPS: Final = 6  # TCP, TLS, CONNECT: one-way delays until CONNACK
_MOST_LOSSES: Final = 8


class Broker:
    """Sessions, wills, the collector's status, and the ingest's queue."""

    def __init__(self, time: VirtualTime, deliver: Callable[[str, bytes], None]) -> None:
        self.time = time
        self.up = True
        self.reachable = True  # the centre's own uplink
        self.lines: dict[str, Line] = {}
        self._deliver = deliver
        self._status = "online"
        self._epoch = 1

    def publish(self, topic: str, payload: bytes) -> None:
        """Hand a message to the ingest's session."""
        if self.up:
            self._deliver(topic, payload)

    def send(self, topic: str, payload: bytes) -> bool:
        """Send to the device that a topic names, at QoS 0: a line that is down loses it."""
        _, device, _ = topics.parse(topic)
        line = self.lines.get(device)
        if not self.up or line is None:
            return False
        line.receive(topic, payload)
        return True

    def set_collector(self, *, online: bool) -> None:
        """Change the retained status of every shard."""
        self._status = "online" if online else "offline"
        self._epoch += online
        for line in list(self.lines.values()):
            line.tell_status()

    def status(self) -> bytes:
        """Return the collector's retained status."""
        return json.dumps({"state": self._status, "owner": "sim", "epoch": self._epoch}).encode()

    def fall(self) -> None:
        """Die: all connections end, wills are not published."""
        self.up = False
        for line in list(self.lines.values()):
            line.broken("the broker ended")
        self.lines.clear()

    def rise(self) -> None:
        """Run again."""
        self.up = True

    def turn(self, devices: Iterable[str] | None = None) -> None:
        """Look at the lines of these devices again (None: all): something about their ways has changed."""
        for device in list(self.lines) if devices is None else devices:
            if device in self.lines:
                self.lines[device].turn()


class Line:
    """One connection of one device: the broker's end and the way between."""

    def __init__(self, broker: Broker, device: str, will: tuple[str, bytes], way: Callable[[], Way]) -> None:
        self.device = device
        self.will: tuple[str, bytes] | None = will
        self.client: Transport | None = None
        self._broker = broker
        self._way = way
        self._heard_s = broker.time.now_s
        self._dead_s: float | None = None  # since when nothing passes
        self._waiting: list[tuple[str, bytes, int]] = []
        self._due_s = 0.0
        self._numbers = itertools.count(1)
        self._timers: list[asyncio.TimerHandle] = []
        self._watch: list[asyncio.TimerHandle] = []  # what a dead line leads to
        self._abandoned = False  # nobody is at the device's end
        self._sent = 0

    def send(self, topic: str, payload: bytes) -> int:
        """Take a message of the device; return its id."""
        mid = next(self._numbers)
        if self._dead_s is None:
            self._heard_s = self._broker.time.now_s
            self._travel(topic, payload, mid)
        else:
            self._waiting.append((topic, payload, mid))
        return mid

    def receive(self, topic: str, payload: bytes) -> None:
        """Take a message for the device."""
        if self._dead_s is None:
            self._later(self._delay_s(), self._hand_over, topic, payload)

    def tell_status(self) -> None:
        """Tell the device what the collector says of itself; what cannot pass is told when it can."""
        if self.client is not None:
            for topic in self.client.statuses:
                self.receive(topic, self._broker.status())

    def turn(self) -> None:
        """See whether the way is there."""
        if self._abandoned:
            return
        up = self._way().up and self._broker.reachable and not self._frozen()
        if not up and self._dead_s is None:
            self._die()
            self._watch.append(self._later(NOTICE_S - self._quiet_s(), self._notice))
        elif up and self._dead_s is not None:
            self._dead_s = None
            _cancel(self._watch)
            if self.will is None:  # the broker gave it up: the next packet is answered with a reset
                self._later(RETRANSMIT_S, self.broken, "the broker closed the connection")
                return
            self._heard_s = self._broker.time.now_s
            waiting, self._waiting = self._waiting, []
            for message in waiting:
                self._travel(*message)
            self.tell_status()

    def closed(self) -> None:
        """Take the end of the device's process: its kernel says so if anything passes."""
        self.client, self._abandoned = None, True
        if self._dead_s is None:
            self._later(self._delay_s(), self._lapse)

    def stranded(self) -> None:
        """Take the machine's loss of power: nobody says anything."""
        self.client, self._abandoned = None, True
        if self._dead_s is None:
            self._die()

    def goodbye(self) -> None:
        """Take the device's DISCONNECT."""
        self.client, self._abandoned = None, True
        if self._dead_s is None:
            self.will = None
            self._later(self._delay_s(), self._gone)

    def drop(self) -> None:
        """Forget it without any sign: who watches from outside sees nothing."""
        self.will = None
        self.client = None
        self._cancel()
        self._gone()

    def broken(self, why: str) -> None:
        """End at the device's end."""
        client, self.client = self.client, None
        self._cancel()
        self._gone()
        if client is not None:
            client.lost(why)

    def taken_over(self) -> None:
        """Let another connection of the same device take its place: the old will first."""
        self._cancel()
        self._publish_will()
        client, self.client = self.client, None
        if client is not None:
            client.lost("taken over")

    def _die(self) -> None:
        """Let nothing pass from now on; the broker waits for its keepalive."""
        self._dead_s = self._broker.time.now_s
        self._watch.append(self._later(LAPSE_S - self._quiet_s(), self._lapse))

    def _quiet_s(self) -> float:
        """Return how long ago its last word was: it pings when it was quiet for a keepalive."""
        return (self._broker.time.now_s - self._heard_s) % KEEPALIVE_S

    def _lapse(self) -> None:
        self._publish_will()
        if self.client is None:
            self._gone()

    def _notice(self) -> None:
        self.broken("no answer to a ping")

    def _publish_will(self) -> None:
        if self.will is not None and self._broker.up and self._broker.lines.get(self.device) is self:
            self._broker.publish(*self.will)
        self.will = None

    def _gone(self) -> None:
        if self.will is None and self._broker.lines.get(self.device) is self:
            del self._broker.lines[self.device]

    def _travel(self, topic: str, payload: bytes, mid: int) -> None:
        """Send a message on its way; what was sent later does not overtake it."""
        now = self._broker.time.now_s
        self._due_s = max(self._due_s, now + self._delay_s())
        self._later(self._due_s - now, self._arrive, topic, payload, mid)

    def _arrive(self, topic: str, payload: bytes, mid: int) -> None:
        if self._dead_s is not None:
            self._waiting.append((topic, payload, mid))
        elif self._broker.up and self.will is not None:
            self._broker.publish(topic, payload)
            self._later(self._delay_s(), self._puback, mid)

    def _puback(self, mid: int) -> None:
        if self.client is not None and self._dead_s is None:
            self.client.on_puback(mid)

    def _hand_over(self, topic: str, payload: bytes) -> None:
        if self.client is not None and self._dead_s is None:
            self.client.on_message(topic, payload)

    def _delay_s(self) -> float:
        way = self._way()
        self._sent += 1
        losses = 0
        while losses < _MOST_LOSSES and noise.uniform(7, self.device, self._sent, losses) < way.loss:
            losses += 1
        return way.delay_ms / 1000.0 + RETRANSMIT_S * float(2**losses - 1)

    def _frozen(self) -> bool:
        return self.client is not None and self.client.frozen

    def _later(self, seconds: float, call: Callable[..., None], *args: object) -> asyncio.TimerHandle:
        loop = asyncio.get_running_loop()
        self._timers = [timer for timer in self._timers if timer.when() > loop.time()]
        self._timers.append(loop.call_later(max(0.0, seconds), call, *args))
        return self._timers[-1]

    def _cancel(self) -> None:
        _cancel(self._timers)
        _cancel(self._watch)


class Transport:
    """The agent's end; it keeps the contract of ``agent/transport/contract.py``."""

    def __init__(self, broker: Broker, device: str, way: Callable[[], Way]) -> None:
        self.on_message: Callable[[str, bytes], None] = _nobody
        self.on_puback: Callable[[int], None] = _nobody
        self.on_lost: Callable[[str], None] = _nobody
        self.on_room: Callable[[], None] = _nobody
        self.statuses: list[str] = []
        self.frozen = False
        self.dead = False  # the machine has no power: closing says nothing
        self._broker = broker
        self._device = device
        self._way = way
        self._line: Line | None = None

    async def connect(self, will_topic: str, will_payload: bytes) -> None:
        """Return once the broker has accepted this device."""
        way = self._way()
        if not (way.up and self._broker.reachable):
            await asyncio.sleep(SYN_S)
            raise LinkError("unreachable", "no route")
        await asyncio.sleep(_ROUND_TRIPS * way.delay_ms / 1000.0)
        if not self._broker.up:
            raise LinkError("unreachable", "connection refused")
        if not self._way().up:
            await asyncio.sleep(SYN_S)
            raise LinkError("lost", "the connection ended right after it was accepted")
        before = self._broker.lines.get(self._device)
        if before is not None:
            before.taken_over()
        line = Line(self._broker, self._device, (will_topic, will_payload), self._way)
        line.client = self
        self._broker.lines[self._device] = self._line = line

    async def subscribe(self, subscriptions: list[tuple[str, int]]) -> None:
        """Return once the broker has granted all; retained messages follow."""
        await asyncio.sleep(2.0 * self._way().delay_ms / 1000.0)
        if self._line is None:
            raise LinkError("lost", "the connection ended")
        self.statuses = [topic for topic, _ in subscriptions if topic.endswith("/collector")]
        self._line.tell_status()

    def publish(self, topic: str, payload: bytes) -> int:
        """Send with QoS 1; return the message id."""
        if self._line is None:
            raise LinkError("not_connected", "there is no connection to the broker")
        return self._line.send(topic, payload)

    def room(self) -> bool:
        """Tell whether another frame may be handed over: memory is no matter here."""
        return self._line is not None

    async def disconnect(self) -> None:
        """Send DISCONNECT and close."""
        line, self._line = self._line, None
        if line is not None:
            line.goodbye()

    def close(self) -> None:
        """Drop what is open."""
        line, self._line = self._line, None
        if line is None:
            return
        if self.dead:
            line.stranded()
        else:
            line.closed()

    def vanish(self) -> None:
        """Drop what is open so that nobody outside notices: the simulation takes a pause."""
        line, self._line = self._line, None
        if line is not None:
            line.drop()

    def lost(self, why: str) -> None:
        """Take the end of the connection."""
        self._line = None
        self.on_lost(why)


def _cancel(timers: list[asyncio.TimerHandle]) -> None:
    for timer in timers:
        timer.cancel()
    timers.clear()


def _nobody(*_: object) -> None:
    """Nobody listens yet."""
