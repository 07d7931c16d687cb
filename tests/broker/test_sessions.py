"""What the guarantees of the wire contract need of a broker: wills, queues, redelivery, takeover, windows."""

from __future__ import annotations

import time

import pytest

from tests.servers.wait import until

STATUS = "vigia/v1/0/collector"
DATA = "vigia/v1/0/router-a/data"
FLEET = 80


def numbers(count: int) -> list[bytes]:
    return [b"%d" % n for n in range(count)]


def death(name: str) -> tuple[str, bytes, bool]:
    return (f"vigia/v1/0/{name}/death", f"death of {name}".encode(), False)


@pytest.fixture
def collector(bench):
    client = bench.connect_collector(clean=False)
    client.subscribe("vigia/v1/0/+/+")
    return client


def test_a_will_is_sent_after_an_abrupt_loss(bench, collector):
    bench.connect_device("router-a", will=death("router-a")).vanish()
    collector.wait_for(b"death of router-a")


def test_no_will_after_a_good_bye(bench, collector):
    bench.connect_device("router-a", will=death("router-a")).close()
    bench.connect_device("router-b").publish("vigia/v1/0/router-b/data", b"sentinel")
    collector.wait_for(b"sentinel")
    assert collector.payloads() == [b"sentinel"]


def test_a_will_is_sent_when_the_keepalive_lapses(bench, collector):
    client = bench.client(bench.device("router-a"), "router-a", will=death("router-a"))
    client.connect(bench.server.host, bench.server.device_port, keepalive_s=1)
    client.paho.loop_stop()  # the socket stays open, nothing is sent any more
    collector.wait_for(b"death of router-a")


def test_a_retained_will_tells_that_the_collector_is_gone(bench):
    collector = bench.connect_collector(will=(STATUS, b"offline", True))
    collector.publish(STATUS, b"online", retain=True)
    device = bench.connect_device("router-a")
    device.subscribe("vigia/v1/+/collector")
    device.wait_for(b"online")
    collector.vanish()
    device.wait_for(b"offline")
    late = bench.connect_device("router-b")
    late.subscribe(STATUS)
    late.wait_for(b"offline")
    bench.connect_collector().publish(STATUS, b"", retain=True)


def test_what_came_while_the_collector_slept(bench, collector):
    collector.close()
    device = bench.connect_device("router-a")
    for payload in numbers(50):
        device.publish(DATA, payload)
    again = bench.connect_collector(clean=False)
    assert again.session_present
    again.wait_for(b"49")
    assert again.payloads() == numbers(50)


def test_what_was_not_acknowledged_comes_again_in_order(bench, collector):
    collector.close()
    slow = bench.connect_collector(clean=False, manual_ack=True)
    device = bench.connect_device("router-a")
    for payload in numbers(20):
        device.publish(DATA, payload)
    slow.wait_for(b"19")
    for message in slow.received[:5]:
        slow.paho.ack(message.mid, 1)
    device.publish(DATA, b"20")
    slow.wait_for(b"20")
    slow.vanish()
    device.publish(DATA, b"21")
    again = bench.connect_collector(clean=False)
    again.wait_for(b"21")
    assert again.payloads() == numbers(22)[5:]
    assert [message.dup for message in again.received] == [True] * 16 + [False]


def test_a_slow_collector_gets_two_batches_without_acknowledging(bench, collector):
    """With a window of Mosquitto's default 20 the ingest's batches of 500 would wait for their timer."""
    collector.close()
    slow = bench.connect_collector(clean=False, manual_ack=True)
    device = bench.connect_device("router-a")
    for payload in numbers(1000):
        device.paho.publish(DATA, payload, qos=1)
    until(lambda: len(slow.received) == 1000, "1000 messages in flight", timeout_s=60)
    assert slow.payloads() == numbers(1000)


def test_a_message_is_not_forgotten_while_the_collector_is_busy(bench, collector):
    """The store may be down for a while: nothing is acknowledged then, and nothing may be lost."""
    collector.close()
    slow = bench.connect_collector(clean=False, manual_ack=True)
    bench.connect_device("router-a").publish(DATA, b"precious")
    slow.wait_for(b"precious")
    longer = time.monotonic() + 6
    until(lambda: time.monotonic() > longer, "the time to pass")
    slow.vanish()
    again = bench.connect_collector(clean=False)
    again.wait_for(b"precious")
    assert again.received[0].dup


def test_a_new_connection_displaces_the_old_and_sends_its_will(bench, collector):
    old = bench.connect_device("router-a", will=death("router-a"))
    new = bench.connect_device("router-a")
    until(lambda: old.lost, "the old connection to end")
    collector.wait_for(b"death of router-a")
    new.publish(DATA, b"alive")
    collector.wait_for(b"alive")
    assert collector.payloads() == [b"death of router-a", b"alive"]


def test_the_ingest_session_moves_to_another_worker(bench, collector):
    taking = bench.connect_collector(clean=False)
    until(lambda: collector.lost, "the old worker to be told")
    assert taking.session_present
    bench.connect_device("router-a").publish(DATA, b"for the new one")
    taking.wait_for(b"for the new one")
    assert collector.received == []


def test_two_overlapping_shards_do_not_mix(bench, collector):
    other = bench.connect_collector("vigia-ingest-1", clean=True)
    other.subscribe("vigia/v1/1/+/+")
    device = bench.connect_device("router-a")
    device.publish("vigia/v1/1/router-a/data", b"one")
    device.publish(DATA, b"zero")
    collector.wait_for(b"zero")
    other.wait_for(b"one")
    assert (collector.payloads(), other.payloads()) == ([b"zero"], [b"one"])


def test_unsubscribe(bench, collector):
    device = bench.connect_device("router-a")
    device.subscribe("vigia/v1/+/router-a/ack", STATUS)
    device.paho.unsubscribe("vigia/v1/+/router-a/ack")
    device.publish(DATA, b"after the unsubscription")
    collector.publish("vigia/v1/0/router-a/ack", b"unwanted")
    collector.publish(STATUS, b"sentinel")
    device.wait_for(b"sentinel")
    assert device.payloads() == [b"sentinel"]


def test_the_largest_frame_passes_and_a_larger_one_does_not(bench, collector):
    device = bench.connect_device("router-a")
    device.publish(DATA, b"x" * 65_536)
    collector.wait_for(b"x" * 65_536)
    device.paho.publish(DATA, b"y" * 70_000, qos=1)
    until(lambda: device.lost, "the broker to hang up")


def test_a_fleet_with_wills_dies_at_once(bench, collector):
    names = [f"fleet-{n:02}" for n in range(FLEET)]
    fleet = [bench.connect_device(name, will=death(name)) for name in names]
    for name, device in zip(names, fleet, strict=True):
        device.paho.publish(f"vigia/v1/0/{name}/birth", f"birth of {name}".encode(), qos=1)
    until(lambda: len(collector.received) == FLEET, "all births", timeout_s=60)
    for device in fleet:
        device.vanish()
    until(lambda: len(collector.received) == 2 * FLEET, "all deaths", timeout_s=60)
    assert set(collector.payloads()) == {
        f"{word} of {name}".encode() for name in names for word in ("birth", "death")
    }
