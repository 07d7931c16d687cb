"""Who gets in: certificates, listeners, client ids. The same for Mosquitto and the embedded broker."""

from __future__ import annotations

import pytest

from certs.authority import Authority, now_ms
from tests.broker.client import Credentials
from tests.broker.conftest import EXPIRED_MS

DATA = "vigia/v1/0/router-b/data"


def refusal(bench, credentials, client_id, port):
    return bench.client(credentials, client_id).try_connect(bench.server.host, port)


@pytest.fixture(params=["device", "collector"])
def port(request, bench):
    return bench.server.device_port if request.param == "device" else bench.server.collector_port


@pytest.mark.parametrize("client_id", ["router-a", "vigia-ingest-0"])
def test_without_certificate(bench, port, client_id):
    assert refusal(bench, bench.nobody(), client_id, port)


def test_certificate_of_another_authority(bench, port, tmp_path):
    other = Authority.create(tmp_path / "other")
    folder = other.issue("router-a", "alcaldia").folder
    shown = Credentials(bench.authority.folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    assert refusal(bench, shown, "router-a", port)


def test_collector_certificate_of_another_authority(bench, port, tmp_path):
    folder = Authority.create(tmp_path / "other").folder / "collector"
    shown = Credentials(bench.authority.folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    assert refusal(bench, shown, "vigia-ingest-0", port)


def test_expired_certificate(bench, tmp_path):
    expired = bench.certified("router-a", bench.authority.issuer(), tmp_path, EXPIRED_MS)
    assert refusal(bench, expired, "router-a", bench.server.device_port)


def test_expired_collector_certificate(bench, tmp_path):
    expired = bench.certified("vigia-collector", bench.authority.collector_issuer(), tmp_path, EXPIRED_MS)
    assert refusal(bench, expired, "vigia-ingest-0", bench.server.collector_port)


def test_server_certificate_is_none_for_clients(bench):
    folder = bench.authority.folder
    shown = Credentials(folder / "ca.pem", folder / "server" / "cert.pem", folder / "server" / "key.pem")
    assert refusal(bench, shown, "localhost", bench.server.device_port)


def test_device_certificate_at_the_collector_listener(bench):
    assert refusal(bench, bench.device("router-a"), "vigia-ingest-0", bench.server.collector_port)
    assert refusal(bench, bench.device("router-a"), "router-a", bench.server.collector_port)


def test_collector_certificate_at_the_device_listener(bench):
    assert refusal(bench, bench.collector, "vigia-ingest-0", bench.server.device_port)


def test_a_device_called_collector_by_the_wrong_authority(bench, tmp_path):
    shown = bench.certified("vigia-collector", bench.authority.issuer(), tmp_path, now_ms())
    assert refusal(bench, shown, "vigia-ingest-0", bench.server.collector_port)


def test_valid_certificates_enter(bench):
    bench.connect_device("router-a")
    bench.connect_collector()


@pytest.mark.parametrize("clean", [True, False])
def test_a_foreign_client_id_does_not_displace_its_owner(bench, clean):
    victim = bench.connect_device("router-b")
    victim.subscribe("vigia/v1/+/router-b/ack")
    intruder = bench.client(bench.device("router-a"), "router-b", clean=clean)
    told = intruder.try_connect(bench.server.host, bench.server.device_port)
    # Mosquitto lets it in under its own name, the embedded broker refuses it
    assert (told is not None) == bench.embedded
    bench.connect_collector().publish("vigia/v1/0/router-b/ack", b"for b")
    victim.wait_for(b"for b")
    assert victim.lost == 0


@pytest.mark.parametrize("clean", [True, False])
def test_a_device_cannot_take_over_the_ingest_session(bench, clean):
    collector = bench.connect_collector(clean=False)
    collector.subscribe("vigia/v1/0/+/+")
    intruder = bench.client(bench.device("router-a"), "vigia-ingest-0", clean=clean)
    told = intruder.try_connect(bench.server.host, bench.server.device_port)
    assert (told is not None) == bench.embedded
    bench.connect_device("router-b").publish(DATA, b"still here")
    collector.wait_for(b"still here")
    assert collector.lost == 0
    assert intruder.received == []


@pytest.mark.parametrize("clean", [True, False])
def test_a_device_cannot_delete_the_sleeping_ingest_session(bench, clean):
    collector = bench.connect_collector(clean=False)
    collector.subscribe("vigia/v1/0/+/+")
    collector.close()
    intruder = bench.client(bench.device("router-a"), "vigia-ingest-0", clean=clean)
    intruder.try_connect(bench.server.host, bench.server.device_port)
    intruder.close()
    bench.connect_device("router-b").publish(DATA, b"while it slept")
    again = bench.connect_collector(clean=False)
    assert again.session_present
    again.wait_for(b"while it slept")


def test_an_empty_client_id_is_refused(bench):
    assert refusal(bench, bench.device("router-a"), "", bench.server.device_port)
    assert refusal(bench, bench.collector, "", bench.server.collector_port)
