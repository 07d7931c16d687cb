"""MQTT 3.1.1 over TLS for devices without an MQTT library; keeps agent.transport.contract.

A connection has one task that reads, one that looks after keepalive, and while bytes wait for room one that
writes. Whichever ends the connection cancels the others before the socket is closed. What the broker may say
depends on how far the connection is (``HEARS``); anything else ends it with the reason ``unexpected_packet``.

Keepalive: when for ``keepalive_s`` nothing was sent or nothing was heard, a PINGREQ goes out; when then for
half of that nothing is heard, and of what waits nothing gets away, the line is dead, however open the socket
looks.
"""

import asyncio

from agent.errors import LinkError
from agent.ports.memory import fitting
from agent.timing import wait_for_event
from agent.transport import mqtt_codec as codec

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from agent.timing import Clock
    from agent.transport.address import Address
    from agent.transport.mqtt_codec import Packet
    from agent.transport.tls import Dialer, Stream

CHUNK = 1024  # of one read
SLICE = 4096  # of one write: TLS encrypts it in one piece of work
JOINED = 512  # of a payload, written together with what stands before it
ROOM_BYTES = fitting(16384, 8)  # waiting to be written; what is beyond stays in the publisher's spool
MIN_PATIENCE_MS = 5000  # unless the keepalive itself is shorter

# phases of a connection, and what may be heard in each; a device that has asked for nothing hears nothing
GREETING, ACCEPTED, OPEN, CLOSING = "greeting", "accepted", "open", "closing"
HEARS: "dict[str, tuple[int, ...]]" = {
    GREETING: (codec.CONNACK,),
    ACCEPTED: (),
    OPEN: (codec.PUBLISH, codec.SKIPPED, codec.PUBACK, codec.SUBACK, codec.PINGRESP),
    CLOSING: (codec.PUBLISH, codec.SKIPPED, codec.PUBACK, codec.SUBACK, codec.PINGRESP),
}
CONNACK_TEXTS = (
    "", "unacceptable protocol version", "client id rejected", "server unavailable",
    "bad user name or password", "not authorised",
)  # fmt: skip  # section 3.2.2.3


class MqttTransport:
    """One connection after the other; see agent.transport.contract. ``skipped``: messages too long."""

    def __init__(self, address: "Address", dialer: "Dialer", clock: "Clock") -> None:
        """Connect to ``address`` with the dialer's credentials."""
        self._address = address
        self._dialer = dialer
        self._clock = clock
        self._connection: "_Connection | None" = None
        self.skipped = 0
        self.on_message: "Callable[[str, bytes], None]" = _no_message
        self.on_puback: "Callable[[int], None]" = _no_puback
        self.on_lost: "Callable[[str], None]" = _nothing_said
        self.on_room: "Callable[[], None]" = _no_room_wanted

    async def connect(self, will_topic: str, will_payload: bytes) -> None:
        """Return once the broker has accepted this device; LinkError otherwise."""
        self.close()
        to = self._address
        hello = codec.connect(to.client_id, to.keepalive_s, will_topic, will_payload)
        stream = await self._dialer.dial(to.host, to.port, hello)
        connection = _Connection(self, stream, to.keepalive_s * 1000, self._clock)
        self._connection = connection
        try:
            await connection.greeted()
        except BaseException:
            if self._connection is connection:
                self._connection = None
            connection.end("closed")
            raise

    async def subscribe(self, subscriptions: list[tuple[str, int]]) -> None:
        """Return once all are granted."""
        await self._live().subscribe(subscriptions)

    def publish(self, topic: str, payload: bytes) -> int:
        """Send with QoS 1; return the message id."""
        return self._live().publish(topic, payload)

    def room(self) -> bool:
        """Tell whether another frame may be handed over now."""
        return self._connection is not None and self._connection.waiting < ROOM_BYTES

    async def disconnect(self) -> None:
        """Send DISCONNECT, wait until the broker has closed, and close."""
        if self._connection is not None:
            try:
                await self._connection.goodbye()
            finally:
                self.close()

    def close(self) -> None:
        """Drop the connection without a word."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.end("closed")

    def lost(self, connection: "_Connection", reason: str) -> None:
        """Pass on that a connection has ended by itself."""
        if connection is self._connection:
            self._connection = None
            self.on_lost(reason)

    def _live(self) -> "_Connection":
        if self._connection is None:
            raise LinkError("not_connected", "there is no connection to the broker")
        return self._connection


class _Connection:
    """One connection from CONNECT to its end."""

    def __init__(self, owner: MqttTransport, stream: "Stream", keepalive_ms: int, clock: "Clock") -> None:
        self._owner = owner
        self._stream = stream
        self._keepalive_ms = keepalive_ms
        self._patience_ms = min(keepalive_ms, max(MIN_PATIENCE_MS, keepalive_ms // 2))
        self._clock = clock
        self._decoder = codec.Decoder()
        self._phase = GREETING
        self._last_mid = 0
        self._out: "list[bytes | memoryview]" = []
        self.waiting = 0  # bytes in _out
        self._writing = False
        self._sent_ms = self._heard_ms = clock.uptime_ms()
        self._subscribing = 0  # the id that a SUBACK is waited for
        self._answers: "list[Any]" = []  # to CONNECT or SUBSCRIBE, at most one
        self._changed = asyncio.Event()  # an answer has come, or the end
        self._ended: "str | None" = None  # why
        self._ended_event = asyncio.Event()
        self._tasks: "list[asyncio.Task[None]]" = []
        self._start(self._read())

    # --- what the publisher asks ---

    async def greeted(self) -> None:
        code = await self._answer()
        if code:
            said = CONNACK_TEXTS[code] if code < len(CONNACK_TEXTS) else "code " + str(code)
            raise LinkError("not_accepted", "the broker answers: " + said)
        if self._ended is not None:
            raise LinkError("lost", "the connection ended: " + self._ended)
        self._phase = OPEN
        self._start(self._keep_alive())

    async def subscribe(self, subscriptions: list[tuple[str, int]]) -> None:
        self._subscribing = self._next_mid()
        self._send(codec.subscribe(self._subscribing, subscriptions))
        codes = await self._answer()
        if codec.REFUSED in codes or len(codes) != len(subscriptions):
            raise LinkError("refused", "the broker refuses a subscription: " + str(subscriptions))

    def publish(self, topic: str, payload: bytes) -> int:
        mid = self._next_mid()
        head = codec.publish_head(mid, topic, len(payload))
        self._send(head + payload[:JOINED])  # a copy of it all is more than a small heap has in one piece
        if len(payload) > JOINED:
            self._send(memoryview(payload)[JOINED:])
        return mid

    async def goodbye(self) -> None:
        """Say DISCONNECT and read on until the broker has closed.

        A socket that is closed with unread bytes in it is reset, which can overtake DISCONNECT: the broker
        would publish the will.
        """
        if self._phase == OPEN and self._ended is None:
            self._phase = CLOSING
            self._send(codec.DISCONNECT)
            await self._ended_event.wait()

    # --- the end ---

    def end(self, why: str) -> None:
        """End once: stop the tasks, close the socket, wake who waits."""
        if self._ended is None:
            self._ended = why
            current = asyncio.current_task()
            for task in self._tasks:
                if task is not current:  # that one sees _ended
                    task.cancel()
            self._stream.close()
            self._out = []
            self.waiting = 0
            self._changed.set()
            self._ended_event.set()

    def _fail(self, error: LinkError) -> None:
        """End by itself."""
        was_open = self._phase == OPEN and self._ended is None
        self.end(str(error))
        if was_open:
            self._owner.lost(self, str(error))

    def _start(self, work: "Coroutine[Any, Any, None]") -> None:
        self._tasks = [task for task in self._tasks if not task.done()]
        self._tasks.append(asyncio.create_task(self._guarded(work)))

    async def _guarded(self, work: "Coroutine[Any, Any, None]") -> None:
        try:
            await work
        except LinkError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - a bug of ours in a callback: the link ends, the log says why
            self._fail(LinkError("bug", "bug: " + repr(error)))

    # --- hearing ---

    async def _read(self) -> None:
        while self._ended is None:
            data = self._stream.read(CHUNK)
            if data is None:
                await self._stream.readable()
                continue
            self._heard_ms = self._clock.uptime_ms()
            for packet in self._decoder.feed(data):
                if self._ended is None:  # a callback may have closed it
                    self._take(packet)
            await asyncio.sleep(0)  # a broker that talks without end must not have the loop for itself

    def _take(self, packet: "Packet") -> None:
        kind, values = packet
        if kind not in HEARS[self._phase]:
            raise LinkError("unexpected_packet", "a packet of type " + str(kind) + " while " + self._phase)
        if kind == codec.CONNACK:
            self._phase = ACCEPTED
            self._reply(values)
        elif kind == codec.SUBACK:
            self._granted(values[0], values[1])
        elif kind == codec.PUBACK and self._phase == OPEN:
            self._owner.on_puback(values)
        elif kind == codec.SKIPPED:
            self._owner.skipped += 1
            self._acknowledge(values)
        elif kind == codec.PUBLISH and self._phase == OPEN:
            topic, payload, mid = values
            self._acknowledge(mid)
            self._owner.on_message(topic, payload)

    def _granted(self, mid: int, codes: bytes) -> None:
        if not self._subscribing or mid != self._subscribing:
            raise LinkError("unexpected_packet", "a SUBACK to nothing that was asked")
        self._subscribing = 0
        self._reply(codes)

    def _reply(self, values: "Any") -> None:
        self._answers.append(values)
        self._changed.set()

    def _acknowledge(self, mid: int) -> None:
        if mid and self._phase == OPEN:
            self._send(codec.puback(mid))

    async def _answer(self) -> "Any":
        """Return the next CONNACK's or SUBACK's values."""
        while not self._answers:
            if self._ended is not None:
                raise LinkError("lost", "the connection ended: " + self._ended)
            self._changed.clear()
            await self._changed.wait()
        return self._answers.pop(0)

    # --- saying ---

    def _next_mid(self) -> int:
        self._last_mid = self._last_mid % 0xFFFF + 1
        return self._last_mid

    def _send(self, packet: "bytes | memoryview") -> None:
        if self._ended is not None:
            raise LinkError("not_connected", "the connection ended: " + self._ended)
        self._out.append(packet)
        self.waiting += len(packet)
        if not self._writing:
            self._writing = True
            self._start(self._write())

    async def _write(self) -> None:
        while self._out and self._ended is None:
            head = memoryview(self._out[0])
            count = self._stream.write(head[:SLICE])
            if not count:
                await self._stream.writable()
                continue
            self._sent_ms = self._clock.uptime_ms()
            self._written(head, count)
            await asyncio.sleep(0)
        self._writing = False

    def _written(self, head: memoryview, count: int) -> None:
        had_room = self.waiting < ROOM_BYTES
        self.waiting -= count
        if count < len(head):
            self._out[0] = head[count:]
        else:
            self._out.pop(0)
        if not had_room and self.waiting < ROOM_BYTES:
            self._owner.on_room()

    async def _keep_alive(self) -> None:
        while self._ended is None:
            quiet_ms = self._clock.uptime_ms() - min(self._sent_ms, self._heard_ms)
            if quiet_ms < self._keepalive_ms:
                await wait_for_event(self._clock, self._ended_event, self._keepalive_ms - quiet_ms)
            else:
                await self._ping()

    async def _ping(self) -> None:
        """Send PINGREQ; return when something was heard since. Raises LinkError ``silent``."""
        asked_ms = since_ms = self._clock.uptime_ms()
        self._send(codec.PINGREQ)
        while self._ended is None:
            await wait_for_event(self._clock, self._ended_event, self._patience_ms)
            if self._heard_ms >= asked_ms:
                return
            if not self.waiting or self._sent_ms < since_ms:
                raise LinkError("silent", "nothing was heard of the broker for a keepalive and a half")
            since_ms = self._clock.uptime_ms()  # a slow line that still carries: the PINGREQ is on its way


def _no_message(topic: str, payload: bytes) -> None:
    """Nobody listens yet."""


def _no_puback(mid: int) -> None:
    """Nobody listens yet."""


def _nothing_said(reason: str) -> None:
    """Nobody listens yet."""


def _no_room_wanted() -> None:
    """Nobody waits yet."""
