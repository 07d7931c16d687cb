"""The collector's end of a real broker: what devices publish."""

from __future__ import annotations

import ssl
import threading
from typing import TYPE_CHECKING, Any

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.servers.wait import until

if TYPE_CHECKING:
    from certs.authority import Authority


class Listener:
    """Hears everything from the moment it exists."""

    def __init__(self, authority: Authority) -> None:
        self._heard: list[tuple[str, bytes]] = []
        ready = threading.Event()
        client = mqtt.Client(CallbackAPIVersion.VERSION2, "vigia-ingest-listener")
        context = ssl.create_default_context(cafile=str(authority.folder / "ca.pem"))
        own = authority.folder / "collector"
        context.load_cert_chain(own / "cert.pem", own / "key.pem")
        client.tls_set_context(context)
        client.on_connect = lambda client, *_: client.subscribe("vigia/v1/+/+/+", qos=1)
        client.on_subscribe = lambda *_: ready.set()
        client.on_message = self._on_message
        client.connect("localhost", authority.settings.collector_port)
        client.loop_start()
        assert ready.wait(30)
        self._client = client

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, qos=1)

    def payloads(self, topic: str) -> list[bytes]:
        return [payload for name, payload in self._heard if name == topic]

    def hears(self, topic: str, count: int) -> list[bytes]:
        """Wait until at least so many messages have come; return them."""
        until(lambda: len(self.payloads(topic)) >= count, f"{count} messages on {topic}")
        return self.payloads(topic)

    def _on_message(self, _client: object, _userdata: object, message: Any) -> None:
        self._heard.append((message.topic, bytes(message.payload)))
