"""MQTT 3.1.1 packets as values; the bytes are amqtt's work.

A packet is read whole, at most ``LIMIT`` bytes, before anything parses it: a claimed length costs nothing.
QoS 2 is not spoken: nothing here needs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from amqtt.adapters import BufferReader
from amqtt.mqtt.connack import ConnackPacket
from amqtt.mqtt.connect import ConnectPacket
from amqtt.mqtt.packet import (
    CONNECT,
    DISCONNECT,
    PINGREQ,
    PUBACK,
    PUBLISH,
    SUBSCRIBE,
    UNSUBSCRIBE,
    MQTTFixedHeader,
)
from amqtt.mqtt.pingresp import PingRespPacket
from amqtt.mqtt.puback import PubackPacket
from amqtt.mqtt.publish import PublishPacket
from amqtt.mqtt.suback import SubackPacket
from amqtt.mqtt.subscribe import SubscribePacket
from amqtt.mqtt.unsuback import UnsubackPacket
from amqtt.mqtt.unsubscribe import UnsubscribePacket

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

LIMIT = 66_560  # a frame of 65,536 bytes with its topic and header; Mosquitto's max_packet_size too
MQTT_311 = b"\x00\x04MQTT\x04"

ACCEPTED, BAD_VERSION, BAD_CLIENT_ID, NOT_AUTHORISED = 0, 1, 2, 5
REFUSED_FILTER = 0x80


class PacketError(Exception):
    """The peer sent what MQTT 3.1.1, or this broker, does not allow; ``reason`` names it."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Message:
    """An application message; ``qos`` is 0 or 1."""

    topic: str
    payload: bytes
    qos: int
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Connect:
    """CONNECT. ``client_id`` is empty when the client left it out."""

    client_id: str
    clean: bool
    keepalive_s: int
    will: Message | None


@dataclass(frozen=True, slots=True)
class Publish:
    """PUBLISH; ``mid`` is 0 at QoS 0."""

    message: Message
    mid: int


@dataclass(frozen=True, slots=True)
class Puback:
    """PUBACK."""

    mid: int


@dataclass(frozen=True, slots=True)
class Subscribe:
    """SUBSCRIBE: filters with the QoS asked for."""

    mid: int
    filters: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """UNSUBSCRIBE."""

    mid: int
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ping:
    """PINGREQ."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """DISCONNECT: the client means to go, its will is void."""


Packet = Connect | Publish | Puback | Subscribe | Unsubscribe | Ping | Disconnect


async def read(reader: asyncio.StreamReader) -> Packet:
    """Read the next packet; ``PacketError`` for a bad one, ``asyncio.IncompleteReadError`` at the end."""
    first = (await reader.readexactly(1))[0]
    length = await _length(reader)
    if length > LIMIT:
        raise PacketError("oversized", f"a packet of {length} bytes")
    return await parse(first, await reader.readexactly(length))


async def parse(first: int, body: bytes) -> Packet:
    """Parse a packet from its first byte and what follows the length."""
    convert = _CONVERT.get(first >> 4)
    if convert is None:
        raise PacketError("unexpected_packet", f"a packet of type {first >> 4}")
    try:
        return await convert(MQTTFixedHeader(first >> 4, first & 0x0F, len(body)), body)
    except PacketError:
        raise
    except Exception as error:  # a third party's parser on hostile bytes: anything costs this connection only
        raise PacketError("malformed", f"type {first >> 4}: {error!r}") from error


def connack(code: int, *, session_present: bool = False) -> bytes:
    """CONNACK."""
    return bytes(ConnackPacket.build(int(session_present), code).to_bytes())


def puback(mid: int) -> bytes:
    """PUBACK."""
    return bytes(PubackPacket.build(mid).to_bytes())


def suback(mid: int, codes: list[int]) -> bytes:
    """SUBACK: the granted QoS of each filter, or ``REFUSED_FILTER``."""
    return bytes(SubackPacket.build(mid, codes).to_bytes())


def unsuback(mid: int) -> bytes:
    """UNSUBACK."""
    return bytes(UnsubackPacket.build(mid).to_bytes())


def pingresp() -> bytes:
    """PINGRESP."""
    return bytes(PingRespPacket.build().to_bytes())


def publish(message: Message, mid: int, *, again: bool) -> bytes:
    """PUBLISH; ``again`` marks one that may have been received before."""
    packet = PublishPacket.build(
        message.topic, message.payload, mid or None, again, message.qos, message.retain
    )
    return bytes(packet.to_bytes())


async def _length(reader: asyncio.StreamReader) -> int:
    """Read the remaining length: at most four bytes of seven bits (MQTT 3.1.1, 2.2.3)."""
    value = 0
    for shift in (0, 7, 14, 21):
        byte = (await reader.readexactly(1))[0]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            return value
    raise PacketError("malformed", "a remaining length of more than four bytes")


async def _connect(header: MQTTFixedHeader, body: bytes) -> Connect:
    # checked first: other versions go on differently
    if not body.startswith(MQTT_311):
        raise PacketError("bad_version", "not MQTT 3.1.1")
    packet = await ConnectPacket.from_stream(BufferReader(body), fixed_header=header)
    client_id = "" if packet.client_id_is_random else cast("str", packet.client_id)
    return Connect(client_id, packet.clean_session_flag, packet.keep_alive, _will(packet))


def _will(packet: ConnectPacket) -> Message | None:
    if not packet.will_flag:
        return None
    if not packet.will_topic or packet.will_message is None:
        raise PacketError("malformed", "a will without topic or message")
    return Message(
        packet.will_topic, bytes(packet.will_message), _qos(packet.will_qos), bool(packet.will_retain_flag)
    )


async def _publish(header: MQTTFixedHeader, body: bytes) -> Publish:
    packet = await PublishPacket.from_stream(BufferReader(body), fixed_header=header)
    qos = _qos(packet.qos or 0)
    mid = _mid(packet.packet_id or 0) if qos else 0
    return Publish(Message(packet.topic_name or "", packet.data or b"", qos, packet.retain_flag), mid)


async def _puback(_header: MQTTFixedHeader, body: bytes) -> Puback:
    return Puback(int.from_bytes(body[:2]))


async def _subscribe(header: MQTTFixedHeader, body: bytes) -> Subscribe:
    packet = await SubscribePacket.from_stream(BufferReader(body), fixed_header=header)
    if packet.variable_header is None or packet.payload is None or not packet.payload.topics:
        raise PacketError("malformed", "SUBSCRIBE without filters")
    # a subscription at QoS 2 is granted QoS 1, as the standard allows
    filters = tuple((name, min(qos, 1)) for name, qos in packet.payload.topics)
    return Subscribe(_mid(packet.variable_header.packet_id), filters)


async def _unsubscribe(header: MQTTFixedHeader, body: bytes) -> Unsubscribe:
    packet = await UnsubscribePacket.from_stream(BufferReader(body), fixed_header=header)
    if packet.variable_header is None or packet.payload is None:
        raise PacketError("malformed", "UNSUBSCRIBE without filters")
    return Unsubscribe(_mid(packet.variable_header.packet_id), tuple(packet.payload.topics))


async def _ping(_header: MQTTFixedHeader, _body: bytes) -> Ping:
    return Ping()


async def _disconnect(_header: MQTTFixedHeader, _body: bytes) -> Disconnect:
    return Disconnect()


def _qos(qos: int) -> int:
    if qos not in {0, 1}:
        raise PacketError("qos_2", f"QoS {qos} is not spoken here")
    return qos


def _mid(mid: int) -> int:
    if mid == 0:
        raise PacketError("malformed", "packet id 0")
    return mid


_CONVERT: dict[int, Callable[[MQTTFixedHeader, bytes], Awaitable[Packet]]] = {
    CONNECT: _connect,
    PUBLISH: _publish,
    PUBACK: _puback,
    SUBSCRIBE: _subscribe,
    UNSUBSCRIBE: _unsubscribe,
    PINGREQ: _ping,
    DISCONNECT: _disconnect,
}
