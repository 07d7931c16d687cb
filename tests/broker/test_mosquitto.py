"""What the exported configuration makes of a real Mosquitto beyond the suite that both brokers pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.broker.conftest import Bench
from tests.servers.mosquitto import MosquittoServer, new_authority
from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.server

DATA = "vigia/v1/0/router-a/data"


@pytest.fixture
def bench(mosquitto_bin, tmp_path) -> Iterator[Bench]:
    authority = new_authority(tmp_path / "pki")
    server = MosquittoServer(mosquitto_bin, tmp_path / "mosquitto", authority).start()
    bench = Bench(server, authority)
    yield bench
    bench.close_clients()
    server.stop()


def queue_for_a_sleeping_collector(bench, count: int) -> list[bytes]:
    collector = bench.connect_collector(clean=False)
    collector.subscribe("vigia/v1/0/+/+")
    collector.close()
    device = bench.connect_device("router-a")
    payloads = [b"%d" % n for n in range(count)]
    for payload in payloads:
        device.publish(DATA, payload)
    device.close()
    return payloads


# the second: Mosquitto has no other way to let every user read a topic
EXPECTED = ("should not be run as root", "acl pattern 'vigia/v1/+/collector' does not contain")


def test_it_starts_without_a_complaint(bench):
    lines = bench.server.log().lower().splitlines()
    words = ("error", "warning", "deprecated")
    complaints = [line for line in lines if any(word in line for word in words)]
    assert [line for line in complaints if not any(known in line for known in EXPECTED)] == []


def test_a_queue_outlives_a_restart(bench):
    payloads = queue_for_a_sleeping_collector(bench, 20)
    bench.server.restart()
    collector = bench.connect_collector(clean=False)
    assert collector.session_present
    until(lambda: len(collector.received) == 20, "the queue")
    assert collector.payloads() == payloads


def test_a_saved_queue_outlives_a_kill(bench):
    payloads = queue_for_a_sleeping_collector(bench, 20)
    bench.server.save()
    bench.server.kill()
    bench.server.start()
    collector = bench.connect_collector(clean=False)
    until(lambda: len(collector.received) == 20, "the queue")
    assert collector.payloads() == payloads


def test_more_than_the_default_thousand_are_queued(bench):
    collector = bench.connect_collector(clean=False)
    collector.subscribe("vigia/v1/0/+/+")
    collector.close()
    device = bench.connect_device("router-a")
    for n in range(1500):
        mid = device.paho.publish(DATA, b"%d" % n, qos=1).mid
    until(lambda: mid in device.published, "the last PUBACK", timeout_s=60)
    again = bench.connect_collector(clean=False)
    until(lambda: len(again.received) == 1500, "all of them", timeout_s=60)


def test_the_certificate_names_the_client(bench):
    """``use_username_as_clientid``: the client id of a device is its common name, whatever it says."""
    bench.connect_device("router-a", "vigia-ingest-0")
    until(lambda: " as router-a " in bench.server.log(), "the log to name it")
    assert " as vigia-ingest-0 " not in bench.server.log()
