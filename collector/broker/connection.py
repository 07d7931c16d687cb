"""One client's connection: reads its packets in turn, writes what its session's outbox holds.

The identity comes from this connection's own certificate and is checked against the client id before any
session is looked up. A client that does not read is not read from either: every answer waits for the socket.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from collector.broker import acl, packets
from collector.broker.packets import (
    Connect,
    Disconnect,
    PacketError,
    Ping,
    Puback,
    Publish,
    Subscribe,
    Unsubscribe,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from collector.broker.outbox import Departure
    from collector.broker.router import Router, Session

CONNECT_S = 10.0  # from the handshake to CONNECT
WRITE_S = 60.0  # a client that takes no byte for so long is gone
GRACE = 1.5  # of the keepalive (MQTT 3.1.1, 3.1.2.10)

_CODES = {
    "bad_version": packets.BAD_VERSION,
    "foreign_client_id": packets.BAD_CLIENT_ID,
}


class RefusedError(Exception):
    """The client may not connect; ``reason`` says why."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Connection:
    """From the TLS handshake to the end."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        role: acl.Role,
        router: Router,
        problem: Callable[[str, str], None],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._role = role
        self._router = router
        self._problem = problem
        self._work = asyncio.Event()
        self._session: Session | None = None
        self._keepalive_s: float | None = None
        self._name = "?"

    async def run(self) -> None:
        """Serve until either side ends it; returns when the socket is closed."""
        try:
            self._leave(orderly=await self._converse())
            await self._closed()
        except asyncio.CancelledError:  # the broker stops
            self._leave(orderly=False)
            self._writer.transport.abort()
            await self._closed()
            raise

    def wake(self) -> None:
        """Look into the outbox."""
        self._work.set()

    def supersede(self) -> None:
        """Give way to a newer connection of the same client."""
        self._problem("taken_over", f"{self._name} connected again")
        self._leave(orderly=False)
        self._writer.transport.abort()

    async def _converse(self) -> bool:
        """Enter and serve; True when the client took its leave with DISCONNECT."""
        try:
            await self._enter()
            return await self._serve()
        except (PacketError, RefusedError) as error:
            self._problem(error.reason, f"{self._name}: {error}")
        except TimeoutError:
            self._problem("silent", f"{self._name} said nothing in time")
        except (OSError, asyncio.IncompleteReadError):
            pass  # the network's way to say goodbye; the will says the rest
        return False

    async def _enter(self) -> None:
        """Identify the peer, read CONNECT, answer it."""
        identity = acl.Identity(_common_name(self._writer), self._role)
        self._name = identity.name
        try:
            async with asyncio.timeout(CONNECT_S):
                packet = await packets.read(self._reader)
            connect = self._check(identity, packet)
        except (PacketError, RefusedError) as error:
            await self._write(packets.connack(_CODES.get(error.reason, packets.NOT_AUTHORISED)))
            raise
        self._keepalive_s = connect.keepalive_s * GRACE if connect.keepalive_s else None
        self._session, present = self._router.attach(
            self, identity, connect.client_id, clean=connect.clean, will=connect.will
        )
        await self._write(packets.connack(packets.ACCEPTED, session_present=present))

    @staticmethod
    def _check(identity: acl.Identity, packet: packets.Packet) -> Connect:
        if not isinstance(packet, Connect):
            raise PacketError("unexpected_packet", "the first packet was not CONNECT")
        reason = acl.may_enter(identity) or acl.may_connect(identity, packet.client_id)
        if reason is not None:
            raise RefusedError(reason, f"client id {packet.client_id!r} refused")
        if packet.will is not None:
            reason = acl.may(identity, "publish", packet.will.topic)
            if reason is not None:
                raise RefusedError(reason, f"may not leave a will on {packet.will.topic!r}")
        return packet

    async def _serve(self) -> bool:
        """Handle packets until DISCONNECT (True)."""
        sender = asyncio.create_task(self._send())
        try:
            while True:
                async with asyncio.timeout(self._keepalive_s):
                    packet = await packets.read(self._reader)
                if isinstance(packet, Disconnect):
                    return True
                await self._handle(packet)
        finally:
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sender

    async def _handle(self, packet: packets.Packet) -> None:
        handler = self._HANDLERS.get(type(packet))
        if handler is None:
            raise PacketError("unexpected_packet", f"{type(packet).__name__} after CONNECT")
        if self._session is not None:
            await handler(self, self._session, packet)

    async def _on_publish(self, session: Session, packet: Publish) -> None:
        """Route a message. One that is not allowed is acknowledged and dropped, as Mosquitto does."""
        topic = packet.message.topic
        reason = acl.may(session.identity, "publish", topic)
        if reason is None:
            self._router.publish(packet.message)
        else:
            self._problem(reason, f"{self._name} may not publish to {topic!r}")
        if packet.mid:
            await self._write(packets.puback(packet.mid))

    async def _on_puback(self, session: Session, packet: Puback) -> None:
        session.outbox.acked(packet.mid)

    async def _on_subscribe(self, session: Session, packet: Subscribe) -> None:
        granted = [self._router.subscribe(session, name, qos) for name, qos in packet.filters]
        await self._write(packets.suback(packet.mid, granted))
        for (name, _qos), code in zip(packet.filters, granted, strict=True):
            if code != packets.REFUSED_FILTER:
                self._router.send_retained(session, name, code)

    async def _on_unsubscribe(self, session: Session, packet: Unsubscribe) -> None:
        for name in packet.filters:
            self._router.unsubscribe(session, name)
        await self._write(packets.unsuback(packet.mid))

    async def _on_ping(self, _session: Session, _packet: Ping) -> None:
        await self._write(packets.pingresp())

    _HANDLERS: dict[type, Callable[..., Any]] = {  # noqa: RUF012 - a constant table of this class's own methods
        Publish: _on_publish,
        Puback: _on_puback,
        Subscribe: _on_subscribe,
        Unsubscribe: _on_unsubscribe,
        Ping: _on_ping,
    }

    async def _send(self) -> None:
        """Write what the outbox lets go, then wait for more."""
        try:
            while True:
                self._work.clear()
                while (departure := self._take()) is not None:
                    await self._write(
                        packets.publish(departure.message, departure.mid, again=departure.again)
                    )
                await self._work.wait()
        except (OSError, TimeoutError):
            self._writer.transport.abort()  # the reading side sees it and cleans up

    def _take(self) -> Departure | None:
        return self._session.outbox.take() if self._session else None

    async def _write(self, data: bytes) -> None:
        self._writer.write(data)
        async with asyncio.timeout(WRITE_S):
            await self._writer.drain()

    def _leave(self, *, orderly: bool) -> None:
        """Let go of the session, once, and of the socket."""
        session, self._session = self._session, None
        if session is not None:
            self._router.detach(session, orderly=orderly)
        self._work.set()
        # what was written still goes out; a peer that does not close its side is not waited for
        self._writer.close()

    async def _closed(self) -> None:
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


def _common_name(writer: asyncio.StreamWriter) -> str:
    """Return the one common name of the peer's certificate; ``RefusedError`` if it has none, or several."""
    peer: ssl.SSLObject = writer.get_extra_info("ssl_object")
    certificate: dict[str, Any] = peer.getpeercert() or {}
    names = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
    if len(names) != 1:
        raise RefusedError("no_common_name", f"a certificate with {len(names)} common names")
    return str(names[0])
