"""The transport on CPython: paho-mqtt driven by the asyncio loop, so that many agents share one thread.

paho's own ``connect`` blocks (name lookup, TCP, TLS), so it runs in the loop's executor; after that the loop
watches the socket. Each connection has a client of its own: what paho remembers of an earlier one is never
sent again behind the publisher's back.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from typing import TYPE_CHECKING, Any

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from agent.errors import LinkError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from agent.transport.address import Address

CONNECT_TIMEOUT_S = 10.0
MISC_S = 1.0  # how often keepalive is looked at
REFUSED = 0x80  # a SUBACK code from here on is a refusal (MQTT 3.1.1 section 3.9.3)
READ_BYTES = 4096
UNLIMITED = 0  # in flight: the publisher counts


class PahoTransport:
    """One MQTT 3.1.1 connection after the other; see agent.transport.contract."""

    def __init__(self, address: Address, context: ssl.SSLContext) -> None:
        self._address = address
        self._context = context
        self._connection: _Connection | None = None
        self.on_message: Callable[[str, bytes], None] = _no_message
        self.on_puback: Callable[[int], None] = _no_puback
        self.on_lost: Callable[[str], None] = _no_loss
        self.on_room: Callable[[], None] = _no_room

    async def connect(self, will_topic: str, will_payload: bytes) -> None:
        """Return once the broker has accepted this device; LinkError otherwise."""
        self.close()
        connection = _Connection(self, self._address, self._context)
        self._connection = connection
        try:
            await connection.open(will_topic, will_payload)
        except BaseException:
            self.close()
            raise

    async def subscribe(self, subscriptions: list[tuple[str, int]]) -> None:
        """Return once all are granted."""
        await self._live().subscribe(subscriptions)

    def publish(self, topic: str, payload: bytes) -> int:
        """Send with QoS 1; return the message id."""
        return self._live().publish(topic, payload)

    def room(self) -> bool:
        """Tell whether another frame may be handed over: always, 32 of them fit this memory."""
        return True

    async def disconnect(self) -> None:
        """Send DISCONNECT and close."""
        if self._connection is not None:
            try:
                await self._connection.goodbye()
            finally:
                self.close()

    def close(self) -> None:
        """Drop the connection without a word."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.drop()

    def lost(self, connection: _Connection, reason: str) -> None:
        """Pass on that a connection has ended by itself."""
        if connection is self._connection:
            self._connection = None
            self.on_lost(reason)

    def _live(self) -> _Connection:
        if self._connection is None:
            raise LinkError("not_connected", "there is no connection to the broker")
        return self._connection


class _Connection:
    """One paho client and its socket in the loop."""

    def __init__(self, owner: PahoTransport, address: Address, context: ssl.SSLContext) -> None:
        self._owner = owner
        self._address = address
        self._loop = asyncio.get_running_loop()
        self._socket: Any = None
        self._misc: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Future[Any] | None = None  # for CONNACK, then SUBACK, then the goodbye
        self._up = False
        self._done = False
        self._client = self._make_client(context)

    def _make_client(self, context: ssl.SSLContext) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._address.client_id,
            clean_session=True,
            protocol=mqtt.MQTTv311,
            reconnect_on_failure=False,
        )
        client.tls_set_context(context)
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(UNLIMITED)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect
        return client

    async def open(self, will_topic: str, will_payload: bytes) -> None:
        self._client.will_set(will_topic, will_payload, qos=1, retain=False)
        waiting = self._wait()
        connecting = self._loop.run_in_executor(None, self._connect)
        try:
            await asyncio.shield(connecting)
        except asyncio.CancelledError:
            connecting.add_done_callback(self._abandon)
            raise
        except (OSError, ValueError) as error:  # ValueError: a name that is no host
            raise LinkError("unreachable", f"{self._address.host}:{self._address.port}: {error}") from error
        self._attach()
        await waiting
        if self._done:
            raise LinkError("lost", "the connection ended right after it was accepted")
        self._up = True

    def _connect(self) -> None:
        """Block until TCP and TLS stand and CONNECT is sent; runs in the executor."""
        self._client.connect(self._address.host, self._address.port, self._address.keepalive_s)

    def _abandon(self, done: asyncio.Future[None]) -> None:
        """Close what came of a connect that nobody waits for any more."""
        done.exception()
        self._close_client()

    def _attach(self) -> None:
        """Let the loop watch the socket."""
        self._socket = self._client.socket()
        if self._socket is None or self._done:
            raise LinkError("unreachable", "the connection ended at once")
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client.on_socket_register_write = self._want_write
        self._client.on_socket_unregister_write = self._stop_write
        self._client.on_socket_close = self._detach
        self._loop.add_reader(self._socket, self._read)
        self._loop.call_soon(self._read)
        if self._client.want_write():
            self._loop.add_writer(self._socket, self._client.loop_write)
        self._misc = self._loop.call_later(MISC_S, self._look)

    def _read(self) -> None:
        """Read all there is: what TLS has already decrypted does not show on the socket."""
        self._client.loop_read()
        while self._socket is not None and self._socket.pending():
            self._client.loop_read()

    def _look(self) -> None:
        self._misc = self._loop.call_later(MISC_S, self._look)
        self._client.loop_misc()

    def _want_write(self, _client: object, _userdata: object, sock: Any) -> None:
        self._loop.add_writer(sock, self._client.loop_write)

    def _stop_write(self, _client: object, _userdata: object, sock: Any) -> None:
        self._loop.remove_writer(sock)

    def _detach(self, _client: object, _userdata: object, sock: Any) -> None:
        """Forget the socket before it is closed: its number may be given to another."""
        self._loop.remove_reader(sock)
        self._loop.remove_writer(sock)
        self._socket = None
        if self._misc is not None:
            self._misc.cancel()
            self._misc = None

    # --- what the publisher asks ---

    async def subscribe(self, subscriptions: list[tuple[str, int]]) -> None:
        waiting = self._wait()
        self._checked(self._client.subscribe(subscriptions)[0])
        codes = await waiting
        if any(code.value >= REFUSED for code in codes):
            raise LinkError("refused", "the broker refuses a subscription: " + str(subscriptions))

    def publish(self, topic: str, payload: bytes) -> int:
        info = self._client.publish(topic, payload, qos=1)
        self._checked(info.rc)
        return info.mid

    async def goodbye(self) -> None:
        if self._done or self._socket is None:
            return
        waiting = self._wait()
        self._up = False
        # paho closes right after DISCONNECT. With unread bytes in the socket that is a reset, which can
        # overtake DISCONNECT: the broker then publishes the will. A duplicate keeps TCP open until the
        # broker has closed its side.
        with socket.socket(fileno=os.dup(self._socket.fileno())) as still_open:
            still_open.setblocking(False)
            with contextlib.suppress(LinkError):  # the end of paho's connection is what is waited for
                self._client.disconnect()
                await waiting
            with contextlib.suppress(OSError):
                while await self._loop.sock_recv(still_open, READ_BYTES):
                    pass

    def drop(self) -> None:
        """Close without a word, and hear nothing more of it."""
        self._done = True
        self._up = False
        self._fail(LinkError("closed", "the connection was closed"))
        self._close_client()

    def _close_client(self) -> None:
        self._client.on_socket_register_write = None
        self._client.on_socket_unregister_write = None
        self._client.on_socket_close = None
        sock = self._client.socket()
        if sock is not None:
            self._detach(None, None, sock)
            with contextlib.suppress(OSError):
                sock.close()

    def _checked(self, code: MQTTErrorCode) -> None:
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise LinkError("not_connected", mqtt.error_string(code))

    def _wait(self) -> asyncio.Future[Any]:
        self._waiting = self._loop.create_future()
        return self._waiting

    def _answer(self, result: object) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(result)

    def _fail(self, error: LinkError) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)
            self._waiting.exception()  # who waited may be gone

    # --- what paho reports, in the loop ---

    def _on_connect(self, _client: object, _userdata: object, _flags: object, code: Any, _p: object) -> None:
        if code.is_failure:
            self._fail(LinkError("not_accepted", f"the broker answers: {code}"))
        else:
            self._answer(None)

    def _on_subscribe(self, _client: object, _userdata: object, _mid: int, codes: Any, _p: object) -> None:
        self._answer(codes)

    def _on_message(self, _client: object, _userdata: object, message: mqtt.MQTTMessage) -> None:
        if not self._done:
            self._owner.on_message(message.topic, bytes(message.payload))

    def _on_publish(self, _client: object, _userdata: object, mid: int, _code: object, _p: object) -> None:
        if not self._done:
            self._owner.on_puback(mid)

    def _on_disconnect(
        self, _client: object, _userdata: object, _flags: object, code: Any, _p: object
    ) -> None:
        self._fail(LinkError("lost", f"the connection ended: {code}"))
        was_up, self._up = self._up, False
        self._done = True
        if was_up:
            self._owner.lost(self, str(code))


def _no_message(topic: str, payload: bytes) -> None:
    """Nobody listens yet."""


def _no_puback(mid: int) -> None:
    """Nobody listens yet."""


def _no_loss(reason: str) -> None:
    """Nobody listens yet."""


def _no_room() -> None:
    """There is always room."""
