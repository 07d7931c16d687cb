"""Who may publish and read what. An allowed sentinel ends each wait: what came before it is all there is."""

from __future__ import annotations

import pytest

UP = ["birth", "data", "event", "death"]


@pytest.fixture
def collector(bench):
    client = bench.connect_collector()
    client.subscribe("vigia/v1/+/+/+", "vigia/v1/+/collector")
    return client


@pytest.fixture
def device(bench):
    return bench.connect_device("router-a")


@pytest.mark.parametrize("kind", UP)
def test_a_device_publishes_under_its_name(device, collector, kind):
    device.publish(f"vigia/v1/0/router-a/{kind}", b"mine")
    collector.wait_for(b"mine")
    assert collector.topics() == [f"vigia/v1/0/router-a/{kind}"]


@pytest.mark.parametrize("shard", ["5", "f"])
def test_in_any_shard(device, collector, shard):
    device.publish(f"vigia/v1/{shard}/router-a/data", b"mine")
    collector.wait_for(b"mine")


@pytest.mark.parametrize(
    "topic",
    [
        "vigia/v1/0/router-b/data",
        "vigia/v1/0/router-b/ack",
        "vigia/v1/0/router-a/ack",
        "vigia/v1/0/router-a/other",
        "vigia/v1/0/router-a/data/more",
        "vigia/v1/10/router-a/data",
        "vigia/v1/x/router-a/data",
        "vigia/v1/0/collector",
        "vigia/v2/0/router-a/data",
        "vigia/probe/x",
    ],
)
def test_a_device_publishes_nothing_else(bench, device, collector, topic):
    collector.subscribe("#", "vigia/probe/+") if not bench.embedded else collector.subscribe("vigia/#")
    device.publish(topic, b"not allowed")
    device.publish(topic, b"not allowed either", retain=True)
    device.publish("vigia/v1/0/router-a/data", b"sentinel")
    collector.wait_for(b"sentinel")
    assert collector.payloads().count(b"sentinel") == len(collector.payloads())
    late = bench.connect_device("router-b")
    late.subscribe("vigia/v1/+/router-b/ack", "vigia/v1/+/collector")
    collector.publish("vigia/v1/0/router-b/ack", b"sentinel")
    late.wait_for(b"sentinel")
    assert late.payloads() == [b"sentinel"]


def test_a_device_reads_its_own_ack(device, collector):
    device.subscribe("vigia/v1/+/router-a/ack")
    collector.publish("vigia/v1/0/router-a/ack", b"for a")
    device.wait_for(b"for a")


@pytest.mark.parametrize(
    "name",
    [
        "#",
        "vigia/#",
        "vigia/v1/+/+/ack",
        "vigia/v1/0/router-b/ack",
        "vigia/v1/+/+/data",
        "vigia/v1/0/router-b/+",
        "+/+/+/+/+",
        "vigia/v1/0/router-a/data",
    ],
)
def test_a_device_reads_nothing_else(bench, device, collector, name):
    """Mosquitto grants such a filter and delivers nothing; the embedded broker refuses it."""
    granted = device.subscribe(name, "vigia/v1/+/router-a/ack")
    assert granted == ([0x80, 1] if bench.embedded else [1, 1])
    other = bench.connect_device("router-b")
    other.publish("vigia/v1/0/router-b/data", b"data of b")
    device.publish("vigia/v1/0/router-a/data", b"own data")
    collector.publish("vigia/v1/0/router-b/ack", b"ack of b")
    collector.publish("vigia/v1/0/router-a/ack", b"sentinel")
    device.wait_for(b"sentinel")
    assert set(device.payloads()) == {b"sentinel"}


def test_a_device_reads_the_status_retained(bench, collector):
    collector.publish("vigia/v1/0/collector", b'{"state":"online"}', retain=True)
    device = bench.connect_device("router-a")
    device.subscribe("vigia/v1/0/collector")
    device.wait_for(b'{"state":"online"}')
    assert [message.retain for message in device.received] == [True]
    collector.publish("vigia/v1/0/collector", b"", retain=True)


def test_retained_messages_need_a_subscription(bench, collector):
    """The collector's filters must not bring anything to a device that merely connects."""
    bench.connect_device("router-b").publish("vigia/v1/0/router-b/data", b"retained", retain=True)
    collector.wait_for(b"retained")
    device = bench.connect_device("router-a")
    device.subscribe("vigia/v1/+/router-a/ack")
    collector.publish("vigia/v1/0/router-a/ack", b"sentinel")
    device.wait_for(b"sentinel")
    assert device.payloads() == [b"sentinel"]
    bench.connect_device("router-b").publish("vigia/v1/0/router-b/data", b"", retain=True)


def test_a_will_under_another_name_reaches_nobody(bench, collector):
    will = ("vigia/v1/0/router-b/death", b"false death", False)
    liar = bench.client(bench.device("router-a"), "router-a", will=will)
    if liar.try_connect(bench.server.host, bench.server.device_port) is None:
        assert not bench.embedded
        liar.vanish()
    device = bench.connect_device("router-a")
    device.publish("vigia/v1/0/router-a/data", b"sentinel")
    collector.wait_for(b"sentinel")
    assert collector.payloads() == [b"sentinel"]


def test_the_collector_does_not_hear_its_own_acks(device, collector):
    collector.publish("vigia/v1/0/router-a/ack", b"an ack")
    device.publish("vigia/v1/0/router-a/data", b"sentinel")
    collector.wait_for(b"sentinel")
    assert collector.payloads() == [b"sentinel"]


@pytest.mark.parametrize("topic", ["vigia/v1/0/router-a/data", "elsewhere", "vigia/v1/0/router-a/birth"])
def test_the_collector_does_not_speak_for_devices(collector, topic):
    collector.publish(topic, b"forged")
    collector.publish("vigia/v1/0/collector", b"sentinel")
    collector.wait_for(b"sentinel")
    assert collector.payloads() == [b"sentinel"]


def test_the_collector_hears_its_own_probe(collector):
    collector.subscribe("vigia/probe/doctor")
    collector.publish("vigia/probe/doctor", b"loopback")
    collector.wait_for(b"loopback")
