"""The embedded broker: MQTT 3.1.1 over mutual TLS on loopback, QoS 0 and 1, sessions while it runs.

amqtt brings the packets, nothing more. Its broker was tried (0.12.1) and is not used: it forgets a message at
QoS 1 that is not acknowledged within 5 s or whose client loses its connection; it sends retained messages to
whoever connects, for filters that only others subscribed to; when a clean session is taken over both clients
stay connected; and it bounds neither queues nor the length of a packet.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from functools import partial
from typing import TYPE_CHECKING, Protocol

from collector.broker.connection import Connection
from collector.broker.router import Router
from collector.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from collector.broker.acl import Role
    from collector.config import BrokerConfig

LOOPBACK = "127.0.0.1"
LOCAL_NAMES = ("localhost", LOOPBACK)
HANDSHAKE_S = 10.0
SHUTDOWN_S = 2.0  # a peer that does not answer the goodbye is not waited for
MAX_CONNECTIONS = 1000  # a demonstration's fleet and then some; more is work for Mosquitto


class Problems(Protocol):
    """Where problems are told; ``collector.log.Reporter`` is one."""

    def problem(self, reason: str, message: str) -> None:
        """Count and log a problem."""


class LogOnly:
    """Problems as plain log lines."""

    def __init__(self) -> None:
        self._log = logging.getLogger("vigia.broker")

    def problem(self, reason: str, message: str) -> None:
        """Log a problem."""
        self._log.warning("%s: %s", reason, message)


async def serve(
    config: BrokerConfig,
    ready: Callable[[], object],
    stop: asyncio.Event,
    reporter: Problems | None = None,
) -> None:
    """Serve devices on ``config.device_port`` and the collector on ``config.port`` until ``stop``.

    ``ready`` is called once both listen. ``ConfigError`` when it cannot start.
    """
    if config.host not in LOCAL_NAMES:
        raise ConfigError(f"broker.host: the embedded broker serves {LOOPBACK} only; run Mosquitto instead")
    broker = _Broker(reporter or LogOnly())
    try:
        await broker.listen("device", config.device_port, _tls(config, config.ca_file))
        await broker.listen("collector", config.port, _tls(config, config.collector_ca_file))
        ready()
        await stop.wait()
    finally:
        await broker.close()


class _Broker:
    """Listeners and the connections they brought."""

    def __init__(self, reporter: Problems) -> None:
        self._problem = reporter.problem
        self._router = Router(self._problem)
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()

    async def listen(self, role: Role, port: int, tls: ssl.SSLContext) -> None:
        """Open a listener for one kind of client."""
        try:
            server = await asyncio.start_server(
                partial(self._accept, role),
                LOOPBACK,
                port,
                ssl=tls,
                ssl_handshake_timeout=HANDSHAKE_S,
                ssl_shutdown_timeout=SHUTDOWN_S,
            )
        except OSError as error:
            raise ConfigError(f"{LOOPBACK}:{port}: cannot listen: {error.strerror}") from error
        self._servers.append(server)

    async def close(self) -> None:
        """Stop listening and end every connection."""
        for server in self._servers:
            server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()

    def _accept(self, role: Role, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= MAX_CONNECTIONS:
            self._problem("too_many_connections", f"more than {MAX_CONNECTIONS}")
            writer.transport.abort()
            return
        task = asyncio.create_task(Connection(reader, writer, role, self._router, self._problem).run())
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)


def _tls(config: BrokerConfig, ca_file: Path) -> ssl.SSLContext:
    """Only clients with a certificate of ``ca_file`` get through; each proves it anew, nothing is resumed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    try:
        context.load_cert_chain(config.server_cert_file, config.server_key_file)
        context.load_verify_locations(ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"the broker's certificates cannot be used ({error}); see `vigia-certs`") from error
    return context
