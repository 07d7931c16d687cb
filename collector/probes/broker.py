"""A message of our own through the broker and back, under a topic of the collector's own."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from collector.errors import ConfigError
from collector.probes.record import Seen

if TYPE_CHECKING:
    from collector.config import BrokerConfig

KEEPALIVE_S = 20
RECONNECT_S = (1, 5)


class BrokerProbe:
    """Keeps a connection and asks through it. ``ask`` waits ``timeout_s`` at most."""

    name = "broker"

    def __init__(self, config: BrokerConfig, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        who = f"{socket.gethostname()}-{os.getpid()}"
        self._topic = f"vigia/probe/{who}"
        self._where = (config.host, config.port)
        self._came = threading.Event()
        self._ready = threading.Event()
        self._number = 0
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"vigia-probe-{who}",
            protocol=MQTTProtocolVersion(config.mqtt_version),
        )
        self._client.tls_set_context(_context(config))
        self._client.reconnect_delay_set(*RECONNECT_S)
        self._client.on_connect = lambda client, *_: client.subscribe(self._topic, qos=1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_disconnect = lambda *_: self._ready.clear()
        self._client.on_message = self._on_message
        self._client.connect_timeout = timeout_s
        self._started = False

    def ask(self) -> Seen:
        """Send and wait for it to come back."""
        if not self._started:
            self._started = True
            self._client.connect_async(*self._where, keepalive=KEEPALIVE_S)
            self._client.loop_start()
        begun = time.monotonic()
        if not self._ready.wait(self._timeout_s):
            return Seen(good=False, detail=f"no session with {self._where[0]}:{self._where[1]}")
        self._came.clear()
        self._number += 1
        self._client.publish(self._topic, str(self._number).encode(), qos=1)
        if not self._came.wait(self._timeout_s):
            return Seen(good=False, detail="a message of our own did not come back")
        return Seen(good=True, latency_ms=(time.monotonic() - begun) * 1000)

    def _on_message(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        if message.payload == str(self._number).encode():
            self._came.set()

    def close(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()


def _context(config: BrokerConfig) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(config.ca_file))
        context.load_cert_chain(config.cert_file, config.key_file)
    except OSError as error:
        raise ConfigError(f"broker: its certificates cannot be used: {error}") from error
    return context
