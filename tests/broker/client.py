"""A paho client that collects what happens to it."""

from __future__ import annotations

import contextlib
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.servers.wait import until

if TYPE_CHECKING:
    from pathlib import Path

EXPIRY_S = 3600


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client shows, and the authority it expects behind the broker."""

    ca: Path
    cert: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.ca))
        if self.cert is not None:
            context.load_cert_chain(self.cert, self.key)
        return context


@dataclass(frozen=True, slots=True)
class Received:
    topic: str
    payload: bytes
    mid: int
    dup: bool
    retain: bool


class Client:
    """Connects with one client id; ``received`` is in order of arrival."""

    def __init__(
        self,
        credentials: Credentials,
        client_id: str,
        *,
        version: int = paho.MQTTv311,
        clean: bool = True,
        manual_ack: bool = False,
        will: tuple[str, bytes, bool] | None = None,
    ) -> None:
        self.received: list[Received] = []
        self.connacks: list[tuple[bool, Any]] = []
        self.granted: dict[int, list[int]] = {}
        self.published: set[int] = set()
        self.lost = 0
        self._version = version
        self._clean = clean
        clean_session = None if version == paho.MQTTv5 else clean
        self.paho = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id,
            clean_session=clean_session,
            protocol=MQTTProtocolVersion(version),
            manual_ack=manual_ack,
            reconnect_on_failure=False,
        )
        self.paho.tls_set_context(credentials.context())
        if will is not None:
            self.paho.will_set(will[0], will[1], qos=1, retain=will[2])
        self.paho.on_connect = self._on_connect
        self.paho.on_message = self._on_message
        self.paho.on_subscribe = self._on_subscribe
        self.paho.on_publish = self._on_publish
        self.paho.on_disconnect = self._on_disconnect

    def connect(self, host: str, port: int, keepalive_s: int = 60) -> Client:
        """Connect, or fail."""
        refusal = self.try_connect(host, port, keepalive_s)
        assert refusal is None, refusal
        return self

    def try_connect(self, host: str, port: int, keepalive_s: int = 60) -> str | None:
        """Connect; the reason when the broker did not let us in."""
        options: dict[str, Any] = {}
        if self._version == paho.MQTTv5:
            options["clean_start"] = self._clean
            options["properties"] = Properties(PacketTypes.CONNECT)
            options["properties"].SessionExpiryInterval = 0 if self._clean else EXPIRY_S
        before, lost = len(self.connacks), self.lost
        try:
            self.paho.connect(host, port, keepalive_s, **options)
        except (OSError, ssl.SSLError) as error:
            return f"tls: {error}"
        self.paho.loop_start()
        until(lambda: len(self.connacks) > before or self.lost > lost, "an answer to CONNECT")
        if len(self.connacks) == before:
            self.close()
            return "closed without an answer"
        code = self.connacks[-1][1]
        if code.is_failure:
            self.close()
            return f"connack: {code}"
        return None

    @property
    def session_present(self) -> bool:
        return self.connacks[-1][0]

    def subscribe(self, *filters: str, qos: int = 1) -> list[int]:
        """Subscribe and wait for the answer: a reason code for each filter."""
        _, mid = self.paho.subscribe([(name, qos) for name in filters])
        assert mid is not None
        until(lambda: mid in self.granted, "SUBACK")
        return self.granted[mid]

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish at QoS 1 and wait for the PUBACK."""
        mid = self.paho.publish(topic, payload, qos=1, retain=retain).mid
        until(lambda: mid in self.published, "PUBACK")

    def topics(self) -> list[str]:
        return [message.topic for message in self.received]

    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.received]

    def wait_for(self, payload: bytes) -> None:
        until(lambda: payload in self.payloads(), f"{payload!r} at {self.paho._client_id!r}")

    def close(self) -> None:
        """Leave in good order."""
        self.paho.disconnect()
        self.paho.loop_stop()
        self.paho._sock_close()

    def vanish(self) -> None:
        """Lose the connection without a word."""
        raw = self.paho.socket()
        if isinstance(raw, socket.socket):
            with contextlib.suppress(OSError):
                raw.shutdown(socket.SHUT_RDWR)
        until(lambda: not self.paho.is_connected(), "the loss to be noticed")
        self.paho.loop_stop()
        self.paho._sock_close()

    def _on_connect(self, _client, _data, flags, code, _properties) -> None:
        self.connacks.append((flags.session_present, code))

    def _on_message(self, _client, _data, message) -> None:
        self.received.append(
            Received(message.topic, message.payload, message.mid, message.dup, message.retain)
        )

    def _on_subscribe(self, _client, _data, mid, codes, _properties) -> None:
        self.granted[mid] = [code.value for code in codes]

    def _on_publish(self, _client, _data, mid, _code, _properties) -> None:
        self.published.add(mid)

    def _on_disconnect(self, _client, _data, _flags, _code, _properties) -> None:
        self.lost += 1
