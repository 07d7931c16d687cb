"""A centre small enough to see through: verifies frames with ``cryptography``, answers with real acks."""

from __future__ import annotations

import json
import ssl
import threading
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_private_key
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from agent.wire import cbor, cose, frame, topics

if TYPE_CHECKING:
    from pathlib import Path

    from agent.wire.frame import Payload
    from certs.authority import Authority

SITE = "sitio-1"
DEVICE = "mx-001"


class Received:
    """One verified frame."""

    def __init__(self, topic: str, kid: bytes, payload: Payload) -> None:
        self.topic = topic
        self.kind = topics.parse(topic)[2]
        self.kid = kid
        self.payload = payload
        self.seq = payload.seq


class Centre:
    """Verifies, remembers and acks the frames of one device, whose folder ``vigia-certs issue`` made."""

    def __init__(self, folder: Path) -> None:
        key = load_der_private_key((folder / "key.der").read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._public = key.public_key()
        self._ack_key = (folder / "ack.key").read_bytes()
        self.frames: list[Received] = []

    def take(self, topic: str, message: bytes) -> Received:
        kid, protected, payload, signature = cose.parse_sign1(message)
        der = encode_dss_signature(
            int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        )
        signed = cose.to_sign(protected, topic.encode(), payload)
        self._public.verify(der, signed, ec.ECDSA(hashes.SHA256()))
        kind = topics.parse(topic)[2]
        received = Received(topic, kid, frame.check_payload(kind, cbor.decode(payload)))
        self.frames.append(received)
        return received

    def ack(self, received: Received, *, refused: str | None = None) -> tuple[str, bytes]:
        """(topic, message) that settles one frame."""
        assert received.seq is not None
        span = [received.seq, received.seq]
        stored, bad = ([], [[*span, refused]]) if refused else ([span], [])
        return self.answer(received, stored, bad)

    def answer(
        self,
        received: Received,
        stored: list[list[int]],
        refused: list[list[Any]],
        incarnation: bytes | None = None,
    ) -> tuple[str, bytes]:
        """(topic, message) of any ack for the device of a frame."""
        shard, device, _ = topics.parse(received.topic)
        topic = topics.make(shard, device, "ack")
        whose = incarnation or received.payload.incarnation
        payload = frame.encode_ack(received.kid, whose, stored, refused, 1)
        return topic, cose.mac0(self._ack_key, received.kid, topic.encode(), payload)

    def of(self, kind: str) -> list[Received]:
        return [received for received in self.frames if received.kind == kind]

    def seqs(self) -> list[int]:
        return sorted({received.seq for received in self.frames if received.seq is not None})


def status(state: str, epoch: int = 1) -> bytes:
    return json.dumps({"state": state, "owner": "test", "epoch": epoch}).encode()


class LiveCentre(Centre):
    """The same behind a real broker, on paho's own thread; ``acking`` decides whether it answers."""

    def __init__(self, authority: Authority, folder: Path) -> None:
        super().__init__(folder)
        self.acking = True
        self.lock = threading.Lock()
        self._ready = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, "vigia-ingest-test")
        context = ssl.create_default_context(cafile=str(authority.folder / "ca.pem"))
        own = authority.folder / "collector"
        context.load_cert_chain(own / "cert.pem", own / "key.pem")
        self._client.tls_set_context(context)
        self._client.on_connect = lambda client, *_: client.subscribe("vigia/v1/+/+/+", qos=1)
        self._client.on_subscribe = self._on_subscribe
        self._epoch = 0
        self._client.on_message = self._on_message
        self._port = authority.settings.collector_port

    def start(self) -> LiveCentre:
        self._client.connect("localhost", self._port)
        self._client.loop_start()
        assert self._ready.wait(30)
        return self

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_subscribe(self, client: mqtt.Client, *_rest: object) -> None:
        """Say online once frames can arrive, as a collector does; with a new epoch each time."""
        self._epoch += 1
        client.publish(
            topics.status(topics.shard_of(SITE)), status("online", self._epoch), qos=1, retain=True
        )
        self._ready.set()

    def _on_message(self, client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        if message.topic.endswith(("/ack", "/collector")):
            return
        with self.lock:
            received = self.take(message.topic, bytes(message.payload))
        if self.acking and received.seq is not None:
            client.publish(*self.ack(received), qos=1)
