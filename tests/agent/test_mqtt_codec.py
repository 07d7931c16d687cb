"""Our MQTT packets beside another implementation's (amqtt), and whatever bytes a broker may send."""

from __future__ import annotations

import asyncio

from amqtt.adapters import BufferReader
from amqtt.mqtt.connect import ConnectPacket
from amqtt.mqtt.publish import PublishPacket
from amqtt.mqtt.subscribe import SubscribePacket
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import LinkError
from agent.transport import dns
from agent.transport import mqtt_codec as codec

TOPICS = st.text(st.characters(codec="utf-8", exclude_characters="+#", exclude_categories=["C"]), min_size=1)
MIDS = st.integers(1, 0xFFFF)


@given(TOPICS, st.binary(max_size=20_000), MIDS)
def test_a_publish_is_what_the_other_reads(topic: str, payload: bytes, mid: int) -> None:
    data = codec.publish_head(mid, topic, len(payload)) + payload
    packet = asyncio.run(PublishPacket.from_stream(BufferReader(data)))
    assert (packet.topic_name, packet.data, packet.packet_id) == (topic, payload, mid)
    assert (packet.qos, packet.retain_flag, packet.dup_flag) == (1, False, False)


@given(TOPICS, st.binary(max_size=2000), st.integers(1, 3600))
def test_a_connect_is_what_the_other_reads(topic: str, will: bytes, keepalive_s: int) -> None:
    packet = asyncio.run(
        ConnectPacket.from_stream(BufferReader(codec.connect("mx-1", keepalive_s, topic, will)))
    )
    assert (packet.client_id, packet.keep_alive, packet.clean_session_flag) == ("mx-1", keepalive_s, True)
    assert (packet.will_topic, bytes(packet.will_message)) == (topic, will)
    assert (packet.will_qos, packet.will_retain_flag, packet.username_flag) == (1, False, False)


@given(MIDS, st.lists(st.tuples(TOPICS, st.integers(0, 1)), min_size=1, max_size=5))
def test_a_subscribe_is_what_the_other_reads(mid: int, wanted: list[tuple[str, int]]) -> None:
    packet = asyncio.run(SubscribePacket.from_stream(BufferReader(codec.subscribe(mid, wanted))))
    assert (packet.variable_header.packet_id, packet.payload.topics) == (mid, wanted)


@given(TOPICS, st.binary(max_size=4000), st.integers(0, 1), MIDS, st.integers(1, 600))
def test_what_the_other_publishes_is_read_in_any_pieces(
    topic: str, payload: bytes, qos: int, mid: int, step: int
) -> None:
    data = PublishPacket.build(topic, payload, mid if qos else None, False, qos, False).to_bytes()
    decoder = codec.Decoder(1 << 20)
    found = [packet for at in range(0, len(data), step) for packet in decoder.feed(data[at : at + step])]
    assert found == [(codec.PUBLISH, (topic, payload, mid if qos else 0))]


@settings(max_examples=500)
@given(st.lists(st.binary(max_size=300), max_size=10))
def test_any_bytes_are_packets_or_a_reason(pieces: list[bytes]) -> None:
    decoder = codec.Decoder()
    reason = None
    for piece in pieces:
        try:
            decoder.feed(piece)
        except LinkError as error:
            reason = error.reason
            break
        assert len(decoder._buffer) <= codec.MAX_PACKET + 300
    assert reason in {None, "malformed_packet", "unexpected_packet", "oversized_packet"}


@settings(max_examples=500)
@given(st.binary(max_size=600), st.booleans())
def test_any_datagram_is_an_answer_or_a_reason(data: bytes, ours: bool) -> None:  # noqa: FBT001 - drawn
    question = dns.query(1, "broker.example", dns.A)
    if ours:
        data = question[:2] + b"\x81\x80\x00\x01\x00\x09\x00\x00\x00\x00" + question[12:] + data
    found = dns.answer(question, data)
    assert found is None or all(len(address) == 4 for address in found)
    assert not ours or found is not None
