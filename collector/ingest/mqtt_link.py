"""One shard's connection to the broker: a persistent session under the client id ``vigia-ingest-<shard>``.

All methods run in the network thread. Every connection has a generation of its own: a message id of an
earlier one means another message now, or none, and is never acknowledged.
"""

from __future__ import annotations

import json
import random
import ssl
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.wire import topics
from collector.errors import ConfigError
from collector.ingest.mqtt_stream import PacketSocket, is_duplicate, puback, publish, read_publish
from collector.ingest.owed import Owed
from collector.model import Received

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.clock import Clock
    from collector.config import BrokerConfig
    from collector.log import Reporter

KINDS = ("birth", "data", "event", "death")
MQTT_5 = 5
KEEPALIVE_S = 20
SESSION_EXPIRY_S = (
    7 * 86_400
)  # devices keep their frames themselves; the queue need not outlive a long outage
BACKOFF_S = (1.0, 30.0)
CONNECT_S = 10.0  # from TCP to SUBACK
# The broker has a backlog for us right after a resumed session and whenever its window is well filled.
BACKLOG_WINDOW = 16
BACKLOG_S = 5.0
# Of one connection before the others have their turn: a batch of few devices is cheaper than one of many.
_BATCH_PACKETS = 500
# Windows of messages that may wait here before no more is read. A broker should hand out one window at most;
# Mosquitto 2.0.11 hands out its whole queue (100,000 messages) from the first acknowledgement on.
_WINDOWS_HELD = 4
_FAILURE = 0x80  # reason codes from here on are failures


class Inward(NamedTuple):
    """Where what is received goes."""

    admits: Callable[[bytes, float], bool]  # whether a topic's device has a share left at a time
    deliver: Callable[[Received], None]
    deferred: Callable[[int], None]  # told how many messages were over their device's share


class Watcher(Protocol):
    """What the loop must know of sockets."""

    def opened(self, link: Link, sock: Any) -> None:
        """Read this socket from now on."""

    def closed(self, sock: Any) -> None:
        """Forget a socket."""

    def readable(self, sock: Any, *, wanted: bool) -> None:
        """Read this socket when it can be, or no longer."""

    def writable(self, sock: Any, *, wanted: bool) -> None:
        """Write this socket when it can be, or no longer."""


def tls_context(config: BrokerConfig) -> ssl.SSLContext:
    """TLS with the collector's certificate; ``ConfigError`` names the file that cannot be used."""
    try:
        context = ssl.create_default_context(cafile=str(config.ca_file))
    except OSError as error:
        raise ConfigError(f"broker.ca_file: {config.ca_file}: {error.strerror or error}") from error
    try:
        context.load_cert_chain(config.cert_file, config.key_file)
    except OSError as error:
        raise ConfigError(f"broker.cert_file: {config.cert_file}: {error.strerror or error}") from error
    context.sslsocket_class = PacketSocket
    return context


class Link:
    """Connects, subscribes, receives; reports what goes wrong and tries again with growing pauses."""

    def __init__(  # noqa: PLR0913, PLR0917 - the edge of the program meets everything here
        self,
        shard: str,
        config: BrokerConfig,
        context: ssl.SSLContext,
        window: int,
        inward: Inward,
        watcher: Watcher,
        reporter: Reporter,
        clock: Clock,
    ) -> None:
        self.shard = shard
        self.online = False
        self.generation = 0
        self._config = config
        self._admits, self._deliver, self._deferred = inward
        self._reporter = reporter
        self._clock = clock
        self._window = window
        self._owed = Owed()
        self._held = 0  # messages handed on that the pipeline is not done with, of earlier connections, too
        self.is_full = False  # so many that nothing is read
        self._backlog_until = 0.0
        self._pause_s = BACKOFF_S[0]
        self._retry_at = 0.0
        self._connecting_until: float | None = None
        self._status: dict[str, Any] = {}
        self._watcher = watcher
        self._with_properties = config.mqtt_version == MQTT_5
        self._waits_to_write = False
        self._connected = False  # the broker said so; what it had queued comes before its SUBACK
        self._client = self._make(context, watcher)

    def _make(self, context: ssl.SSLContext, watcher: Watcher) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"vigia-ingest-{self.shard}",
            clean_session=None if self._config.mqtt_version == MQTT_5 else False,
            protocol=MQTTProtocolVersion(self._config.mqtt_version),
            manual_ack=True,
        )
        client.tls_set_context(context)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_socket_open = lambda _c, _u, sock: watcher.opened(self, sock)
        client.on_socket_close = lambda _c, _u, sock: watcher.closed(sock)
        client.on_socket_register_write = lambda _c, _u, sock: watcher.writable(sock, wanted=True)
        client.on_socket_unregister_write = lambda _c, _u, sock: watcher.writable(sock, wanted=False)
        return client

    def serve(self, owner: str, epoch: int) -> None:
        """Set who holds the shard; the will says that the holder is gone."""
        self._status = {"owner": owner, "epoch": epoch}
        self._client.will_set(topics.status(self.shard), self._said("offline"), qos=1, retain=True)

    def _said(self, state: str) -> bytes:
        return json.dumps({"state": state, **self._status}).encode()

    # --- called by the loop -----------------------------------------------------------------------

    def maintain(self, now: float) -> None:
        """Connect when it is time, give up what takes too long, keep the connection alive."""
        if self._client.socket() is None:
            if now >= self._retry_at:
                self._connect(now)
            return
        if self.is_full:
            self._heard(now)  # what it says waits in the socket
        self._client.loop_misc()
        if self._connecting_until is not None and now > self._connecting_until:
            self._reporter.problem("broker_silent", f"shard {self.shard}: no answer within {CONNECT_S:.0f} s")
            self._client.disconnect()
            self._lost(now)

    def _connect(self, now: float) -> None:
        self._connecting_until = now + CONNECT_S
        self._connected = self.is_full = False
        options: dict[str, Any] = {}
        if self._config.mqtt_version == MQTT_5:
            options = {"clean_start": False, "properties": _connect_properties(self._window)}
        where = f"{self._config.host}:{self._config.port}"
        try:
            self._client.connect(self._config.host, self._config.port, KEEPALIVE_S, **options)
        except ssl.SSLCertVerificationError as error:
            self._reporter.problem("broker_certificate", f"{where}: {error.verify_message}")
            self._lost(now)
        except ssl.SSLError as error:
            self._reporter.problem("broker_tls", f"{where}: {error.reason or error}")
            self._lost(now)
        except OSError as error:
            self._reporter.problem("broker_unreachable", f"{where}: {error.strerror or error}")
            self._lost(now)

    def _lost(self, now: float) -> None:
        self._connecting_until = None
        self._retry_at = now + self._pause_s * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, no secret
        self._pause_s = min(self._pause_s * 2, BACKOFF_S[1])

    def read(self) -> None:
        """Read what the socket has, TLS buffer included, up to a share of packets."""
        sock, deferred, now, held = self._socket(), [], self._clock.mono(), self._held
        for _ in range(_BATCH_PACKETS):
            if self._connected and self._held >= _WINDOWS_HELD * self._window:
                self._fill(sock)
                break
            packet = None if sock is None else sock.next_packet()
            if sock is None or packet is None:
                break
            found = read_publish(packet, with_properties=self._with_properties) if self._connected else None
            if found is None:
                sock.give(packet)
                if self._client.loop_read() != mqtt.MQTT_ERR_SUCCESS:
                    return
                sock = self._socket()
            elif self._admits(found.topic, now):
                self._take(found.topic, found.mid, packet[found.body :], dup=is_duplicate(packet))
            else:
                deferred.append(found.mid)
        else:
            self._note_backlog(now)
        if self._held > held or deferred:
            self._heard(now)
        if sock is not None and deferred:
            self._defer(sock, deferred)
        if sock is not None and sock.has_ended():
            self._client.loop_read()

    def _heard(self, now: float) -> None:
        """Note that the broker lives: it is asked, but its answer comes behind all that it has for us."""
        self._client._last_bytes_received = time.monotonic()  # noqa: SLF001 - paho sees only what it reads itself
        if self._connecting_until is not None and self._connected:
            self._connecting_until = now + CONNECT_S

    def _fill(self, sock: PacketSocket | None) -> None:
        """Read no more until the pipeline is done with some of it: the rest waits at the broker."""
        self.is_full = True
        self._watcher.readable(sock, wanted=False)
        self._note_backlog(self._clock.mono())

    def _done(self, messages: int) -> None:
        self._held -= messages
        if self.is_full and self._held < _WINDOWS_HELD * self._window:
            self.is_full = False
            self._watcher.readable(self._socket(), wanted=True)

    def _defer(self, sock: PacketSocket, mids: list[int]) -> None:
        """Acknowledge at once what is over its device's share, ahead of what the pipeline has."""
        sock.put(puback(mid) for mid in mids if mid)
        self._deferred(len(mids))

    def _socket(self) -> PacketSocket | None:
        """Return the connection's socket once it speaks TLS."""
        sock: Any = self._client.socket()
        return sock if isinstance(sock, PacketSocket) else None

    def has_more(self) -> bool:
        """Whether TLS holds bytes that no selector will announce."""
        sock = self._socket()
        return sock is not None and not self.is_full and sock.has_more()

    def write(self) -> None:
        """Write what is queued."""
        if self._client.socket() is not None:
            self._client.loop_write()
        self.flush()

    def flush(self) -> None:
        """Write what was put, or be told when there is room for it."""
        sock = self._socket()
        waits = sock is not None and not sock.flush()
        if waits != self._waits_to_write:
            self._waits_to_write = waits
            self._watcher.writable(sock, wanted=waits)

    def acknowledge(self, messages: Sequence[Received]) -> None:
        """Acknowledge messages of this connection; others, and those without QoS, are left alone."""
        self._done(len(messages))
        sock = self._socket()
        if sock is None or not self._connected:  # a batch can be stored before the SUBACK is here
            return
        ours = (message.mid for message in messages if message.generation == self.generation)
        sock.put(map(puback, self._owed.settle(ours)))
        self.flush()

    def publish(self, topic: str, payload: bytes) -> None:
        """Send without guarantee: whoever misses an ack asks again."""
        sock = self._socket()
        if self.online and sock is not None:
            sock.put((publish(topic, payload, with_properties=self._with_properties),))

    def sign_off(self) -> bool:
        """Tell devices that the shard is unattended; say whether there was anybody to tell."""
        if not self.online:
            return False
        self._client.publish(topics.status(self.shard), self._said("offline"), qos=1, retain=True)
        return True

    def is_flushed(self) -> bool:
        """Whether all that was published is with the broker."""
        sock = self._socket()
        if sock is None or self._waits_to_write:
            return sock is None
        return not (self._client.want_write() or self._client._out_messages)  # noqa: SLF001 - paho has no public count

    def disconnect(self) -> None:
        """Leave the broker; the session stays."""
        if self._client.socket() is not None:
            self._client.disconnect()
            self._client.loop_write()
        self.online = False

    # --- called by paho ---------------------------------------------------------------------------

    def _on_connect(
        self, client: mqtt.Client, _data: Any, flags: mqtt.ConnectFlags, code: Any, _properties: Any
    ) -> None:
        if code.is_failure:
            self._reporter.problem("broker_refused", f"shard {self.shard}: {code}")
            return
        self.generation += 1
        self._connected = True
        self._owed.clear()
        self._waits_to_write = False
        self._backlog_until = self._clock.mono() + BACKLOG_S if flags.session_present else 0.0
        client.subscribe([(f"vigia/v1/{self.shard}/+/{kind}", 1) for kind in KINDS])

    def _on_subscribe(
        self, client: mqtt.Client, _data: Any, _mid: int, codes: list[Any], _properties: Any
    ) -> None:
        if any(code.value >= _FAILURE for code in codes):
            self._reporter.problem("subscribe_refused", f"shard {self.shard}: the broker's rules forbid it")
            client.disconnect()
            return
        self.online = True
        self._connecting_until = None
        self._pause_s = BACKOFF_S[0]
        client.publish(topics.status(self.shard), self._said("online"), qos=1, retain=True)
        self._reporter.info(f"shard {self.shard}: online")

    def _on_disconnect(
        self, _client: mqtt.Client, _data: Any, _flags: Any, code: Any, _properties: Any
    ) -> None:
        self.online = self._connected = False
        if code.is_failure or self._connecting_until is not None:
            self._reporter.problem("broker_lost", f"shard {self.shard}: {code}")
        self._lost(self._clock.mono())

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        """Take what paho judged; hardly anything: see ``mqtt_stream``."""
        self._take(message._topic, message.mid, bytes(message.payload), dup=message.dup)  # noqa: SLF001 - .topic raises when it is not UTF-8

    def _take(self, topic: bytes, mid: int, payload: bytes, *, dup: bool) -> None:
        """Hand a message on; what the broker held back or sends again tells nothing of a clock."""
        now = self._clock.mono()
        if mid:
            self._owed.came(mid)
        if len(self._owed) >= BACKLOG_WINDOW:
            self._note_backlog(now)
        self._held += 1
        self._deliver(
            Received(
                shard=self.shard,
                topic=_text(topic),
                payload=payload,
                mid=mid,
                generation=self.generation,
                arrival_ms=self._clock.now_ms(),
                live=not dup and now >= self._backlog_until,
            )
        )

    def _note_backlog(self, now: float) -> None:
        """Note that the broker has a queue for us: its window is well filled, or more came than is read."""
        self._backlog_until = max(self._backlog_until, now + BACKLOG_S)


def _text(topic: bytes) -> str:
    """Return the topic; empty, which no stage takes, when it is not UTF-8."""
    try:
        return topic.decode()
    except UnicodeDecodeError:
        return ""


def _connect_properties(window: int) -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no types here
    properties.SessionExpiryInterval = SESSION_EXPIRY_S
    properties.ReceiveMaximum = window
    return properties
