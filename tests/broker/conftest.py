"""One authority and one broker a module; every test of this folder runs against both brokers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from certs import files, issuing, keys
from tests.broker.client import Client, Credentials
from tests.broker.embedded_server import EmbeddedServer
from tests.servers.mosquitto import MosquittoServer, new_authority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from certs.authority import Authority

Server = MosquittoServer | EmbeddedServer

SITE = "alcaldia"
EXPIRED_MS = 1_600_000_000_000  # 2020


class Bench:
    """A running broker, credentials of every kind, and clients that are closed at the end."""

    def __init__(self, server: Server, authority: Authority) -> None:
        self.server = server
        self.authority = authority
        self.embedded = isinstance(server, EmbeddedServer)
        self._clients: list[Client] = []

    @property
    def collector(self) -> Credentials:
        folder = self.authority.folder / "collector"
        return Credentials(self.authority.folder / "ca.pem", folder / "cert.pem", folder / "key.pem")

    def device(self, name: str) -> Credentials:
        folder = self.authority.folder / "devices" / name
        if not folder.exists():
            self.authority.issue(name, SITE)
        return Credentials(self.authority.folder / "ca.pem", folder / "cert.pem", folder / "key.pem")

    def nobody(self) -> Credentials:
        return Credentials(self.authority.folder / "ca.pem")

    def certified(self, name: str, issuer: issuing.Issuer, folder: Path, until_ms: int) -> Credentials:
        """A certificate made by hand."""
        key = keys.new()
        until = issuing.expiry(until_ms, 1)
        certificate = issuing.leaf(issuer, key.public_key(), name, until, issuing.CLIENT)
        files.write(folder / "cert.pem", issuing.pem(certificate))
        files.write(folder / "key.pem", keys.private_pem(key), private=True)
        return Credentials(self.authority.folder / "ca.pem", folder / "cert.pem", folder / "key.pem")

    def client(self, credentials: Credentials, client_id: str, **options) -> Client:
        """A client that is not connected yet."""
        client = Client(credentials, client_id, **options)
        self._clients.append(client)
        return client

    def connect_device(self, name: str, client_id: str | None = None, **options) -> Client:
        client = self.client(self.device(name), name if client_id is None else client_id, **options)
        return client.connect(self.server.host, self.server.device_port)

    def connect_collector(self, client_id: str = "vigia-ingest-0", **options) -> Client:
        options.setdefault("version", self.server.mqtt_version)
        client = self.client(self.collector, client_id, **options)
        return client.connect(self.server.host, self.server.collector_port)

    def close_clients(self) -> None:
        for client in self._clients:
            client.close()
        self._clients.clear()

    def forget(self, client_id: str) -> None:
        """Delete a collector session that a test left."""
        self.connect_collector(client_id, clean=True).close()


@pytest.fixture(scope="module", params=[pytest.param("mosquitto", marks=pytest.mark.server), "embedded"])
def running(request, tmp_path_factory) -> Iterator[Bench]:
    authority = new_authority(tmp_path_factory.mktemp("pki") / "pki")
    server: Server
    if request.param == "mosquitto":
        folder = tmp_path_factory.mktemp("mosquitto")
        server = MosquittoServer(request.getfixturevalue("mosquitto_bin"), folder, authority)
    else:
        server = EmbeddedServer(authority)
    server.start()
    yield Bench(server, authority)
    server.stop()
    if isinstance(server, EmbeddedServer):
        assert server.loop_errors == []


@pytest.fixture
def bench(running) -> Iterator[Bench]:
    yield running
    running.close_clients()
    running.forget("vigia-ingest-0")
    running.close_clients()
